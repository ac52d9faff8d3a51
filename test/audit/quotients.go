package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The bounds of the audit's mean and quantile. All readings have x 1, so that a
// mean is off the middle and both its noises show.
const (
	meanLow, meanHigh = -4.0, 2.0
	medianHigh        = 32.0
	classes           = 32
)

var wayStreams = []decision{
	{id: "ways", contributions: 1, below: 9,
		measures: `{name: n, of: "distinct(unit)"}, {name: mean, of: "mean(x)", between: [-4, 2]}, ` +
			`{name: median, of: "quantile(x, 0.5)", between: [0, 32]}, ` +
			`{name: amount, of: "sum(x)", between: [-1000000, 1000000]}`},
	{id: "large", contributions: 1, below: 9, delta: 1e-6,
		measures: `{name: n, of: "distinct(unit)"}, {name: amount, of: "sum(x)", between: [-1000000, 1000000]}`},
}

// otherWays looks at what is made of several draws, and at sums of large amounts.
func otherWays(r *report, o options) error {
	streams := o.of(wayStreams)
	c, err := found(o, zones, streams)
	defer c.close()
	if err != nil {
		return err
	}
	rows, err := c.watch(o.lasts(40, 8), streams)
	if err != nil {
		return err
	}
	if err := c.taken(); err != nil {
		return err
	}
	for _, d := range streams {
		list := rows[d.id]["n"]
		what := fmt.Sprintf("%s (%s, C %d)", d.id, list[0].Mechanism, d.contributions)
		exactness(r, what, d, rows[d.id], c.large)
		nobody(r, what, list)
		if rows[d.id]["mean"] != nil {
			quotients(r, what, rows[d.id])
		}
	}
	return nil
}

// quotients: a mean is distributed like a noisy sum over a noisy number, a median
// like that of noisy classes, both from the scale that is published, and they lie in
// their intervals.
func quotients(r *report, what string, rows map[string][]shown) {
	mean, median := rows["mean"], rows["median"]
	for _, units := range []int{large, large + 1} {
		values := sample(mean, units)
		scale, bound := mean[0].Scale, (meanHigh-meanLow)/2
		at := func(v float64) float64 {
			p := 0.0
			for y := math.Round(-20 * scale); y <= math.Round(20*scale); y++ {
				// P(number's noise = y) P(middle + (sum + noise) / number <= v)
				mass := tail(mean[0].Mechanism, scale/bound, y) - tail(mean[0].Mechanism, scale/bound, y+1)
				number := max(1, float64(units)+y)
				most := (v-(meanLow+meanHigh)/2)*number - (1-(meanLow+meanHigh)/2)*float64(units)
				p += mass * (1 - tail(mean[0].Mechanism, scale*1e6, math.Floor(most*1e6)+1))
			}
			return p
		}
		wrong := ""
		for _, v := range []float64{0, 0.3, 0.6, 0.8, 0.9, 1.1, 1.2, 1.4, 1.7} {
			k := count(values, func(x float64) bool { return x <= v && !math.IsInf(x, -1) })
			n := count(values, func(x float64) bool { return !math.IsInf(x, -1) })
			if p := at(v); p < lower(k, n, alpha/36) || p > upper(k, n, alpha/36) {
				wrong = fmt.Sprintf("; not so: %d of %d are at most %v, and should with probability %.4f", k, n, v, p)
			}
		}
		r.judge(wrong == "", fmt.Sprintf("%s: mean over %d units", what, units),
			"as sum and number with noise of scale %.2f and %.2f%s", scale, scale/bound, wrong)
	}
	values := sample(median, large)
	rnd := rand.New(rand.NewPCG(1, 2))
	var expected []float64
	for range 20_000 {
		expected = append(expected, noisyMedian(rnd, median[0].Mechanism, median[0].Scale))
	}
	wrong := ""
	for _, v := range []float64{0.5, 1.01, 1.1, 1.3, 1.5, 1.7, 1.9, 1.99, 3, 8} {
		below := func(x float64) bool { return x <= v && !math.IsInf(x, -1) }
		k, n, j := count(values, below), count(values, func(x float64) bool {
			return !math.IsInf(x, -1)
		}), count(expected, below)
		if lower(k, n, alpha/40) > upper(j, len(expected), alpha/40) ||
			upper(k, n, alpha/40) < lower(j, len(expected), alpha/40) {
			wrong = fmt.Sprintf("; not so: %d of %d are at most %v; of those of noisy classes %d of %d", k, n, v, j,
				len(expected))
		}
	}
	r.judge(wrong == "", fmt.Sprintf("%s: median over %d units", what, large),
		"as classes with noise of scale %.2f%s", median[0].Scale, wrong)
	for name, truth := range map[string]float64{"mean": 1, "median": 1} {
		covered, n := 0, 0
		for _, s := range rows[name] {
			if s.units >= large && s.Value != nil {
				n++
				if *s.Low <= truth && truth <= *s.High {
					covered++
				}
			}
		}
		r.judge(n > 0 && upper(covered, n, alpha) >= 0.95, what+": coverage of "+name,
			"%.2f %% of %d; promised are 95 %%", 100*float64(covered)/float64(max(1, n)), n)
	}
}

// noisyMedian is a median of a large cell's units, all in the second of 32 classes, each of which
// has noise, as docs/release.md describes it: the balance of what is below and above
// each edge, made to rise, crosses 0 there.
func noisyMedian(rnd *rand.Rand, mechanism string, scale float64) float64 {
	noisy, total := make([]float64, classes), 0.0
	for k := range noisy {
		if mechanism == "gaussian" {
			noisy[k] = math.Round(scale * rnd.NormFloat64())
		} else {
			noisy[k] = math.Floor(scale*rnd.ExpFloat64()) - math.Floor(scale*rnd.ExpFloat64())
		}
		if k == 1 {
			noisy[k] += large
		}
		total += noisy[k]
	}
	balance, sum := make([]float64, classes), 0.0
	for k, v := range noisy {
		sum += v
		balance[k] = sum/2 - (total-sum)/2
	}
	risen := make([]float64, classes)
	for k := range risen {
		// Isotonic regression by its definition: the largest over all beginnings of the
		// least mean up to any end.
		risen[k] = math.Inf(-1)
		for i := 0; i <= k; i++ {
			least, part := math.Inf(1), 0.0
			for j := i; j < classes; j++ {
				part += balance[j]
				if j >= k {
					least = min(least, part/float64(j-i+1))
				}
			}
			risen[k] = max(risen[k], least)
		}
	}
	k := 0
	for k < classes-1 && risen[k] < 0 {
		k++
	}
	before := -total / 2
	if k > 0 {
		before = risen[k-1]
	}
	part := 0.5
	if risen[k] > before {
		part = min(1, max(0, -before/(risen[k]-before)))
	}
	return (float64(k) + part) * medianHigh / classes
}

// nobody: cells with nobody, and with too few, look alike.
func nobody(r *report, what string, list []shown) {
	n, other := 0, 0
	for _, s := range list {
		if s.units < minUnits {
			n++
			if s.Status != "withheld" || s.Value != nil || s.Low != nil || s.High != nil {
				other++
			}
		}
	}
	r.row(n > 0 && other == 0, what+": nobody and too few look alike",
		"%d cells of 0, 1 or 2 units; %d are not just withheld", n, other)
}
