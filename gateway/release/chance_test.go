package release

import (
	"math"
	"math/rand/v2"
	"slices"
)

// surprise is how many nats of evidence against a right mechanism make a test fail:
// each question of this file is answered wrongly with a probability of at most 4
// e^-25.3 = 4.2 10^-11. The tests of this package ask less than 5,000 of them, so
// that one run in five million fails although nothing is wrong.
const surprise = 25.3

// fits reports whether k of n is likely enough for a probability p.
// Source: Hoeffding, J. Amer. Statist. Assoc. 58 (1963), theorem 1.
func fits(k, n int, p float64) bool {
	q, sum := float64(k)/float64(n), 0.0
	if q > 0 {
		sum += q * math.Log(q/p)
	}
	if q < 1 {
		sum += (1 - q) * math.Log((1-q)/(1-p))
	}
	return float64(n)*sum < surprise
}

// often reports whether k of n is likely enough for a probability of at least p.
func often(k, n int, p float64) bool { return float64(k) >= p*float64(n) || fits(k, n, p) }

// near reports whether a mean of n values of |noise| is likely enough: Chernoff's
// bound, at the best of some points.
func (l law) near(mean float64, n int) bool {
	best := 0.0
	for i := -200; i < 200; i++ {
		r := float64(i) / 200 / l.scale
		best = max(best, r*mean-math.Log(l.moment(r)))
	}
	return float64(n)*best < surprise
}

// moment is E exp(r |noise|), for r below 1/scale.
func (l law) moment(r float64) float64 {
	b := l.scale
	switch {
	case !l.gaussian:
		return -math.Expm1(-1/b) / (1 + math.Exp(-1/b)) * (1 + 2*math.Exp(r-1/b)/-math.Expm1(r-1/b))
	case b > 1000: // where whole steps make no difference
		return 2 * math.Exp(r*r*b*b/2) * upper(-r*b)
	}
	sum := l.mass(0)
	for x := 1.0; x < 15*b+2; x++ {
		sum += 2 * math.Exp(r*x) * l.mass(x)
	}
	return sum
}

// sample is another sampler, for comparison: of floating-point numbers, which will
// do for that.
func (l law) sample(rnd *rand.Rand) float64 {
	if l.gaussian {
		return math.Round(l.scale * rnd.NormFloat64())
	}
	return math.Floor(l.scale*rnd.ExpFloat64()) - math.Floor(l.scale*rnd.ExpFloat64())
}

// alike reports whether two samples are likely enough to be of one distribution,
// whatever it is.
// Source: Massart, "The tight constant in the Dvoretzky-Kiefer-Wolfowitz
// inequality", Ann. Probab. 18 (1990), for each of the two.
func alike(a, b []float64) bool {
	slices.Sort(a)
	slices.Sort(b)
	n, m := float64(len(a)), float64(len(b))
	most, j := 0.0, 0
	for i, v := range a {
		if i+1 < len(a) && a[i+1] == v {
			continue
		}
		for j < len(b) && b[j] < v {
			j++
		}
		first, _ := slices.BinarySearch(a, v)
		most = max(most, math.Abs(float64(first)/n-float64(j)/m)) // below v
		for j < len(b) && b[j] == v {
			j++
		}
		most = max(most, math.Abs(float64(i+1)/n-float64(j)/m)) // up to v
	}
	return most < math.Sqrt(surprise/2/n)+math.Sqrt(surprise/2/m)
}
