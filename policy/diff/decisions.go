package diff

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/explain"
	"sluice/register"
)

// decisions compares by id, and what is new with all that is or was about the
// same: a new name does not make it new.
func (c *comparison) decisions() {
	for i := range c.new.Decisions {
		b := &c.new.Decisions[i]
		a := c.old.Decision(b.Decision)
		switch was, renamed := c.renamed[b.Decision]; {
		case renamed:
			c.add(Change{About: b.Decision, Key: "renamed", Old: text(was), New: text(b.Decision)})
			a = c.old.Decision(was)
		case a == nil:
			c.added(b)
			continue
		default:
			c.changed(a, b)
		}
		c.runs(a, b)
	}
	kept := slices.Collect(maps.Values(c.renamed))
	for _, a := range c.old.Decisions {
		if c.new.Decision(a.Decision) == nil && !slices.Contains(kept, a.Decision) {
			c.add(Change{About: a.Decision, Key: "removed", Mark: Stronger, Ends: true})
		}
	}
}

// changed compares what one decision says, key by key.
func (c *comparison) changed(a, b *bundle.Decision) {
	agreed := c.before.agreed(a.Decision)
	if agreed == nil {
		agreed = a
	}
	for _, k := range keys {
		x, ok := k.change(c.old, a, c.new, b)
		if !ok {
			continue
		}
		x.Ends = k.ends != nil && c.before.knows(k) && (k.ends(a, b) || k.ends(agreed, b))
		if k.name == "retain" {
			x.removes = cmp.Or(removes(a, b), removes(agreed, b))
		}
		c.add(x)
	}
}

// Decisions compares two versions of one decision, key by key.
func Decisions(oldPolicy *bundle.Policy, a *bundle.Decision, newPolicy *bundle.Policy, b *bundle.Decision) []Change {
	c := newComparison(Before{Policy: oldPolicy}, newPolicy)
	c.changed(a, b)
	return c.changes
}

// change is what is different in one key; false for nothing.
func (k key) change(
	oldPolicy *bundle.Policy, a *bundle.Decision, newPolicy *bundle.Policy, b *bundle.Decision,
) (Change, bool) {
	x := Change{About: b.Decision, Key: k.name}
	for l := range explain.Languages {
		lang := explain.Lang(l)
		x.Old[l], x.New[l] = k.show(&formatter{lang, oldPolicy}, a), k.show(&formatter{lang, newPolicy}, b)
	}
	if k.mark != nil {
		x.Mark = k.mark(a, b)
	}
	return x, x.Old != x.New || x.Mark != Neutral
}

// Full is all that a decision says, a line for each key.
func Full(l explain.Lang, p *bundle.Policy, d *bundle.Decision) []string {
	var out []string
	for _, k := range keys {
		if k.name == "protect.by_owner" && len(d.Protect.ByOwner) == 0 {
			continue // most decisions have none, and did not say so before there were any
		}
		if slices.Contains([]string{"publish.names", "publish.limits", "consultation"}, k.name) &&
			k.show(&formatter{l, p}, d) == "" {
			continue // as above
		}
		out = append(out, explain.Plain(label(k.name, l)+": "+k.show(&formatter{l, p}, d)))
	}
	return out
}

// atOnce is how many decisions a new one is compared with key by key; of further
// ones that it protects less than the text gives the ids. It bounds the text.
const atOnce = 8

// added notes a new decision, and where it protects less than one about the same
// that is in force, suspended or ended.
func (c *comparison) added(b *bundle.Decision) {
	c.add(Change{About: b.Decision, Key: "added", Mark: Weaker, Needs: Enact})
	compared, further := 0, []string(nil)
	for _, a := range c.predecessors() {
		if !c.sameGround(a, b) {
			continue
		}
		lifted := a.suspended() && c.new.Suspension(b.Decision) == nil
		weaker := slices.DeleteFunc(weakerKeys(a.Decision, b), func(k key) bool { return k.name == "stream" })
		ground := c.since(a, b)
		if gained := about(a.Decision, without(c.covers(c.new, b), c.covers(a.Policy, a.Decision))); len(gained) > 0 {
			ground = append(ground, Change{Key: "started", Mark: Weaker, New: text(showPairs(gained))})
		}
		switch {
		case len(weaker)+len(ground) == 0 && !lifted:
			continue
		case compared == atOnce:
			further = append(further, a.Decision.Decision)
			continue
		}
		compared++
		if lifted {
			c.add(Change{About: b.Decision, Against: a.Decision.Decision, Key: "lifted", Mark: Weaker})
		}
		for _, k := range weaker {
			x, _ := k.change(a.Policy, a.Decision, c.new, b)
			x.Against = a.Decision.Decision
			c.add(x)
		}
		for _, x := range ground {
			x.About, x.Against = b.Decision, a.Decision.Decision
			c.add(x)
		}
	}
	if len(further) > 0 {
		slices.Sort(further)
		c.add(Change{About: b.Decision, Key: "further", Mark: Weaker, New: text(words(slices.Compact(further)))})
	}
}

// since says what got weaker, since an ended decision stood, under the kinds and
// zones that a new one has in common with it: nobody named them in the meantime.
func (c *comparison) since(a Past, b *bundle.Decision) []Change {
	if a.Policy == c.old {
		return nil // the changes of this motion say it
	}
	var out []Change
	for _, kind := range b.AppliesTo.Kinds {
		x, then := a.Policy.Kinds[kind]
		y, now := c.new.Kinds[kind]
		if then && now && slices.Contains(a.Decision.AppliesTo.Kinds, kind) && kindOrder(x, y) == Weaker {
			out = append(out,
				Change{Key: "kind " + word(kind), Mark: Weaker, Old: text(showKind(x)), New: text(showKind(y))})
		}
	}
	for _, zone := range b.AppliesTo.Zones {
		if !a.Policy.Zones.Has(zone) || !c.new.Zones.Has(zone) || !slices.Contains(a.Decision.AppliesTo.Zones, zone) {
			continue
		}
		if !c.new.Zones.SameArea(zone, a.Policy.Zones) {
			out = append(out,
				Change{Key: "zone " + word(zone), Mark: Weaker, Old: c.showZone(a.Policy.Zones, zone),
					New: c.showZone(c.new.Zones, zone)})
		}
		if gone := missing(before(a.Policy.Zones, zone), before(c.new.Zones, zone)); len(gone) > 0 {
			out = append(out, Change{Key: "uncovered " + word(zone), Mark: Weaker, New: text(words(gone))})
		}
	}
	return out
}

// predecessors are all decisions that a new one is compared with.
func (c *comparison) predecessors() []Past {
	var out []Past
	for i := range c.old.Decisions {
		out = append(out, Past{&c.old.Decisions[i], c.old})
	}
	return append(out, c.before.Ended...)
}

// sameGround reports whether b may measure in places and with sensors of a.
func (c *comparison) sameGround(a Past, b *bundle.Decision) bool {
	kinds := slices.ContainsFunc(b.AppliesTo.Kinds, func(kind string) bool { return c.sameKind(a, b, kind) })
	return kinds && slices.ContainsFunc(b.AppliesTo.Zones, func(zone string) bool {
		return slices.ContainsFunc(a.Decision.AppliesTo.Zones, func(x string) bool {
			return overlap(a.Policy.Zones, x, c.new.Zones, zone)
		})
	})
}

// sameKind reports whether a kind of b's is one of a's, or may be one under another
// name: a kind that there was not when a was decided, about the same unit or about
// nobody.
func (c *comparison) sameKind(a Past, b *bundle.Decision, kind string) bool {
	if slices.Contains(a.Decision.AppliesTo.Kinds, kind) {
		return true
	}
	for _, id := range a.Decision.AppliesTo.Kinds {
		old, now := a.Policy.Kinds[id], c.new.Kinds[kind]
		if tellsApart(old, now) || (a.Decision.Stream.Unit.None() || b.Stream.Unit.None()) &&
			gives(now, old, a.Decision.Keep) {
			return true
		}
	}
	_, then := a.Policy.Kinds[kind]
	_, now := c.old.Kinds[kind]
	x, y := a.Decision.Stream.Unit, b.Stream.Unit
	return (!then || !now) && (x.StandsFor == y.StandsFor || x.None() || y.None())
}

// gives reports whether a kind sends all that was kept of another one, under the
// same names and of the same classes: where nobody is told apart, that is a twin.
func gives(k, old register.Kind, keep []string) bool {
	some := false
	for _, f := range old.Fields {
		if !slices.Contains(keep, f.Name) {
			continue
		}
		some = true
		if !slices.ContainsFunc(k.Fields, func(x register.Field) bool {
			return x.Name == f.Name && x.Class == f.Class
		}) {
			return false
		}
	}
	return some
}

// tellsApart reports whether two kinds tell the same apart: by a field of the same
// name that identifies or stands for somebody, or by the sensor itself. Whatever
// such a kind is called, and since when there has been one, a sensor can be moved to
// it in the register, which nobody votes.
func tellsApart(a, b register.Kind) bool {
	who := func(k register.Kind) map[string]bool {
		out := make(map[string]bool)
		for _, u := range k.Units {
			out[u.Field] = true // empty for the sensor itself
		}
		for _, f := range k.Fields {
			if f.Class == "identifier" {
				out[f.Name] = true
			}
		}
		return out
	}
	same := who(a)
	for name := range who(b) {
		if same[name] {
			return true
		}
	}
	return false
}

// overlap reports whether two zones may share a point: the same id, or areas that do.
func overlap(z *register.Zones, a string, other *register.Zones, b string) bool {
	return a == b || z.Overlaps(a, other, b)
}

// runs says where one decision gives numbers that it did not give, or no longer
// gives them, though it is about the same: the charter, a kind or another decision
// changed under it.
func (c *comparison) runs(a, b *bundle.Decision) {
	was, is := c.covers(c.old, a), c.covers(c.new, b)
	lost, gained := about(b, without(was, is)), about(a, without(is, was))
	if len(lost) > 0 {
		c.add(Change{About: b.Decision, Key: "stopped", Mark: Stronger, Ends: true, New: text(showPairs(lost))})
	}
	if len(gained) > 0 {
		c.add(Change{About: b.Decision, Key: "started", Mark: Weaker, New: text(showPairs(gained))})
	}
}

// covers keeps what view.covers says.
func (c *comparison) covers(p *bundle.Policy, d *bundle.Decision) []pair {
	list, known := c.covered[d]
	if !known {
		list = view{p}.covers(d)
		c.covered[d] = list
	}
	return list
}

// about leaves the pairs that a decision names.
func about(d *bundle.Decision, list []pair) []pair {
	return slices.DeleteFunc(list, func(p pair) bool {
		return !slices.Contains(d.AppliesTo.Kinds, p.kind) || !slices.Contains(d.AppliesTo.Zones, p.zone)
	})
}

func without(list, other []pair) []pair {
	return slices.DeleteFunc(slices.Clone(list), func(p pair) bool { return slices.Contains(other, p) })
}

// showPairs names kinds and zones, at most some of them.
func showPairs(list []pair) string {
	var out []string
	for i, p := range list {
		if i == atOnce {
			out = append(out, "...")
			break
		}
		out = append(out, word(p.kind)+" / "+word(p.zone))
	}
	return strings.Join(out, ", ")
}

// suspensions: one more is the quick brake; one less needs many.
func (c *comparison) suspensions() {
	was := make(map[string]*decision.Suspension)
	for i := range c.old.Suspended {
		was[c.old.Suspended[i].Decision] = c.old.Suspension(c.old.Suspended[i].Decision)
	}
	for to, from := range c.renamed { // a suspension goes with its decision
		if s := was[from]; s != nil && was[to] == nil {
			was[to] = s
		}
	}
	is := make(map[string]*decision.Suspension)
	for i := range c.new.Suspended {
		is[c.new.Suspended[i].Decision] = c.new.Suspension(c.new.Suspended[i].Decision)
	}
	ids := slices.AppendSeq(slices.Collect(maps.Keys(was)), maps.Keys(is))
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		c.suspension(id, was[id], is[id])
	}
}

func (c *comparison) suspension(id string, was, is *decision.Suspension) {
	switch {
	case was == nil:
		c.add(Change{About: id, Key: "suspended", Mark: Stronger, New: text(showSuspension(is))})
	case is == nil && c.new.Decision(id) != nil:
		c.add(Change{About: id, Key: "resumed", Mark: Weaker})
	case is == nil && c.renamedFrom(id):
	case is == nil:
		c.add(Change{About: id, Key: "suspension", Old: text(showSuspension(was))})
	case showSuspension(was) != showSuspension(is):
		c.add(Change{About: id, Key: "suspension", Old: text(showSuspension(was)), New: text(showSuspension(is))})
	}
}

// renamedFrom reports whether a decision goes on under another id.
func (c *comparison) renamedFrom(id string) bool {
	return slices.Contains(slices.Collect(maps.Values(c.renamed)), id)
}

// showSuspension shows since when and why. What one text says is shown as it was before
// there were several: motions that have it are signed.
func showSuspension(s *decision.Suspension) string {
	if text, one := s.Reason[decision.Unsaid]; one && len(s.Reason) == 1 {
		return s.Since.String() + " " + quote(text)
	}
	var out []string
	if since := s.Since.String(); since != "" {
		out = append(out, since)
	}
	for _, lang := range slices.Sorted(maps.Keys(s.Reason)) {
		out = append(out, word(lang)+": "+quote(s.Reason[lang]))
	}
	return strings.Join(out, ", ")
}
