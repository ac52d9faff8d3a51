package mechanism

import (
	"math"
	"testing"

	"sluice/plan"
)

// TestSharesAddUp: all that one unit can move in an epoch, over the noise that it
// moves in, is what the decision pays, whatever its measures are.
func TestSharesAddUp(t *testing.T) {
	every := []plan.Measure{
		{Name: "units", Of: plan.Distinct}, {Name: "n", Of: plan.Count, Bounded: true, High: 4},
		{Name: "sum", Of: plan.Sum, Field: "x", Bounded: true, Low: -3, High: 1},
		{Name: "mean", Of: plan.Mean, Field: "x", Bounded: true, Low: 0, High: 9},
		{Name: "classes", Of: plan.Histogram, Field: "x", Edges: []float64{0, 1, 2}},
		{Name: "median", Of: plan.Quantile, Field: "x", Q: 0.5, Bounded: true, Low: 0, High: 9},
	}
	for subset := 1; subset < 1<<len(every); subset++ {
		for _, pairs := range []int64{1, 50} { // Laplace and Gaussian
			s := stream(t, func(s *plan.Stream) {
				s.Measures, s.Protect.MaxContributions = nil, pairs
				for i, m := range every {
					if subset&(1<<i) != 0 {
						s.Measures = append(s.Measures, m)
					}
				}
			})
			m, err := New(s)
			if err != nil {
				t.Fatal(err)
			}
			spent := 0.0
			pay := func(c Noise) {
				if c.Gaussian {
					spent += float64(pairs) * math.Pow(float64(c.Bound)/c.Scale(), 2)
				} else {
					spent += float64(pairs) * float64(c.Bound) / c.Scale()
				}
			}
			if !m.hasDistinct() {
				pay(m.count)
			}
			for range 2 { // the numbers of the epoch, in which a unit is once
				x := m.Epoch()
				if x.Gaussian {
					spent += math.Pow(1/x.Scale(), 2)
				} else {
					spent += 1 / x.Scale()
				}
			}
			for _, x := range s.Measures {
				c := m.noise(x)
				pay(c)
				if x.Of == plan.Mean {
					c.Bound = 1
					pay(c) // its number
				}
			}
			budget := s.Protect.Epsilon
			if m.gaussian {
				budget = m.muOfAll() * m.muOfAll()
			}
			if math.Abs(spent/budget-1) > 0.003 {
				t.Errorf("%s, measures %b: %v is spent of %v", m.Name(), subset, spent, budget)
			}
		}
	}
}
