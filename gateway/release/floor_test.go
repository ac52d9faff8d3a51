package release

import (
	"fmt"
	"slices"
	"testing"

	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
	"sluice/test/chance"
)

// TestNoisyFloor: with a noisy floor the noisy number of units decides, and nothing else:
// with any number of units, nobody too, a number is shown as often as noise lifts it to
// min_units. It says so.
func TestNoisyFloor(t *testing.T) {
	for _, protect := range []plan.Protect{
		{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 4},
		{MinUnits: 6, Epsilon: 1, Delta: 0.01, MaxContributions: 24},
	} {
		protect.Floor = plan.Noisy
		s := stream(t, func(s *plan.Stream) { s.Protect = protect })
		m, err := mechanism.By(s, steered)
		if err != nil {
			t.Fatal(err)
		}
		from := float64(m.PublicFrom())
		if p := appears(m, from); p < 0.99 || appears(m, from-1) >= 0.99 {
			t.Errorf("%s: from %v units on %v are shown", m.Name(), from, p)
		}
		const draws = 4_000
		for _, n := range []int64{0, 1, protect.MinUnits - 1, protect.MinUnits, protect.MinUnits + 5} {
			shown := 0
			for _, o := range many(t, s, draws, counted(s, n))["devices"] {
				if o.Threshold != float64(protect.MinUnits) {
					t.Fatalf("the threshold is said to be %v", o.Threshold)
				}
				if o.Status == store.Published {
					if shown++; *o.Value < o.Threshold {
						t.Fatalf("%v is shown", *o.Value)
					}
				} else if o.Status != store.Withheld || o.Reason != "few" {
					t.Fatalf("%d units: %s, %s", n, o.Status, o.Reason)
				}
			}
			if p := appears(m, float64(n)); !chance.Fits(shown, draws, p) {
				t.Errorf("%s, %d units: %d of %d are shown; the probability is %v", m.Name(), n, shown, draws, p)
			}
		}
	}
}

// appears is P(n + noise >= threshold).
func appears(m *mechanism.Mechanism, n float64) float64 {
	sum, l := 0.0, m.Units().Law()
	for x := m.Threshold() - n; x < m.Threshold()-n+80*l.Scale+80; x++ {
		sum += chance.Noise(l).Mass(x)
	}
	return sum
}

// TestPublicMembership: where it is public which homes take part, the register decides
// what is shown, whatever they sent; all of epsilon is for the measures, and the noise of
// a sum is half.
func TestPublicMembership(t *testing.T) {
	sum := plan.Measure{Name: "s", Of: plan.Sum, Field: "x", Bounded: true, Low: 0, High: 5}
	mean := plan.Measure{Name: "m", Of: plan.Mean, Field: "x", Bounded: true, Low: 0, High: 9}
	homes := func(membership plan.Membership, list ...plan.Measure) *plan.Stream {
		return stream(t, func(s *plan.Stream) {
			s.Unit, s.Measures = plan.Unit{Sensor: true, StandsFor: "home"}, list
			s.Protect = plan.Protect{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 1, Membership: membership}
		})
	}
	for name, c := range map[string]struct {
		s    *plan.Stream
		want []float64
	}{
		"sum":          {homes(plan.Public, sum), []float64{5e6}},
		"mean":         {homes(plan.Public, mean), []float64{4.5e6 * 2, 2}},
		"sum and mean": {homes(plan.Public, sum, mean), []float64{5e6 * 2, 4.5e6 * 4, 4}},
	} {
		m, err := mechanism.New(c.s)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, threshold := m.Parameters(c.s.Measures[0]); threshold != 0 || m.PublicFrom() != 10 {
			t.Errorf("%s: threshold %v, public from %d", name, threshold, m.PublicFrom())
		}
		for _, units := range []int64{0, 3, 9, 10, 500} {
			for _, add := range []int64{-1e9, 0, 1e9} {
				for registered, want := range map[int64]store.Status{0: store.Withheld, 9: store.Withheld,
					10: store.Published, 500: store.Published} {
					r := &recorder{add: add}
					sums := counted(c.s, units)
					sums.Registered = registered
					shown := publishWith(t, c.s, r, sums)
					if (len(shown) > 0) != (want == store.Published) {
						t.Errorf("%s: %d of %d registered homes sent something: %v; want %s", name, units, registered,
							shown, want)
					}
					if !same(r.scales, slices.Clone(c.want)) {
						t.Fatalf("%s: drawn are scales %v; want %v", name, r.scales, c.want)
					}
				}
			}
		}
		dead := counted(c.s, 50)
		dead.Alive, dead.Registered = false, 50
		if got := publish(t, c.s, &memory{}, rules{}, dead)[0]; got.Status != store.NoData {
			t.Errorf("%s: nothing was measured, and it is %s", name, got.Status)
		}
	}
	before, after := fmt.Sprint(homes("", sum).Digest), homes(plan.Public, sum)
	if before == after.Digest {
		t.Error("membership does not change the plan's digest")
	}
	a, err := mechanism.New(homes("", sum))
	if err != nil {
		t.Fatal(err)
	}
	b, err := mechanism.New(after)
	if err != nil {
		t.Fatal(err)
	}
	if x, y := a.TypicalError(sum), b.TypicalError(sum); y > 0.51*x {
		t.Errorf("the typical error is %v; with public membership %v", x, y)
	}
}
