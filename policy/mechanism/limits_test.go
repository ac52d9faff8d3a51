package mechanism

import (
	"math"
	"testing"
	"time"

	"sluice/plan"
	"sluice/test/stalls"
)

// TestEveryDecisionEnds: at the limits of what a decision may say, its protection is
// computed at once.
func TestEveryDecisionEnds(t *testing.T) {
	for _, epsilon := range []float64{1e-6, 1e-3, 1, 100} {
		for _, delta := range []float64{1e-300, 1e-30, 1e-17, 1e-9, 0.5, 1 - 1e-16} {
			for _, pairs := range []int64{1, 2, 10_000} {
				s := stream(t, func(s *plan.Stream) {
					s.Protect = plan.Protect{MinUnits: 1_000_000, Epsilon: epsilon, Delta: delta,
						MaxContributions: pairs}
				})
				var m *Mechanism
				var err error
				took := stalls.Took(func() { m, err = New(s) })
				if err != nil {
					t.Fatal(err)
				}
				if took > 2*time.Second { // it takes milliseconds
					t.Errorf("%+v takes %v", s.Protect, took)
				}
				p := m.chance()
				k := m.threshold - float64(s.Protect.MinUnits)
				if l := m.count.Law(); l.Tail(k) > p || k > 0 && k < 1<<53 && l.Tail(k-1) <= p || math.IsInf(k, 0) ||
					m.PublicFrom() < 1 {
					t.Errorf("%+v (%s, scale %v): the threshold is %v above min_units, whose tail is %v; one less, "+
						"%v; wanted at most %v", s.Protect, m.Name(), l.Scale, k, l.Tail(k), l.Tail(k-1), p)
				}
			}
		}
	}
	for _, p := range []plan.Protect{
		{MinUnits: 10, Epsilon: 9e-7, Delta: 1e-6, MaxContributions: 1},
		{MinUnits: 10, Epsilon: 101, Delta: 1e-6, MaxContributions: 1},
		{MinUnits: 10, Epsilon: 1, Delta: 1e-301, MaxContributions: 1},
		{MinUnits: 10, Epsilon: 1, Delta: 1, MaxContributions: 1},
	} {
		s := *stream(t, nil)
		s.Protect = p
		if err := s.Finish(); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}
