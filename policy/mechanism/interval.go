package mechanism

import "math"

// rare is the chance below which nothing is promised of the interval of a number of
// units: of true numbers that are shown more seldom than that, a number that is shown
// says next to nothing but that its noise was great.
const rare = 0.01

// Interval of a number of units v that is shown, which decided itself that it is: near
// the threshold only those with upward noise are, and v plus or minus half holds what
// was counted in fewer than 95 of 100 of them. Of every n that is shown with a chance of
// at least rare, the interval holds n in at least 95 of 100 windows in which it is shown;
// far above the threshold it is v plus or minus half.
//
// It inverts acceptance regions: n is in the interval of v where v is among the 95 of 100
// likeliest numbers that are shown of n, which are those nearest to n at or above the
// threshold. On either side of v the n that are not begin somewhere and then go on (the
// laws are log-concave), so that the ends are found by halving.
// Source: Neyman, "Outline of a Theory of Statistical Estimation", Phil. Trans. A 236
// (1937), conditional on being shown.
func (l Law) Interval(v, threshold float64) (low, high float64) {
	// The least n that is shown often enough: P(noise >= threshold - n) >= rare.
	least := threshold - l.Beyond(rare) + 1
	if l.Tail(0) <= rare {
		least = threshold
	}
	holds := func(n float64) bool { return l.nearer(math.Abs(v-n), threshold-n) < Confidence+1e-9 }
	end := func(inside, outside float64) float64 {
		for math.Abs(outside-inside) > 1 {
			middle := math.Floor((inside + outside) / 2)
			if middle == inside || middle == outside {
				break // no whole number lies between that a float64 can hold
			}
			if holds(middle) {
				inside = middle
			} else {
				outside = middle
			}
		}
		return inside
	}
	// Even of all numbers, not of those that are shown, these hold n in 95 of 100; to the
	// right of v the condition narrows the interval only.
	half := l.HalfWidth(Confidence)
	high = end(v, v+half+1)
	if least >= v || holds(least) {
		return min(least, v), high
	}
	return end(v, least), high
}

// nearer is P(|noise| < d, given noise >= cut), for whole d and cut with d >= |cut|
// where the cut is above 0.
func (l Law) nearer(d, cut float64) float64 {
	from, shown := max(1-d, cut), l.atLeast(cut)
	if d <= 0 || from > d-1 {
		return 0
	}
	return (l.atLeast(from) - l.atLeast(d)) / shown
}

// atLeast is P(noise >= t) for any whole t.
func (l Law) atLeast(t float64) float64 {
	if t > 0 {
		return l.Tail(t)
	}
	return 1 - l.Tail(1-t)
}
