package main

import (
	"fmt"
	"math"
	"time"
)

const distinct = `{name: n, of: "distinct(unit)"}`

// lightStreams are the classes of streams that are looked at.
var lightStreams = []decision{
	{id: "one", contributions: 1, below: 9, measures: distinct},
	{id: "eight", contributions: 8, below: 9, measures: distinct},
	{id: "many", contributions: 1, below: 9,
		measures: `{name: n, of: "distinct(unit)"}, {name: readings, of: "count()", between: [0, 3]}, ` +
			`{name: total, of: "sum(x)", between: [-2, 2]}, {name: classes, of: "histogram(x)", edges: [-2, 0, 2]}`},
}

// A large cell has so many units, or one more: every stream publishes it. Where the only stream is
// the one of lightStreams that publishes from 12 units on, fewer do: noise does not depend on how many there are, and
// at scale 1 takes one cell of 20 in six thousand below 12.
const (
	large      = 60
	largeOfOne = 20
)

// unitsIn a cell are 0 to 30, or those of a large one.
func unitsIn(cell, large int) int {
	switch {
	case cell < 620:
		return cell % 31
	case cell < 810:
		return large
	}
	return large + 1
}

// light gives each cell its own crowd of forged units in every window: so cells of
// n and of n+1 units are samples of two worlds that differ in one unit.
func light(r *report, o options) error {
	streams := o.of(lightStreams)
	c, err := found(o, zones, streams)
	defer c.close()
	if err != nil {
		return err
	}
	if len(streams) == 1 && streams[0].id == lightStreams[0].id {
		c.large = largeOfOne
	}
	rows, err := c.watch(o.lasts(80, 10), streams)
	if err != nil {
		return err
	}
	if err := c.taken(); err != nil {
		return err
	}
	for _, d := range streams {
		from, err := c.publicFrom(d.id, "n")
		if err != nil {
			return err
		}
		list := rows[d.id]["n"]
		what := fmt.Sprintf("%s (%s, C %d)", d.id, list[0].Mechanism, d.contributions)
		lossOf(r, what, list, c.large)
		steps(r, what, list, d.contributions)
		published(r, what, list, from)
		if d.measures == distinct {
			better := best(float64(d.contributions))
			r.row(float64(from) <= better.publishFrom &&
				list[0].Mechanism == better.name, what+": published from", "%d units; by the better, %s, from %.0f",
				from, better.name, better.publishFrom)
		}
		exactness(r, what, d, rows[d.id], c.large)
		near(r, what, list)
		nobody(r, what, list)
	}
	r.row(len(c.twice) == 0, "values ever seen per number", "%d numbers by JSON, a tenth by CSV too; %d had two",
		len(c.seen), len(c.twice))
	return nil
}

// watch lives through so many windows and returns what is shown, by stream and
// measure.
func (c *city) watch(windows int, list []decision) (map[string]map[string][]shown, error) {
	rows := make(map[string]map[string][]shown)
	for w := range windows {
		start := begin.Add(time.Duration(w) * time.Hour)
		if err := c.send(start.Add(time.Minute), crowd(w, c.large)); err != nil {
			return nil, err
		}
		if err := c.tick(start.Add(time.Hour + 2*time.Minute)); err != nil {
			return nil, err
		}
		for _, d := range list {
			all, err := c.read(d.id, start)
			if err != nil {
				return nil, err
			}
			if w%10 == 0 {
				if err := c.lookCSV(d.id, start); err != nil {
					return nil, err
				}
			}
			for _, s := range all {
				if rows[d.id] == nil {
					rows[d.id] = make(map[string][]shown)
				}
				rows[d.id][s.Measure] = append(rows[d.id][s.Measure], s)
			}
		}
	}
	return rows, nil
}

// crowd is everybody of one window: units that come nowhere else, with x 1 and one
// reading each.
func crowd(w, large int) []reading {
	var list []reading
	for cell := range cells {
		for u := range unitsIn(cell, large) {
			list = append(list, reading{cell: cell, unit: fmt.Sprintf("u%d-%d-%d", w, cell, u), x: 1})
		}
	}
	return list
}

func sample(list []shown, units int) []float64 {
	var out []float64
	for _, s := range list {
		switch {
		case s.units != units:
		case s.Value == nil:
			out = append(out, math.Inf(-1))
		default:
			out = append(out, *s.Value)
		}
	}
	return out
}

// lossOf prints what a stranger can prove of epsilon from one unit more.
func lossOf(r *report, what string, list []shown, large int) {
	var events []float64
	for t := large - 15; t <= large+16; t++ {
		events = append(events, float64(t))
	}
	seen := leastEpsilon(sample(list, large), sample(list, large+1), events, 31)
	for n := range 30 {
		events := []float64{math.Inf(-1)} // withheld
		for t := float64(n) - 10; t <= float64(n)+20; t += 2 {
			events = append(events, t)
		}
		seen = max(seen, leastEpsilon(sample(list, n), sample(list, n+1), events, 31))
	}
	r.judge(seen <= epsilon, what+": epsilon per window", "at least %.2f by what is seen; declared %v", seen, epsilon)
}

// steps holds p(publish | n) against the published threshold and noise.
func steps(r *report, what string, list []shown, contributions int) {
	s := list[0]
	worst, at := 1.0, 0
	for n := 0; n <= 30; n++ {
		samples := sample(list, n)
		k := count(samples, func(v float64) bool { return !math.IsInf(v, -1) })
		want := tail(s.Mechanism, s.Scale, s.Threshold-float64(n))
		if n < minUnits {
			want = 0
		}
		each := alpha / 620 // two bounds at 31 numbers, ten times as sure: what is looked for is coarse
		if !likely(k, len(samples), want, 2*each) {
			worst, at = 0, n
		}
	}
	r.judge(worst > 0, what+": p(publish | n), n = 0 to 30", "as threshold %v and scale %.2f say%s", s.Threshold,
		s.Scale, map[bool]string{true: "", false: fmt.Sprintf("; not so at %d units", at)}[worst > 0])
	p := tail(s.Mechanism, s.Scale, s.Threshold-minUnits)
	most := 1 - math.Pow(1-delta, 1/float64(contributions))
	r.row(p <= most*(1+1e-9), what+": p(publish | min_units)", "%.2g; delta allows %.2g for each of %d pairs", p, most,
		contributions)
}

// published: above public_from, 99 of 100 cells are.
func published(r *report, what string, list []shown, from int) {
	n, k := 0, 0
	for _, s := range list {
		if s.units >= from {
			n++
			if s.Value != nil {
				k++
			}
		}
	}
	r.judge(n > 0 && upper(k, n, alpha) >= 0.99, what+": published above public_from",
		"%.2f %% of %d cells with %d units or more", 100*float64(k)/float64(max(1, n)), n, from)
}

// truth of a measure in a cell of n units, each with one reading of x 1.
func truth(measure string, n int) float64 {
	if measure == "classes_-2_0" {
		return 0
	}
	return float64(n)
}

// exactness: intervals hold the truth as often as the mechanism says, and the error
// is not larger than the best mechanism's.
func exactness(r *report, what string, d decision, measures map[string][]shown, large int) {
	for _, name := range []string{"n", "readings", "total", "classes_0_2", "amount"} {
		list, known := measures[name]
		if !known {
			continue
		}
		covered, square, n := 0, 0.0, 0
		var s shown
		for _, s = range list {
			if s.units < large || s.Value == nil {
				continue
			}
			n++
			t := truth(name, s.units)
			if *s.Low <= t && t <= *s.High {
				covered++
			}
			square += (*s.Value - t) * (*s.Value - t)
		}
		if n == 0 {
			r.row(false, what+": "+name, "no cell of %d units is published", large)
			continue
		}
		step := 1.0
		if name == "total" || name == "amount" {
			step = 1e-6
		}
		half := 0.0
		for _, x := range list {
			if x.Value != nil && (*x.Low > 0 || step < 1) { // not cut off at 0
				half = max(half, math.Round((*x.High-*x.Value)/step)) // less near the threshold
			}
		}
		exact := 1 - 2*tail(s.Mechanism, s.Scale/step, half+1)
		share := float64(covered) / float64(n)
		r.judge(exact >= 0.95-1e-9 && likely(covered, n, exact, alpha), what+": coverage of "+name,
			"%.2f %% of %d; the mechanism's is %.2f %%", 100*share, n, 100*exact)
		if name != "n" || d.measures != distinct {
			continue
		}
		// The square of Laplace noise has a variance of five times its mean's square, so
		// that the root of a mean of n squares has one of 1.12/sqrt(n): this is more than
		// four of them.
		better := best(float64(d.contributions))
		ratio := math.Sqrt(square/float64(n)) / better.deviation
		r.judge(ratio <= 1.05+4.8/math.Sqrt(float64(n)), what+": error before the threshold",
			"%.2f; %.3f times that of the better, %s", math.Sqrt(square/float64(n)), ratio, better.name)
	}
}
