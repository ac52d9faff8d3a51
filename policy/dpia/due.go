package dpia

import (
	"slices"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/diff"
)

// Due is a decision that must be assessed anew before it is voted.
type Due struct {
	Decision string
	// Changes are those that protect less than what is in force, of the decision itself and of
	// charter and kinds; empty where the decision is new.
	Changes []diff.Change
	// Assessed reports whether it was assessed as it is now; On is the day, where that is said.
	Assessed bool
	On       civil.Date
}

// Reassess lists the decisions of a policy that were not assessed as they are now, and protect less
// than what is in force (or nil), or are new. Who has assessed a decision writes its Digest into
// dpia.yaml.
func Reassess(inForce, p *bundle.Policy, a *Answers) (list []Due) {
	return slices.DeleteFunc(Weakened(inForce, p, a), func(x Due) bool { return x.Assessed })
}

// Weakened lists those that were assessed, too.
func Weakened(inForce, p *bundle.Policy, a *Answers) (list []Due) {
	changes := diff.Compare(diff.Before{Policy: inForce}, p)
	for i := range p.Decisions {
		d := &p.Decisions[i]
		due := Due{Decision: d.Decision}
		due.Changes = slices.DeleteFunc(slices.Clone(changes), func(c diff.Change) bool {
			return c.Mark != diff.Weaker || c.About != d.Decision && c.About != "charter.yaml" &&
				c.About != "kinds.yaml"
		})
		fresh := inForce == nil || inForce.Decision(d.Decision) == nil
		if fresh {
			due.Changes = nil
		}
		if said := a.Decisions[d.Decision].Assessed; said.Of == Digest(p, d) {
			due.Assessed, due.On = true, said.On
		}
		if len(due.Changes) > 0 || fresh {
			list = append(list, due)
		}
	}
	return list
}
