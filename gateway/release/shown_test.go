package release

import (
	"fmt"
	"math"
	"testing"

	"sluice/policy/plan"
	"sluice/store"
)

// conditional are decisions of both noises and floors.
var conditional = []plan.Protect{
	{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 2}, {MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 4},
	{MinUnits: 3, Epsilon: 1, Delta: 0.01, MaxContributions: 1}, {MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 4, Floor: plan.Noisy},
	{MinUnits: 6, Epsilon: 1, Delta: 0.01, MaxContributions: 24, Floor: plan.Noisy}, {MinUnits: 5, Epsilon: 6, Delta: 1e-6, MaxContributions: 1},
	{MinUnits: 1, Epsilon: 0.2, Delta: 0.5, MaxContributions: 2, Floor: plan.Noisy},
}

// TestIntervalOfWhatIsShown computes, by adding masses up, how often the interval of a
// number that is shown holds what was counted: in at least 95 of 100, of every number
// that is shown in at least one of a hundred windows, and far above the threshold as
// often, and as narrowly, as without that condition.
func TestIntervalOfWhatIsShown(t *testing.T) {
	names := make(map[string]int)
	worse := 0
	for _, p := range conditional {
		m, err := NewMechanism(stream(t, func(s *plan.Stream) { s.Protect = p }))
		if err != nil {
			t.Fatal(err)
		}
		names[m.Name()]++
		l := m.count.law()
		far, half := math.Ceil(50*l.scale)+20, l.halfWidth(confidence)
		type ends struct{ low, high float64 }
		of := make(map[float64]ends)
		for v := m.threshold; v < m.threshold+3*far; v++ {
			low, high := l.interval(v, m.threshold)
			of[v] = ends{low, high}
			if low > v || v > high || high > v+half {
				t.Fatalf("%+v: %v has the interval %v to %v", p, v, low, high)
			}
			if v > m.threshold+far && (low != v-half || high != v+half) {
				t.Fatalf("%+v: %v, far above the threshold, has the interval %v to %v, and half is %v", p, v, low, high, half)
			}
		}
		for n := max(0, m.threshold-far); n < m.threshold+far; n++ {
			shown, inside, plain := 0.0, 0.0, 0.0
			for v := m.threshold; v < m.threshold+3*far; v++ {
				mass := l.mass(v - n)
				shown += mass
				if e := of[v]; e.low <= n && n <= e.high {
					inside += mass
				}
				if math.Abs(v-n) <= half {
					plain += mass
				}
			}
			if shown < rare {
				continue
			}
			if inside < 0.95*shown-1e-6 {
				t.Errorf("%+v (%s): of %v units, shown in %.4f, the interval holds %.4f", p, m.Name(), n, shown, inside/shown)
			}
			if plain < 0.95*shown {
				worse++
			}
		}
	}
	if worse == 0 || names["laplace"] == 0 || names["gaussian"] == 0 {
		t.Errorf("noises %v; plus or minus half would do in all but %d cases", names, worse)
	}
}

// TestCoverageOfWhatIsShown is the same over the path that every number goes, from
// min_units to public_from. A right mechanism fails with a probability below 4 10^-11
// for each number of units, of which there are some hundred: see surprise.
func TestCoverageOfWhatIsShown(t *testing.T) {
	const draws = 2_000
	for _, p := range conditional {
		s := stream(t, func(s *plan.Stream) { s.Protect = p })
		m, err := MechanismBy(s, steered)
		if err != nil {
			t.Fatal(err)
		}
		for n := p.MinUnits; n <= m.PublicFrom(); n += max(1, (m.PublicFrom()-p.MinUnits)/12) {
			if chance(m, float64(n)) < rare {
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
			if shown > 0 && !often(inside, shown, confidence) {
				t.Errorf("%s: of %d units %d are shown, and of these %d intervals hold it", fmt.Sprintf("%+v", p), n, shown, inside)
			}
		}
	}
}
