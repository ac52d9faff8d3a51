package mechanism

import (
	"math"
	"testing"

	"sluice/internal/civil"
	"sluice/plan"
)

// TestDays: what many days tell of one unit is never more than plain addition, grows
// with the days, holds for Gaussian noise by the exact sum of Gaussians, and for Laplace
// noise by the exact losses of that many draws.
func TestDays(t *testing.T) {
	for name, c := range map[string]struct {
		protect plan.Protect
		forget  string
		want    [3]float64 // of 7, 30 and 365 days, by hand
		delta   [3]float64 // in millionths: of plain addition, of an exact floor, or once for all
	}{
		"laplace": {plan.Protect{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 1}, "P1D",
			[3]float64{7, 30, 182.5 + 2*math.Sqrt(182.5*math.Log(1e6))}, [3]float64{7, 30, 366}},
		"gaussian": {plan.Protect{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 100}, "P1D",
			[3]float64{3.49, 7.65, 34.05}, [3]float64{8, 31, 366}},
		"four epochs a day": {plan.Protect{MinUnits: 10, Epsilon: 0.5, Delta: 1e-6, MaxContributions: 1,
			Floor: plan.Noisy}, "PT6H",
			[3]float64{14, 15 + 2*math.Sqrt(15*math.Log(1e6)), 182.5 + 2*math.Sqrt(182.5*math.Log(1e6))},
			[3]float64{28, 1, 1}},
	} {
		s := stream(t, func(s *plan.Stream) { s.Protect, s.Forget = c.protect, civil.MustPeriod(c.forget) })
		m, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		before := 0.0
		for i, days := range []int{7, 30, 365} {
			epsilon, delta := m.Days(days)
			epochs := float64(days) * 24 / s.Forget.Nominal().Hours()
			if math.Abs(epsilon/c.want[i]-1) > 0.005 || epsilon <= before || epsilon > epochs*c.protect.Epsilon {
				t.Errorf("%s: %d days tell epsilon %v; want %v", name, days, epsilon, c.want[i])
			}
			before = epsilon
			if math.Abs(delta-c.delta[i]*1e-6) > 1e-12 {
				t.Errorf("%s: %d days have a delta of %v; want %v millionths", name, days, delta, c.delta[i])
			}
			added := epsilon == epochs*c.protect.Epsilon
			if m.gaussian {
				if d := deltaOf(epsilon, m.muOfAll()*math.Sqrt(epochs)); d > c.protect.Delta {
					t.Errorf("%s: %d days together have a delta of %v at epsilon %v", name, days, d, epsilon)
				}
			} else if d := flips(int(epochs), c.protect.Epsilon, epsilon); !added && d > c.protect.Delta {
				t.Errorf("%s: %d days together have a delta of %v at epsilon %v", name, days, d, epsilon)
			}
		}
		if e, d := m.Days(1); s.Forget.Nominal().Hours() == 24 && (e != c.protect.Epsilon || d != c.protect.Delta) {
			t.Errorf("%s: one day tells epsilon %v and delta %v", name, e, d)
		}
	}
}

// flips is the delta, at an epsilon, of so many coins that are turned with the odds of e
// to 1, the worst that is private at e: randomised response.
func flips(n int, e, epsilon float64) float64 {
	p := math.Exp(e) / (1 + math.Exp(e))
	delta := 0.0
	for k := range n + 1 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		log := a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p)
		if loss := e * float64(2*k-n); loss > epsilon {
			delta += -math.Exp(log) * math.Expm1(epsilon-loss)
		}
	}
	return delta
}
