package mechanism

import (
	"math"

	"sluice/plan"
)

// step is the probability with which a pair may be published that has exactly
// min_units units, so that the step from nothing gives nobody away: 1 - (1 -
// delta)^(1/C).
//
// Say that one unit lifts j of its C pairs from min_units - 1, where nothing is
// ever published, to min_units, where each is published with probability p. The
// other C - j pairs, and the numbers of the epoch, are compared under noise. With q = 1 - p, and d(e) for the
// least delta of that noise at epsilon e, the two directions hold at (epsilon,
// delta) if and only if
//
//	1 - q^j + q^j d(epsilon + j ln(1/q)) <= delta
//	d(epsilon - j ln(1/q)) <= delta
//
// For Laplace noise, of which the rest loses at most e = epsilon minus what j pairs
// would, the first d is 0, and the second at most 1 - q^j exp(epsilon - e), which is
// at most 1 - q^j:
// both hold for all j if 1 - q^C <= delta. For Gaussian noise d is exact, and safe
// computes both for each decision; where they did not hold, the noise would be
// Laplace.
// Source: Wilkins, Kifer, Zhang, Karrer, "Exact Privacy Analysis of the Gaussian
// Sparse Histogram Mechanism" (2022), with the step moved from one unit to
// min_units; for Laplace noise Wilson et al. (PETS 2020), section 3.5.
func (m *Mechanism) step() float64 {
	p := m.stream.Protect
	return -math.Expm1(math.Log1p(-p.Delta) / float64(p.MaxContributions))
}

// chance is the greatest probability with which a pair may be published that has exactly
// min_units units: step for Laplace noise. For Gaussian noise it is at most that, and where
// the numbers of the epoch lose a little beside pairs that are all at the step, a little
// less, found to a hundredth; 0 where that would not do.
func (m *Mechanism) chance() float64 {
	p := m.step()
	if !m.gaussian || m.safe(p) {
		return p
	}
	for least := p / 2; m.epochs && p > least; {
		if p *= 0.99; m.safe(p) {
			return p
		}
	}
	return 0
}

// safe reports whether pairs with min_units units may be published with
// probability p under Gaussian noise. Where the noisy number alone decides, or the
// register, there is no such step.
func (m *Mechanism) safe(p float64) bool {
	if m.Public() || m.stream.Protect.Floor == plan.Noisy {
		return true
	}
	pairs, delta := float64(m.stream.Protect.MaxContributions), m.stream.Protect.Delta
	whole, measures := m.muOfAll(), m.left()*m.left()
	nothing := -math.Log1p(-p) // ln(1/q)
	for j := 1.0; j <= pairs; j++ {
		mu := whole * math.Sqrt(1-measures*j/pairs)
		seen := -math.Expm1(-j * nothing)
		epsilon := m.stream.Protect.Epsilon
		if seen+(1-seen)*deltaOf(epsilon+j*nothing, mu) > delta || deltaOf(epsilon-j*nothing, mu) > delta {
			return false
		}
	}
	return true
}

// muOfAll is the sensitivity of everything that one unit does in an epoch over the
// noise, all measures and pairs together.
func (m *Mechanism) muOfAll() float64 {
	n := Noise{Gaussian: true, Bound: 1, Pairs: 1, Parts: 1, Epsilon: m.stream.Protect.Epsilon,
		Delta: m.stream.Protect.Delta}
	return 1 / n.Scale()
}
