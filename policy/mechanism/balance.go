package mechanism

import "math"

// bounds are, for each inner edge of n classes, the deviation of a quantile's balance
// (see quantile) that its noise exceeds, upwards, with at most 2.5 %: at the upper
// edge of the k-th class, of k classes' noise weighed 1-q and n-k classes' weighed q.
//
// It is computed from the distributions of sums of so many draws. From a scale of
// fine steps on these differ from those at that scale by their unit only, to a part
// in 1,500: a five-hundredth is added, and the step by which whole numbers may miss.
func bounds(l Law, q float64, n int) []float64 {
	const (
		beyond = (1 - Confidence) / 2
		fine   = 8
	)
	grow, step := 1.0, 0.0
	if l.Scale > fine {
		grow, step, l.Scale = 1.002*l.Scale/fine, max(q, 1-q), fine
	}
	out, sums := make([]float64, n-1), l.sums(n)
	for i := range out {
		below, above := sums[i+1], sums[n-i-1]
		low, high := 0.0, float64(len(below)/2)
		for high-low > 1e-7*high {
			if middle := (low + high) / 2; outweighs(below, above, q, middle) > beyond {
				low = middle
			} else {
				high = middle
			}
		}
		out[i] = grow*high + step
	}
	return out
}

// sum is the distribution of a sum of draws: at i it is P(sum <= i - len/2).
type sum []float64

// sums are the distributions of sums of 0 to n draws, each the one before with one
// more draw. What is cut off at the ends has a probability below 10^-12, for n up to
// 32 (Chernoff's bound, for Laplace at half the greatest exponent).
func (l Law) sums(n int) []sum {
	half := int(math.Ceil(80*l.Scale)) + 1
	if l.Gaussian {
		half = int(math.Ceil(9*math.Sqrt(float64(n))*(l.Scale+0.5))) + 1
	}
	mass := make([]float64, 2*half+1)
	mass[half] = 1
	out := make([]sum, n+1)
	for k := range out {
		cumulated, total := make(sum, len(mass)), 0.0
		for i, p := range mass {
			total += p
			cumulated[i] = total
		}
		out[k] = cumulated
		mass = l.fold(mass)
	}
	return out
}

// fold convolves masses with one draw.
func (l Law) fold(mass []float64) []float64 {
	out := make([]float64, len(mass))
	if l.Gaussian {
		for x := -int(9*l.Scale) - 1; x <= int(9*l.Scale)+1; x++ {
			p := upper((float64(x)-0.5)/l.Scale) - upper((float64(x)+0.5)/l.Scale)
			for i := max(0, -x); i < min(len(mass), len(mass)-x); i++ {
				out[i+x] += p * mass[i]
			}
		}
		return out
	}
	// With the geometric distribution in both directions.
	a, carry := math.Exp(-1/l.Scale), 0.0
	for i, p := range mass {
		carry = a*carry + (1-a)*p
		out[i] = carry
	}
	carry = 0
	for i := len(out) - 1; i >= 0; i-- {
		carry = a*carry + (1-a)*out[i]
		out[i] = carry
	}
	return out
}

// outweighs is P((1-q) below - q above >= w).
func outweighs(below, above sum, q, w float64) float64 {
	half := len(below) / 2
	p, before := 0.0, 0.0
	for i, upTo := range below {
		// A little more, so that rounding leaves out nothing that is on the border.
		most := math.Floor(((1-q)*float64(i-half)-w)/q + 1e-6)
		if most >= float64(-half) {
			p += (upTo - before) * above[min(2*half, half+int(min(most, float64(half))))]
		}
		before = upTo
	}
	return p
}
