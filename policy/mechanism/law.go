package mechanism

import "math"

// Law is the distribution of noise on whole numbers: discrete Laplace, or a Gaussian
// rounded to whole numbers. All of it is in the steps of what the noise is added to.
type Law struct {
	Gaussian bool
	Scale    float64 // b of the Laplace distribution or sigma of the Gaussian
}

// Tail is P(noise >= t) for a whole t of at least 0.
func (l Law) Tail(t float64) float64 {
	if l.Gaussian {
		return upper((t - 0.5) / l.Scale) // a Gaussian rounded to whole steps
	}
	return math.Exp(-t/l.Scale) / (1 + math.Exp(-1/l.Scale))
}

// Beyond is the least whole t >= 0 with P(noise >= t) <= p, found by halving.
func (l Law) Beyond(p float64) float64 {
	if l.Tail(0) <= p {
		return 0
	}
	low, high := 0.0, 1.0
	for l.Tail(high) > p {
		low, high = high, 2*high
	}
	for high-low > 1 {
		middle := math.Floor((low + high) / 2)
		if middle <= low || middle >= high {
			break // no whole number lies between that a float64 can hold
		}
		if l.Tail(middle) > p {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// HalfWidth is the least whole k with P(|noise| <= k) >= p.
func (l Law) HalfWidth(p float64) float64 { return max(0, l.Beyond((1-p)/2)-1) }

// Deviation is the standard deviation of the noise, in steps.
func (l Law) Deviation() float64 {
	if l.Gaussian {
		return math.Hypot(l.Scale, math.Sqrt(1.0/12))
	}
	return math.Sqrt2 / 2 / math.Sinh(1/(2*l.Scale))
}

// upper is P(Z >= z) of the standard Gaussian.
func upper(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// deltaOf is the least delta at which a Gaussian mechanism with mu = sensitivity
// / sigma is (epsilon, delta)-private; epsilon may be negative.
// Source: Balle, Wang (2018), theorem 8.
func deltaOf(epsilon, mu float64) float64 {
	if mu <= 0 {
		return max(0, -math.Expm1(epsilon))
	}
	return max(0, upper(epsilon/mu-mu/2)-math.Exp(epsilon)*upper(epsilon/mu+mu/2))
}

// Quantile is the whole number of steps at which the noise's distribution reaches u, above 0 and
// below 1: of an even u, a draw of this law. It serves pictures and tests; what is released is
// drawn by gateway/release.
func (l Law) Quantile(u float64) int64 {
	if u = 1 - u; u <= l.Tail(0) { // P(noise >= t) falls from Tail(0) on
		return int64(l.Beyond(u)) - 1
	}
	return 1 - int64(l.Beyond(1-u))
}
