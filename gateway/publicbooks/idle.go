package publicbooks

import (
	"slices"

	"sluice/books"
	"sluice/gateway/activation"
	"sluice/plan"
	"sluice/policy/compile"
	"sluice/policy/decision"
	"sluice/register"
)

// idler is a decision that is not in force. What it would keep of a sensor is said, with
// its state, so that nobody reads that nothing was ever decided.
type idler struct {
	state  string
	to     decision.AppliesTo
	stream *plan.Stream
	// ruled says that the rules were asked which sensors it is about.
	ruled bool
}

// idlers are the decisions that are not in force, as the books say: suspended ones
// first, then coming ones, then past ones. A past one that the policy does not have any
// more is read from its own words; what cannot be read today is left out.
func idlers(list []books.Decision, set *compile.Set, coming *activation.Announced) (out []idler) {
	for _, d := range list {
		if d.State == books.InForce {
			continue
		}
		x := idler{state: d.State, ruled: len(set.Broken[d.ID]) == 0}
		if own := set.Decision(d.ID); own != nil {
			x.to, x.stream = own.AppliesTo, own.Stream
		} else if coming != nil && coming.Set.Decision(d.ID) != nil {
			next := coming.Set.Decision(d.ID)
			x.to, x.stream, x.ruled = next.AppliesTo, next.Stream, false
		} else {
			doc, err := decision.Parse(d.ID, []byte(d.YAML))
			if err != nil {
				continue
			}
			if x.stream, err = doc.Plan(set.Location, set.Kinds); err != nil {
				continue
			}
			x.to, x.ruled = doc.AppliesTo, false
		}
		out = append(out, x)
	}
	order := []string{books.Suspended, books.Coming, books.Past}
	slices.SortStableFunc(out, func(a, b idler) int {
		return slices.Index(order, a.state) - slices.Index(order, b.state)
	})
	return out
}

// split tells the plans of a sensor that are in force from decisions that are about it
// and are not.
func (l *listing) split(
	s *register.Sensor, zone string, plans []plan.Plan, reasons []compile.Reason,
) (flowing []plan.Plan, idle []idler) {
	if len(l.idle) == 0 {
		return plans, nil
	}
	asked := make(map[string]bool)
	for _, p := range plans {
		asked[p.Stream.Decision] = true
	}
	for _, r := range reasons {
		if r.Rule == "S01" {
			asked[r.Decision] = true
		}
	}
	still := make(map[string]bool)
	for _, x := range l.idle {
		still[x.stream.Decision] = true
		about := asked[x.stream.Decision]
		if !x.ruled {
			about = slices.Contains(x.to.Kinds, s.Kind) && slices.Contains(x.to.Zones, zone)
		}
		if about {
			idle = append(idle, x)
		}
	}
	for _, p := range plans {
		if !still[p.Stream.Decision] {
			flowing = append(flowing, p)
		}
	}
	return flowing, idle
}
