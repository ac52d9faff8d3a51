package diff

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/retention"
	"sluice/plan"
	"sluice/policy/bundle"
)

// Mark says which way a change goes for those who are measured.
type Mark int

// The marks. A change in both directions is Weaker.
const (
	Neutral Mark = iota
	Stronger
	Weaker
)

func (m Mark) String() string { return [...]string{"neutral", "stronger", "weaker"}[m] }

// mark turns "b protects at least as much as a" and its reverse into a mark.
func mark(atLeast, atMost bool) Mark {
	switch {
	case atLeast && atMost:
		return Neutral
	case atLeast:
		return Stronger
	}
	return Weaker
}

// less orders numbers of which the smaller protects more, greater the others.
func less[T int | int64 | float64 | time.Duration](a, b T) Mark    { return mark(b <= a, a <= b) }
func greater[T int | int64 | float64 | time.Duration](a, b T) Mark { return less(b, a) }

// subset orders lists of which a part protects more.
func subset[T comparable](a, b []T) Mark { return mark(within(b, a), within(a, b)) }

func within[T comparable](part, whole []T) bool {
	return !slices.ContainsFunc(part, func(x T) bool { return !slices.Contains(whole, x) })
}

// permits orders permissions: one that is given protects less.
func permits(a, b bool) Mark { return mark(a || !b, b || !a) }

// same orders values that cannot be compared: any change is weaker.
func same(equal bool) Mark { return mark(equal, equal) }

// atLeast is the order over decisions: whether b protects everybody at least as
// much as a, key by key. It is reflexive and transitive. The keys that say
// nothing about protection (title, legal_basis) are not in it.
func atLeast(a, b *bundle.Decision) bool { return len(weakerKeys(a, b)) == 0 }

// weakerKeys are the keys in which b protects less than a, or cannot be compared.
func weakerKeys(a, b *bundle.Decision) []key {
	return slices.DeleteFunc(slices.Clone(keys), func(k key) bool { return k.mark == nil || k.mark(a, b) != Weaker })
}

func whereOrder(a, b *bundle.Decision) Mark {
	return mark(implies(b.Where, a.Where), implies(a.Where, b.Where))
}

// implies reports whether every reading that meets all of p meets all of q.
func implies(p, q []plan.Condition) bool {
	for _, want := range q {
		if !slices.ContainsFunc(p, func(have plan.Condition) bool { return narrower(have, want) }) {
			return false
		}
	}
	return true
}

func narrower(have, want plan.Condition) bool {
	if have.Field != want.Field || have.Op != want.Op {
		return false
	}
	h, hok := number(have.Value)
	w, wok := number(want.Value)
	switch {
	case have.Value == want.Value:
		return true
	case !hok || !wok:
		return false
	case want.Op == ">" || want.Op == ">=":
		return h >= w
	case want.Op == "<" || want.Op == "<=":
		return h <= w
	}
	return h == w
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case uint64:
		return float64(v), true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}

func generaliseOrder(a, b *bundle.Decision) Mark {
	return mark(coarser(a, b), coarser(b, a))
}

// coarser reports whether b tells values of every field that it keeps apart no
// finer than a does.
func coarser(a, b *bundle.Decision) bool {
	for _, g := range a.Generalise {
		if !slices.Contains(b.Keep, g.Field) {
			continue
		}
		x, y := roundings(a, g.Field), roundings(b, g.Field)
		// One rounding after another makes other classes than either of them.
		if len(x) > 1 || len(y) > 1 {
			if !reflect.DeepEqual(x, y) {
				return false
			}
		} else if len(y) == 0 || !covers(g, y[0]) {
			return false
		}
	}
	return true
}

func roundings(d *bundle.Decision, field string) []plan.Generalise {
	return slices.DeleteFunc(slices.Clone(d.Generalise), func(g plan.Generalise) bool { return g.Field != field })
}

// covers reports whether classes of h are unions of classes of g.
func covers(g, h plan.Generalise) bool {
	switch {
	case g.Field != h.Field:
		return false
	case g.Step > 0 && h.Step > 0:
		n := h.Step / g.Step
		return n >= 1 && n == math.Trunc(n)
	case len(g.To) > 0 && len(h.To) > 0:
		return within(h.To, g.To)
	}
	return false
}

func everyOrder(a, b *bundle.Decision) Mark {
	x, y := a.Publish.Every.Nominal(), b.Publish.Every.Nominal()
	return mark(x > 0 && y%x == 0, y > 0 && x%y == 0)
}

// narrowerParts reports whether no owner's sensors count by more under b than under a, and
// none can spend what another's would count unless it could before.
func narrowerParts(a, b *bundle.Decision) bool {
	x, y := a.Protect.ByOwner, b.Protect.ByOwner
	if len(x) == 0 || len(y) == 0 {
		return len(x) == 0
	}
	for owner, n := range y {
		if n > x[owner] {
			return false
		}
	}
	return true
}

// fewerOwners reports whether sensors of some owner counted under a, and do not under b,
// or hardly.
func fewerOwners(a, b map[string]int64) bool {
	if len(a) == 0 {
		return len(b) > 0
	}
	for owner, n := range a {
		if len(b) > 0 && b[owner]*much < n {
			return true
		}
	}
	return false
}

// showOwners shows parts as they are written, by the owners' names.
func showOwners(parts map[string]int64) string {
	var out []string
	for _, owner := range slices.Sorted(maps.Keys(parts)) {
		out = append(out, word(owner)+": "+strconv.FormatInt(parts[owner], 10))
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, ", ")
}

// categoryOrder: readings of other categories are refused, so that without a
// category more of them count.
func categoryOrder(a, b *bundle.Decision) Mark {
	x, y := a.Stream.Category, b.Stream.Category
	return mark(y.Field == x.Field && within(y.Values, x.Values), x.Field == y.Field && within(x.Values, y.Values))
}

func measuresOrder(a, b *bundle.Decision) Mark {
	return mark(fewer(a, b), fewer(b, a))
}

// fewer reports whether each measure of b is one of a's, of no wider bounds.
func fewer(a, b *bundle.Decision) bool {
	for _, m := range b.Stream.Measures {
		if !slices.ContainsFunc(a.Stream.Measures, func(x plan.Measure) bool {
			return x.Name == m.Name && x.Of == m.Of && x.Field == m.Field && x.Q == m.Q && inside(m, x)
		}) {
			return false
		}
	}
	return true
}

// inside reports whether m says no more than x: its bounds lie within, its classes
// are made of whole ones.
func inside(m, x plan.Measure) bool {
	return within(m.Edges, x.Edges) && (!x.Bounded || m.Bounded && m.Low >= x.Low && m.High <= x.High)
}

// unitOrder: a unit where there was none protects more; another unit cannot be
// compared.
func unitOrder(a, b *bundle.Decision) Mark {
	x, y := a.Stream.Unit, b.Stream.Unit
	return mark(x == y || x.None(), x == y || y.None())
}

// protected compares only where both protect somebody; unit says the rest.
func protected(m func(a, b *bundle.Decision) Mark) func(a, b *bundle.Decision) Mark {
	return func(a, b *bundle.Decision) Mark {
		if a.Stream.Unit.None() || b.Stream.Unit.None() {
			return Neutral
		}
		return m(a, b)
	}
}

// perDay is what one unit pays on the day with the most epochs.
func perDay(d *bundle.Decision, amount float64) float64 { return amount * float64(d.EpochsPerDay()) }

// epsilonOrder compares per epoch and per day: a shorter epoch costs more a day.
func epsilonOrder(a, b *bundle.Decision) Mark {
	x, y := a.Protect, b.Protect
	return both(less(x.Epsilon, y.Epsilon), less(perDay(a, x.Epsilon), perDay(b, y.Epsilon)))
}

func deltaOrder(a, b *bundle.Decision) Mark {
	x, y := a.Protect, b.Protect
	return both(less(x.Delta, y.Delta), less(perDay(a, x.Delta), perDay(b, y.Delta)))
}

func both(list ...Mark) Mark {
	out := Neutral
	for _, m := range list {
		out = max(out, m)
	}
	return out
}

// retainOrder: what is kept longer can be looked up longer.
func retainOrder(a, b *bundle.Decision) Mark {
	return both(less(keeps(a), keeps(b)), less(keepsDays(a), keepsDays(b)))
}

// removedSince is the first format of motions of which numbers are removed when their time is
// over: earlier versions did not.
const removedSince = 7

// shorter reports whether b keeps numbers for a shorter time than a, or wants no days kept any
// more.
func shorter(a, b *bundle.Decision) bool { return keeps(b) < keeps(a) || keepsDays(b) < keepsDays(a) }

// removes says what a shorter time does: some numbers that are public are removed for good, or
// only the stream of days ends, whose numbers stay. Days of a decision about units are those of
// another one, by whose words they go.
func removes(a, b *bundle.Decision) string {
	days := a.KeepsDays() && a.Stream.Unit.None()
	switch {
	case keeps(b) < keeps(a), days && long(b.Retain.Days) < long(a.Retain.Days):
		return "removing"
	case days && !b.KeepsDays():
		return "ending"
	}
	return ""
}

// keeps is how long a decision keeps the numbers of its own windows; what is not said is kept.
func keeps(d *bundle.Decision) time.Duration { return long(d.Retain.For(d.Publish.Every)) }

// keepsDays is how long a decision of shorter windows wants days kept; negative for none.
func keepsDays(d *bundle.Decision) time.Duration {
	if !d.KeepsDays() {
		return -1
	}
	return long(d.Retain.Days)
}

func long(t retention.Term) time.Duration {
	if !t.Ends() {
		return math.MaxInt64
	}
	return t.Period.Nominal()
}

// reviewOrder: no review is the latest one.
func reviewOrder(a, b *bundle.Decision) Mark {
	at := func(d civil.Date) int64 {
		if d == (civil.Date{}) {
			return math.MaxInt64
		}
		return d.Start(time.UTC).Unix()
	}
	return less(at(a.Review), at(b.Review))
}

// quiet is one zone's blackout.
type quiet struct {
	zone        string
	from, until int64
}

func blackouts(d *bundle.Decision) (out []quiet) {
	for _, b := range d.Blackouts {
		for _, zone := range b.Zones {
			out = append(out, quiet{zone, b.From.Unix(), b.Until.Unix()})
		}
	}
	return out
}

func blackoutOrder(a, b *bundle.Decision) Mark { return subset(blackouts(b), blackouts(a)) }
