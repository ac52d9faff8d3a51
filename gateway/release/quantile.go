package release

import (
	"sluice/plan"
)

// quantile finds the least value that a share q of the contributions do not
// exceed, from how many fell into each class. Without bounds on what noise does at
// each inner edge the numbers are exact and the interval is the class.
//
// For the upper edge of class k, D(k) = (1-q) * sum of classes up to k - q * sum
// of classes after it is below 0 exactly while the quantile lies above that edge.
// D is made to rise (isotonic regression, which never takes it further from the
// truth: Hay et al., "Boosting the Accuracy of Differentially Private Histograms
// Through Consistency", VLDB 2010), and the value is where it crosses 0, evenly
// within the class.
//
// The interval begins at the first edge, from the left, at which D is not below 0
// by more than its noise's one-sided 97.5 % bound, and ends at the first from the
// right at which it is not above 0 by that. To leave the quantile out on one side
// the scan has to pass the one edge next to it, which it does with at most 2.5 %.
func quantile(x plan.Measure, counts []int64, edges []float64) estimate {
	n, total := len(counts), 0.0
	for _, v := range counts {
		total += float64(v)
	}
	d, sum := make([]float64, n), 0.0
	for k, v := range counts {
		sum += float64(v)
		d[k] = (1-x.Q)*sum - x.Q*(total-sum)
	}
	edge := func(k int) float64 { return float64(x.Edge(k)) / plan.Fixed }
	noise := func(k int) float64 { // at the upper edge of class k
		if edges == nil {
			return 0
		}
		return edges[k]
	}
	first := 0
	for first < n-1 && d[first] < -noise(first) {
		first++
	}
	last := first
	if edges != nil {
		for last = n - 1; last > 0 && d[last-1] > noise(last-1); {
			last--
		}
	}
	e := estimate{low: edge(min(first, last)), high: edge(max(first, last) + 1)}
	rise(d)
	k := 0
	for k < n-1 && d[k] < 0 {
		k++
	}
	before := -x.Q * total
	if k > 0 {
		before = d[k-1]
	}
	part := 0.5
	if d[k] > before {
		part = min(1, max(0, -before/(d[k]-before)))
	}
	e.value = min(e.high, max(e.low, edge(k)+part*(edge(k+1)-edge(k))))
	return e
}

// rise replaces d by the nearest sequence, in least squares, that never falls:
// pool adjacent violators.
func rise(d []float64) {
	type block struct {
		mean float64
		n    int
	}
	var blocks []block
	for _, v := range d {
		b := block{v, 1}
		for len(blocks) > 0 && blocks[len(blocks)-1].mean >= b.mean {
			p := blocks[len(blocks)-1]
			b = block{(p.mean*float64(p.n) + b.mean*float64(b.n)) / float64(p.n+b.n), p.n + b.n}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	i := 0
	for _, b := range blocks {
		for range b.n {
			d[i] = b.mean
			i++
		}
	}
}
