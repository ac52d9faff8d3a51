package release

import (
	"math"
	"testing"

	"sluice/plan"
	"sluice/policy/mechanism"
)

// TestEveryDecisionIsDrawn: what is computed at the limits of what a decision may say can
// be drawn.
func TestEveryDecisionIsDrawn(t *testing.T) {
	for _, epsilon := range []float64{1e-6, 1e-3, 1, 100} {
		for _, delta := range []float64{1e-300, 1e-30, 1e-17, 1e-9, 0.5, 1 - 1e-16} {
			for _, pairs := range []int64{1, 2, 10_000} {
				s := stream(t, func(s *plan.Stream) {
					s.Protect = plan.Protect{MinUnits: 1_000_000, Epsilon: epsilon, Delta: delta,
						MaxContributions: pairs}
				})
				m, err := mechanism.New(s)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := newRandom().draw(m.Units(), 0); err != nil {
					t.Errorf("%+v: %v", s.Protect, err)
				}
			}
		}
	}
}

// TestGreatestScale: just below the greatest scale numbers are drawn and fit, just
// above it the decision is refused, for every measure that can reach it.
func TestGreatestScale(t *testing.T) {
	for _, x := range []plan.Measure{
		{Name: "sum", Of: plan.Sum, Field: "x", Bounded: true, Low: -1e6, High: 0},
		{Name: "mean", Of: plan.Mean, Field: "x", Bounded: true, Low: 0, High: 1e6},
		{Name: "n", Of: plan.Count, Bounded: true, High: 1e6},
	} {
		s := stream(t, func(s *plan.Stream) {
			s.Measures, s.Protect.Delta, s.Protect.MaxContributions = []plan.Measure{x}, 1e-300, 10_000
		})
		low, high := 1e-9, 1e9
		for high/low > 1.0001 {
			if s.Protect.Epsilon = math.Sqrt(low * high); refused(s) {
				low = s.Protect.Epsilon
			} else {
				high = s.Protect.Epsilon
			}
		}
		s.Protect.Epsilon = high
		m, err := mechanism.New(s)
		if err != nil {
			t.Fatal(err)
		}
		l := m.Measure(0).Law
		if r := l.Scale / mechanism.MaxScale; !(r > 0.99 && r <= 1) {
			t.Errorf("%s: the greatest scale is %v", x.Name, l.Scale)
		}
		from := newRandom()
		for range 1000 {
			if v, err := from.draw(m.Measure(0).Noise, 0); err != nil || math.Abs(float64(v)) > 60*l.Scale {
				t.Fatalf("%s: %v, %v at a scale of %v", x.Name, v, err, l.Scale)
			}
		}
	}
}

func refused(s *plan.Stream) bool {
	_, err := mechanism.New(s)
	return err != nil
}
