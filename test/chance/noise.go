package chance

import (
	"math"
	"math/rand/v2"
)

// Noise is discrete Laplace noise, or Gaussian noise rounded to whole numbers.
type Noise struct {
	Gaussian bool
	Scale    float64 // b or sigma, in whole numbers
}

// Mass is P(noise = x), from the definition and not from a tail.
func (l Noise) Mass(x float64) float64 {
	if l.Gaussian {
		return upper((x-0.5)/l.Scale) - upper((x+0.5)/l.Scale)
	}
	a := math.Exp(-1 / l.Scale)
	return (1 - a) / (1 + a) * math.Pow(a, math.Abs(x))
}

// Near reports whether a mean of n values of |noise| is likely enough: Chernoff's
// bound, at the best of some points.
func (l Noise) Near(mean float64, n int) bool {
	best := 0.0
	for i := -200; i < 200; i++ {
		r := float64(i) / 200 / l.Scale
		best = max(best, r*mean-math.Log(l.moment(r)))
	}
	return float64(n)*best < surprise
}

// moment is E exp(r |noise|), for r below 1/scale.
func (l Noise) moment(r float64) float64 {
	b := l.Scale
	switch {
	case !l.Gaussian:
		return -math.Expm1(-1/b) / (1 + math.Exp(-1/b)) * (1 + 2*math.Exp(r-1/b)/-math.Expm1(r-1/b))
	case b > 1000: // where whole steps make no difference
		return 2 * math.Exp(r*r*b*b/2) * upper(-r*b)
	}
	sum := l.Mass(0)
	for x := 1.0; x < 15*b+2; x++ {
		sum += 2 * math.Exp(r*x) * l.Mass(x)
	}
	return sum
}

// Sample is another sampler, for comparison: of floating-point numbers, which will
// do for that.
func (l Noise) Sample(rnd *rand.Rand) float64 {
	if l.Gaussian {
		return math.Round(l.Scale * rnd.NormFloat64())
	}
	return math.Floor(l.Scale*rnd.ExpFloat64()) - math.Floor(l.Scale*rnd.ExpFloat64())
}

// Sigma is the least deviation of a Gaussian that is (epsilon, delta)-private for a
// sensitivity of 1, by halving.
// Source: Balle, Wang, "Improving the Gaussian Mechanism for Differential Privacy"
// (ICML 2018), theorem 8.
func Sigma(epsilon, delta float64) float64 {
	low, high := 1e-3, 1e12
	for high/low > 1.0001 {
		middle := math.Sqrt(low * high)
		if upper(epsilon*middle-1/middle/2)-math.Exp(epsilon)*upper(epsilon*middle+1/middle/2) > delta {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// upper is P(Z >= z) of the standard Gaussian.
func upper(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }
