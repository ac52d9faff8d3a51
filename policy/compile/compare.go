package compile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sluice/plan"
	"sluice/policy/diff"
	"sluice/register"
)

// PlanChange is what is different for sensors of one sort.
type PlanChange struct {
	Mark    diff.Mark
	Sensors string // ids, a few of them
	Line    string
}

// ComparePlans says for every registered sensor which plans it gains and loses:
// so rules are compared by what they do. A plan more is weaker, one less is
// stronger, one of a changed decision is left to the comparison of decisions.
func ComparePlans(ctx context.Context, old, next *Set, reg *register.Register) ([]PlanChange, error) {
	var out []PlanChange
	by := make(map[string]int)
	for i := range reg.Sensors {
		s := &reg.Sensors[i]
		a, _, err := old.Plans(ctx, s)
		if err != nil {
			return nil, err
		}
		b, _, err := next.Plans(ctx, s)
		if err != nil {
			return nil, err
		}
		gained, lost := without(b, a), without(a, b)
		if len(gained)+len(lost) == 0 {
			continue
		}
		what := fmt.Sprintf("%s in %s", s.Kind, s.ZoneOf(next.Zones))
		mark := diff.Stronger
		if len(gained) > 0 {
			what, mark = what+" is now measured for "+strings.Join(gained, ", "), diff.Weaker
		}
		if len(lost) > 0 {
			what += " is no longer measured for " + strings.Join(lost, ", ")
		}
		at, known := by[what]
		if !known {
			by[what] = len(out)
			out = append(out, PlanChange{Mark: mark, Sensors: s.ID, Line: what})
			continue
		}
		if n := strings.Count(out[at].Sensors, ","); n < 4 {
			out[at].Sensors += ", " + s.ID
		}
	}
	for i := range out {
		out[i].Line += " (" + out[i].Sensors + ")"
	}
	return out, nil
}

// without are the decisions of plans that have none in others.
func without(plans, others []plan.Plan) []string {
	var out []string
	for _, p := range plans {
		if !slices.ContainsFunc(others, func(o plan.Plan) bool {
			return o.Stream.Decision == p.Stream.Decision && o.Zone == p.Zone
		}) {
			out = append(out, "decision "+p.Stream.Decision)
		}
	}
	return out
}
