package release

import (
	"fmt"
	"testing"

	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
	"sluice/test/chance"
	"sluice/test/footfall"
)

// TestCoverageOfWhatIsShown is the same over the path that every number goes, from
// min_units to public_from. A right mechanism fails with a probability below 4 10^-11
// for each number of units, of which there are some hundred: see surprise.
func TestCoverageOfWhatIsShown(t *testing.T) {
	const draws = 2_000
	for _, p := range footfall.Conditional {
		s := stream(t, func(s *plan.Stream) { s.Protect = p })
		m, err := mechanism.By(s, steered)
		if err != nil {
			t.Fatal(err)
		}
		for n := p.MinUnits; n <= m.PublicFrom(); n += max(1, (m.PublicFrom()-p.MinUnits)/12) {
			if appears(m, float64(n)) < 0.01 { // of which nothing is promised
				continue
			}
			shown, inside := 0, 0
			for _, o := range many(t, s, draws, counted(s, n))["devices"] {
				if o.Status != store.Published {
					continue
				}
				shown++
				if *o.Low <= float64(n) && float64(n) <= *o.High {
					inside++
				}
			}
			if shown > 0 && !chance.Often(inside, shown, mechanism.Confidence) {
				t.Errorf("%s: of %d units %d are shown, and of these %d intervals hold it", fmt.Sprintf("%+v", p), n,
					shown, inside)
			}
		}
	}
}
