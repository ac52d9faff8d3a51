package main

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// lower and upper are one-sided Clopper-Pearson bounds on a probability of which x
// of n were seen, each wrong with at most alpha.
// Source: Clopper, Pearson, Biometrika 26 (1934).
func lower(x, n int, alpha float64) float64 {
	switch x {
	case 0:
		return 0
	case n:
		return math.Pow(alpha, 1/float64(n))
	}
	// The p of which x or more are seen with alpha, by halving: distuv's own quantile finds
	// none for a small alpha near either end, and says about 1 for 0 of 1000.
	low, high, b := 0.0, float64(x)/float64(n), distuv.Beta{Alpha: float64(x), Beta: float64(n - x + 1)}
	for range 100 {
		if p := (low + high) / 2; b.CDF(p) < alpha {
			low = p
		} else {
			high = p
		}
	}
	return low
}

func upper(x, n int, alpha float64) float64 { return 1 - lower(n-x, n, alpha) }

// likely reports whether x of n fit a probability p: it fails with at most alpha
// where p is right.
func likely(x, n int, p, alpha float64) bool {
	return lower(x, n, alpha/2) <= p && p <= upper(x, n, alpha/2)
}

// leastEpsilon is a lower bound on epsilon from samples of a statistic in two
// worlds: of the events "at least t" and "at most t", in both directions, the one
// that shows most, corrected for how many are looked at in so many comparisons.
// Withheld is -Inf.
func leastEpsilon(a, b []float64, events []float64, comparisons int) float64 {
	return leastEpsilonAt(delta, a, b, events, comparisons)
}

// leastEpsilonAt is the same where another delta is promised.
func leastEpsilonAt(delta float64, a, b []float64, events []float64, comparisons int) float64 {
	each := alpha / float64(8*len(events)*comparisons) // two bounds, two sorts of events, two directions
	best := 0.0
	for _, t := range events {
		above, below := func(v float64) bool { return v >= t }, func(v float64) bool { return v <= t }
		for _, at := range []func(float64) bool{above, below} {
			x, y := count(a, at), count(b, at)
			best = max(best, evidence(x, len(a), y, len(b), delta, each), evidence(y, len(b), x, len(a), delta, each))
		}
	}
	return best
}

func evidence(x, n, y, m int, delta, each float64) float64 {
	p, q := lower(x, n, each)-delta, upper(y, m, each)
	if p <= 0 {
		return 0
	}
	return math.Log(p / q)
}

func count(list []float64, at func(float64) bool) (n int) {
	for _, v := range list {
		if at(v) {
			n++
		}
	}
	return n
}

// tail is P(noise >= t) for a whole t, of the mechanism as it is published.
func tail(mechanism string, scale, t float64) float64 {
	if mechanism == "gaussian" {
		return math.Erfc((t-0.5)/scale/math.Sqrt2) / 2
	}
	a := math.Exp(-1 / scale) // whose powers would be wrong for scales of 10^12
	if t > 0 {
		return math.Exp(-t/scale) / (1 + a)
	}
	return 1 - math.Exp((t-1)/scale)/(1+a)
}

// rival is one of the two mechanisms for the number of units alone, by nothing but
// what is promised.
type rival struct {
	name                   string
	deviation, half        float64
	threshold, publishFrom float64
}

// epochPaid is how much larger the measures' noise is for the two numbers of every
// epoch, each of which has a fiftieth of the budget.
const epochPaid = 25.0 / 24

// best is the better of discrete Laplace and analytic Gaussian noise for a unit that
// adds one to each of so many pairs: that with which a number is published from fewer
// units on, and where that is the same or one apart, that with the narrower interval.
func best(pairs float64) rival {
	low, high := 1e-3, 1e3
	for high/low > 1.0001 {
		// Balle, Wang (2018), theorem 8, with sensitivity 1.
		s := math.Sqrt(low * high)
		phi := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
		if phi(1/(2*s)-epsilon*s)-math.Exp(epsilon)*phi(-1/(2*s)-epsilon*s) > delta {
			low = s
		} else {
			high = s
		}
	}
	// The numbers of the epoch have a twenty-fifth of it all.
	b, sigma := epochPaid*pairs/epsilon, high*math.Sqrt(epochPaid*pairs)
	a := math.Exp(-1 / b)
	laplace := rivalOf("laplace", b, math.Sqrt(2*a)/(1-a), pairs)
	gaussian := rivalOf("gaussian", sigma, math.Hypot(sigma, math.Sqrt(1.0/12)), pairs)
	switch d := laplace.publishFrom - gaussian.publishFrom; {
	case d < -1, math.Abs(d) <= 1 && laplace.half < gaussian.half:
		return laplace
	}
	return gaussian
}

func rivalOf(name string, scale, deviation, pairs float64) rival {
	r := rival{name: name, deviation: deviation, threshold: minUnits}
	step := 1 - math.Pow(1-delta, 1/pairs)
	for tail(name, scale, r.threshold-minUnits) > step {
		r.threshold++
	}
	for r.publishFrom = minUnits; tail(name, scale, r.threshold-r.publishFrom) < 0.99; r.publishFrom++ {
	}
	for 1-2*tail(name, scale, r.half+1) < 0.95 {
		r.half++
	}
	return r
}
