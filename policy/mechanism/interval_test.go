package mechanism

import (
	"math"
	"testing"

	"sluice/plan"
	"sluice/test/chance"
	"sluice/test/footfall"
)

// TestIntervalOfWhatIsShown computes, by adding masses up, how often the interval of a
// number that is shown holds what was counted: in at least 95 of 100, of every number
// that is shown in at least one of a hundred windows, and far above the threshold as
// often, and as narrowly, as without that condition.
func TestIntervalOfWhatIsShown(t *testing.T) {
	names := make(map[string]int)
	worse := 0
	for _, p := range footfall.Conditional {
		m, err := New(stream(t, func(s *plan.Stream) { s.Protect = p }))
		if err != nil {
			t.Fatal(err)
		}
		names[m.Name()]++
		l := m.count.Law()
		far, half := math.Ceil(50*l.Scale)+20, l.HalfWidth(Confidence)
		type ends struct{ low, high float64 }
		of := make(map[float64]ends)
		for v := m.threshold; v < m.threshold+3*far; v++ {
			low, high := l.Interval(v, m.threshold)
			of[v] = ends{low, high}
			if low > v || v > high || high > v+half {
				t.Fatalf("%+v: %v has the interval %v to %v", p, v, low, high)
			}
			if v > m.threshold+far && (low != v-half || high != v+half) {
				t.Fatalf("%+v: %v, far above the threshold, has the interval %v to %v, and half is %v", p, v, low, high,
					half)
			}
		}
		for n := max(0, m.threshold-far); n < m.threshold+far; n++ {
			shown, inside, plain := 0.0, 0.0, 0.0
			for v := m.threshold; v < m.threshold+3*far; v++ {
				mass := chance.Noise(l).Mass(v - n)
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
				t.Errorf("%+v (%s): of %v units, shown in %.4f, the interval holds %.4f", p, m.Name(), n, shown,
					inside/shown)
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
