package mechanism

import (
	"math"
	"time"

	"sluice/plan"
)

// Days bounds the privacy loss of a unit that is present on each of so many days, over all that is
// released of them: epsilon and delta, per unit.
//
// It is the smaller of two: plain addition over the epochs, or composition in
// zero-concentrated differential privacy. Of one epoch rho is epsilon^2 / 2 for Laplace
// noise (Bun, Steinke, "Concentrated Differential Privacy", TCC 2016, proposition 1.4),
// and mu^2 / 2 for Gaussian noise (proposition 1.6); it adds up (lemma 1.7) and gives, at
// the decision's delta, epsilon = rho + 2 sqrt(rho ln(1/delta)) (proposition 1.3). An
// exact floor shows a pair at the step, in each epoch with a probability of at most
// delta, and is as good but for that (approximate zCDP: definition 8.1, lemma 8.2), so
// that a delta of every epoch comes on top.
func (m *Mechanism) Days(days int) (epsilon, delta float64) {
	p := m.stream.Protect
	if m.stream.Unit.None() {
		return 0, 0
	}
	n := float64(days) * math.Ceil(float64(24*time.Hour)/float64(m.stream.Forget.Nominal()))
	rho := p.Epsilon * p.Epsilon / 2
	if m.gaussian {
		rho = m.muOfAll() * m.muOfAll() / 2
	}
	composed := n*rho + 2*math.Sqrt(n*rho*-math.Log(p.Delta))
	if added := n * p.Epsilon; added <= composed {
		return added, min(1, n*p.Delta)
	}
	if m.steps() {
		return composed, min(1, (n+1)*p.Delta)
	}
	return composed, p.Delta
}

// steps reports whether a pair may begin to be shown as its exact number of units grows.
func (m *Mechanism) steps() bool { return !m.Public() && m.stream.Protect.Floor != plan.Noisy }
