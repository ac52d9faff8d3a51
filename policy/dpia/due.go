package dpia

import (
	"slices"

	"sluice/policy/bundle"
	"sluice/policy/diff"
)

// Due is a decision that must be assessed anew before it is voted.
type Due struct {
	Decision string
	// Changes are those that protect less than what is in force, of the decision itself and of
	// charter and kinds; empty where the decision is new.
	Changes []diff.Change
}

// Reassess lists the decisions of a policy that were not assessed as they are now, and protect less
// than what is in force (or nil), or are new. Who has assessed a decision writes its Digest into
// dpia.yaml.
func Reassess(inForce, p *bundle.Policy, a *Answers) (list []Due) {
	changes := diff.Compare(diff.Before{Policy: inForce}, p)
	for i := range p.Decisions {
		d := &p.Decisions[i]
		if a.Decisions[d.Decision].Assessed.Of == Digest(p, d) {
			continue
		}
		weaker := slices.DeleteFunc(slices.Clone(changes), func(c diff.Change) bool {
			return c.Mark != diff.Weaker || c.About != d.Decision && c.About != "charter.yaml" &&
				c.About != "kinds.yaml"
		})
		fresh := inForce == nil || inForce.Decision(d.Decision) == nil
		if fresh {
			weaker = nil
		}
		if len(weaker) > 0 || fresh {
			list = append(list, Due{d.Decision, weaker})
		}
	}
	return list
}
