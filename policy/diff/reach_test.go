package diff

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/plan"
	"sluice/policy/bundle"
)

var chains = flag.Int("chains", 400, "how many chains of motions TestNoDetour tries")

// reading is one that a sensor could send, from a place.
type reading struct {
	kind     string
	lat, lon float64
	zone     string // where the register puts the sensor; empty for by its coordinates
	rssi     int
	speed    float64
	sort     string
}

func readings() []reading {
	var out []reading
	for _, kind := range []string{"counter", "other"} {
		for _, at := range []struct {
			lat, lon float64
			zone     string
		}{{0.001, 0.001, ""}, {0.003, 0.003, ""}, {0.005, 0.0105, ""}, {0.005, 0.015, ""}, {0.035, 0.035, ""},
			{0.001, 0.001, "a"}, {0.001, 0.015, "b"}} {
			for _, rssi := range []int{-90, -80, -60} {
				for _, speed := range []float64{20, 70} {
					out = append(out,
						reading{kind, at.lat, at.lon, at.zone, rssi, speed, []string{"x", "y"}[rssi/10&1]})
				}
			}
		}
	}
	return out
}

// told is what a release tells about one reading, and how it protects whose it is.
type told struct {
	at, category, measure string
	d                     *bundle.Decision
	stream                string
}

// running is a policy with what covers says of its decisions.
type running struct {
	*bundle.Policy
	pairs [][]pair
}

func run(p *bundle.Policy) running {
	r := running{Policy: p}
	for i := range p.Decisions {
		r.pairs = append(r.pairs, view{p}.covers(&p.Decisions[i]))
	}
	return r
}

// reach is all that is told about a reading under a policy, by decisions that run.
func reach(p running, r reading) []told {
	var out []told
	for i := range p.Decisions {
		d := &p.Decisions[i]
		s := d.Stream
		if p.Suspension(d.Decision) != nil {
			continue
		}
		zone := r.zone
		if zone == "" || s.Place.ByPoint() {
			zone, _ = p.Zones.Locate(r.lat, r.lon)
		}
		if !slices.Contains(p.pairs[i], pair{r.kind, zone}) || !counts(s, r) {
			continue
		}
		category := ""
		if s.Category.Field != "" {
			category = r.sort
		}
		for _, m := range s.Measures {
			out = append(out, told{zone, category, fmt.Sprint(m.Name, m.Of, m.Field, m.Q), d, s.ID})
		}
	}
	return out
}

// counts reports whether the decision's conditions let the reading count.
func counts(s *plan.Stream, r reading) bool {
	for _, c := range s.Where {
		v, _ := number(c.Value)
		have := map[string]float64{"rssi": float64(r.rssi), "speed": r.speed}[c.Field]
		if c.Op == ">=" && have < v || c.Op == "<" && have >= v {
			return false
		}
	}
	return s.Category.Field == "" || slices.Contains(s.Category.Values, r.sort)
}

// atLeastAsSafe reports whether b tells no more than a and protects no less. It is
// written without the order that it tests.
func atLeastAsSafe(a, b told) bool {
	if a.at != b.at || a.category != b.category || a.measure != b.measure {
		return false
	}
	x, y := a.d.Stream, b.d.Stream
	if y.From.Before(x.From) || y.Until.After(x.Until) || y.Every.Nominal()%x.Every.Nominal() != 0 {
		return false
	}
	if strings.Contains(a.measure, "speed") {
		for v := 0.0; v < 100; v++ { // values that b tells apart, a does
			for _, w := range []float64{v + 1, v + 5, v + 10} {
				if rounded(y, v) != rounded(y, w) && rounded(x, v) == rounded(x, w) {
					return false
				}
			}
		}
	}
	switch {
	case x.Unit.None():
		return true
	case y.Unit != x.Unit:
		return false
	}
	day := func(s *plan.Stream, amount float64) float64 { return amount * 24 / s.Forget.Nominal().Hours() }
	return y.Protect.MinUnits >= x.Protect.MinUnits && y.Protect.Epsilon <= x.Protect.Epsilon &&
		y.Protect.Delta <= x.Protect.Delta &&
		day(y, y.Protect.Epsilon) <= day(x, x.Protect.Epsilon) &&
		y.Protect.MaxContributions <= x.Protect.MaxContributions &&
		y.Forget.Nominal() <= x.Forget.Nominal() && y.Lateness.Nominal() <= x.Lateness.Nominal()
}

func rounded(s *plan.Stream, v float64) float64 {
	for _, g := range s.Generalise {
		v = math.Floor(v/g.Step) * g.Step
	}
	return v
}

// motion is one step of a chain.
type motion struct {
	before, after *bundle.Policy
	changes       []Change
	why           []string
}

// TestNoDetour draws chains of two motions. Whenever something is told about a
// reading under the last policy that was not told, or better protected, under any
// before it, one of the motions says weaker; and where a decision about the same
// kinds and zones was there, takes the quorum for weakening. Whenever a number is no
// longer published, and nothing is suspended, the motion takes notice.
func TestNoDetour(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	samples := readings()
	grew, ended := 0, 0
	for n := 0; n < *chains; n++ {
		chain := draw(rng)
		if chain == nil {
			continue
		}
		g := grows(t, samples, chain)
		e := ends(t, chain[len(chain)-1])
		grew, ended = grew+g, ended+e
		if t.Failed() {
			for _, m := range chain {
				t.Logf("motion: %s", strings.Join(m.why, "; "))
				for _, c := range m.changes {
					t.Logf("   %-8s %-7s %s: %s", c.Mark, c.Needs, c.About, c.Words(0))
				}
			}
			t.Fatalf("chain %d", n)
		}
	}
	t.Logf("in %d of %d chains more was told in the end, in %d less was published", grew, *chains, ended)
	if grew < *chains/20 || ended < *chains/20 {
		t.Error("the property was hardly tried")
	}
}

func draw(rng *rand.Rand) []motion {
	var out []motion
	town := newTown(rng)
	policy := town.policy()
	if policy == nil {
		return nil
	}
	before := Before{}.Then(policy, nil)
	for range 2 {
		var why []string
		next := town.clone()
		for range 1 + rng.IntN(3) {
			why = append(why, next.edit(rng))
		}
		p := next.policy()
		if p == nil {
			return nil
		}
		changes := Compare(before, p)
		out = append(out, motion{policy, p, changes, why})
		before, policy, town = before.Then(p, changes), p, next
	}
	return out
}

// grows looks at the last policy of a chain; 1 where more is told under it.
func grows(t *testing.T, samples []reading, chain []motion) int {
	t.Helper()
	last, grew := run(chain[len(chain)-1].after), 0
	var before []running
	for _, m := range chain {
		before = append(before, run(m.before))
	}
	for _, r := range samples {
		var was []told
		for _, p := range before {
			was = append(was, reach(p, r)...)
		}
		for _, now := range reach(last, r) {
			if slices.ContainsFunc(was, func(x told) bool { return atLeastAsSafe(x, now) && x.stream == now.stream }) {
				continue
			}
			grew = 1
			if !slices.ContainsFunc(chain, func(m motion) bool { return Overall(m.changes) == Weaker }) {
				t.Errorf("%+v: decision %s tells %s/%s %s, and nothing was weaker", r, now.d.Decision, now.at,
					now.category, now.measure)
				return grew
			}
			if slices.ContainsFunc(was, func(x told) bool {
				return atLeastAsSafe(x, now)
			}) || !overlapped(chain, r.kind, now.at) {
				continue
			}
			if !slices.ContainsFunc(chain, func(m motion) bool {
				return slices.ContainsFunc(Needs(m.changes), func(q Quorum) bool { return q == Weaken || q == Charter })
			}) {
				t.Errorf("%+v: decision %s tells %s/%s %s, and nothing needed the quorum for weakening", r,
					now.d.Decision, now.at, now.category, now.measure)
				return grew
			}
		}
	}
	return grew
}

// overlapped reports whether a policy of the chain before the last had a decision
// about the kind and the zone.
func overlapped(chain []motion, kind, zone string) bool {
	return slices.ContainsFunc(chain, func(m motion) bool {
		return slices.ContainsFunc(m.before.Decisions, func(x bundle.Decision) bool {
			return slices.Contains(x.AppliesTo.Kinds, kind) && slices.Contains(x.AppliesTo.Zones, zone)
		})
	})
}

// ends looks at what is no longer published after a motion; 1 where anything is.
func ends(t *testing.T, m motion) int {
	t.Helper()
	published := func(p *bundle.Policy) []string {
		var out []string
		for i := range p.Decisions {
			d := &p.Decisions[i]
			for _, x := range (view{p}).covers(d) {
				for _, c := range d.Stream.Cells {
					for _, measure := range d.Stream.Measures {
						for day := d.Stream.From; c.Zone == x.zone &&
							day.Before(d.Stream.Until); day = day.AddDate(0, 0, 28) {
							out = append(out,
								fmt.Sprint(x.kind, " ", d.Stream.ID, " ", c.ID(), " ", measure.Name, " ",
									d.Stream.Every, " ", day.Format("2006-01")))
						}
					}
				}
			}
		}
		return out
	}
	now := published(m.after)
	for _, what := range published(m.before) {
		if slices.Contains(now, what) {
			continue
		}
		if !TakesNotice(m.changes) {
			t.Errorf("%s is no longer published, and no notice is taken", what)
		}
		if needs := Needs(m.changes); !slices.ContainsFunc(needs, func(q Quorum) bool { return q != Suspend }) {
			t.Errorf("%s is no longer published, and the quick quorum is enough", what)
		}
		return 1
	}
	return 0
}
