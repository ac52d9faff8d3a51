package diff

import (
	"bytes"
	"reflect"
	"slices"

	"sluice/policy/bundle"
)

// Before is what a policy is compared with: the one in force, and what of those
// before it must not be forgotten. Without that, a change that takes many in one
// motion would take few in two.
type Before struct {
	// Policy is the one in force, or nil.
	Policy *bundle.Policy
	// Ended are decisions, or what they covered, that earlier motions took away.
	Ended []Past
	// Agreed are decisions by id as they stood when a motion last took its notice, so
	// that small steps without notice cannot end a series.
	Agreed map[string]*bundle.Decision
	// Format is that of the motion, 0 for the newest: which rules were the program's own.
	Format int
}

// knows reports whether motions of that format knew that a key can end something.
func (b Before) knows(k key) bool { return b.Format == 0 || b.Format >= k.endsSince }

// Past is a decision with the policy that it stood in.
type Past struct {
	Decision *bundle.Decision
	Policy   *bundle.Policy
}

// suspended reports whether the council had suspended it.
func (p Past) suspended() bool { return p.Policy.Suspension(p.Decision.Decision) != nil }

// Then is what the policy after new is compared with; changes are those from b to
// new. It grows by a decision for each that a vote took away.
func (b Before) Then(new *bundle.Policy, changes []Change) Before {
	out := Before{Policy: new, Ended: slices.Clip(b.Ended), Agreed: make(map[string]*bundle.Decision)}
	noticed := b.Policy == nil || TakesNotice(changes)
	renamed := renames(b.Policy, new)
	for i := range new.Decisions {
		d := &new.Decisions[i]
		out.Agreed[d.Decision] = d
		if !noticed {
			if agreed := b.agreed(old(d.Decision, renamed)); agreed != nil {
				out.Agreed[d.Decision] = agreed
			}
		}
	}
	if b.Policy == nil {
		return out
	}
	now := make(map[string]string, len(renamed))
	for to, from := range renamed {
		now[from] = to
	}
	for i := range b.Policy.Decisions {
		past := Past{&b.Policy.Decisions[i], b.Policy}
		if !past.covered(new, old(past.Decision.Decision, now)) && !slices.ContainsFunc(out.Ended, past.same) {
			out.Ended = append(out.Ended, past)
		}
	}
	return out
}

// TakesNotice reports whether changes wait for the charter's notice: where anything
// gets weaker, or a public series ends.
func TakesNotice(changes []Change) bool { return Overall(changes) == Weaker || Ends(changes) }

func (b Before) agreed(id string) *bundle.Decision {
	if d := b.Agreed[id]; d != nil {
		return d
	}
	if b.Policy == nil {
		return nil
	}
	return b.Policy.Decision(id)
}

// covered reports whether a policy has the decision still, under an id, about all
// that it was about.
func (p Past) covered(by *bundle.Policy, id string) bool {
	d := by.Decision(id)
	if d == nil || !within(p.Decision.AppliesTo.Kinds, d.AppliesTo.Kinds) ||
		!within(p.Decision.AppliesTo.Zones, d.AppliesTo.Zones) {
		return false
	}
	for _, kind := range p.Decision.AppliesTo.Kinds {
		if _, had := p.Policy.Kinds[kind]; had {
			if _, has := by.Kinds[kind]; !has {
				return false
			}
		}
	}
	return !slices.ContainsFunc(p.Decision.AppliesTo.Zones, func(zone string) bool {
		return !by.Zones.SameArea(zone, p.Policy.Zones)
	})
}

// same reports whether two are one: written, measured and suspended alike.
func (p Past) same(o Past) bool {
	equal := func(name string) bool { return bytes.Equal(p.Policy.Files[name], o.Policy.Files[name]) }
	return bytes.Equal(p.Decision.YAML, o.Decision.YAML) && p.suspended() == o.suspended() && equal("kinds.yaml") &&
		equal("zones.geojson")
}

// renames finds decisions that only have another id: new ids, to their old ones.
func renames(from, to *bundle.Policy) map[string]string {
	out := make(map[string]string)
	if from == nil {
		return out
	}
	taken := make(map[string]bool)
	for i := range to.Decisions {
		b := &to.Decisions[i]
		if from.Decision(b.Decision) != nil {
			continue
		}
		for j := range from.Decisions {
			a := &from.Decisions[j]
			if !taken[a.Decision] && to.Decision(a.Decision) == nil && alike(a, b) {
				out[b.Decision], taken[a.Decision] = a.Decision, true
				break
			}
		}
	}
	return out
}

// alike reports whether two decisions say the same but for their ids.
func alike(a, b *bundle.Decision) bool {
	x, y := *a.Document, *b.Document
	x.Decision, y.Decision = "", ""
	return reflect.DeepEqual(x, y)
}

// old is the other id of a decision that has one, else its own.
func old(id string, renamed map[string]string) string {
	if other, ok := renamed[id]; ok {
		return other
	}
	return id
}
