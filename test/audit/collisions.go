package main

import (
	"fmt"
	"math"
	"time"
)

const collidingCrowd = 20

// colliding are two sorts of streams: of different units only, and of what adds up.
var colliding = map[string]string{
	"": distinct,
	"sums": `{name: n, of: "distinct(unit)"}, {name: readings, of: "count()", between: [0, 3]}, ` +
		`{name: total, of: "sum(x)", between: [-8, 8]}`,
}

// collisions gives each cell a crowd with two readings each, and a unit that came
// before with the same sensor, time and seq for every one of them: whoever tells
// readings apart without their unit loses the crowd's. Half of the streams do not
// keep that unit's.
func collisions(r *report, o options) error {
	const each = 5
	windows := o.lasts(2, 1)
	var streams []decision
	for name, measures := range colliding {
		for _, d := range pairsOf(measures, each, 1) {
			d.id = name + d.id
			streams = append(streams, d)
		}
	}
	c, err := found(o, 2, streams)
	defer c.close()
	if err != nil {
		return err
	}
	for w := range windows {
		if err := c.collide(w); err != nil {
			return err
		}
	}
	for _, sort := range []struct {
		name, measure, said string
		truth               float64 // of the crowd
	}{
		{"", "n", "units alone", collidingCrowd}, {"sums", "n", "units", collidingCrowd},
		{"sums", "readings", "their readings", 2 * collidingCrowd}, {"sums", "total", "their sum", 2 * collidingCrowd},
	} {
		var of [2][]float64
		for i := range each {
			for world, name := range []string{"with", "less"} {
				for w := range windows {
					list, err := c.read(fmt.Sprintf("%s%s1-%03d", sort.name, name, i),
						begin.Add(time.Duration(w)*time.Hour))
					if err != nil {
						return err
					}
					of[world] = append(of[world], valuesOf(list, sort.measure)...)
				}
			}
		}
		var events []float64
		for d := -24.0; d <= 24; d += 6 {
			events = append(events, sort.truth+0.5+d)
		}
		seen := leastEpsilon(of[0], of[1], append(events, math.Inf(-1)), 4)
		r.judge(seen <= epsilon, "epsilon of "+sort.said+", where seq collide",
			"at least %.2f by %d cells of each world; declared %v", seen, len(of[0]), epsilon)
	}
	return nil
}

// collide lives through a window.
func (c *city) collide(w int) error {
	start := begin.Add(time.Duration(w) * time.Hour)
	var list []reading
	for cell := range 2 * values {
		var late []reading
		seq := 2*collidingCrowd*cell + 1
		for n := range 2 * collidingCrowd {
			list = append(list, reading{cell, fmt.Sprintf("c%d-%d", w, cell), unitX, seq + n})
			late = append(late, reading{cell, fmt.Sprintf("u%d-%d-%d", w, cell, n/2), forgedX, seq + n})
		}
		list = append(list, late...)
	}
	if err := c.send(start.Add(time.Minute), list); err != nil {
		return err
	}
	return c.tick(start.Add(time.Hour + 2*time.Minute))
}

// valuesOf a measure; withheld is -Inf.
func valuesOf(list []shown, measure string) (out []float64) {
	for _, s := range list {
		switch {
		case s.Measure != measure:
		case s.Value == nil:
			out = append(out, math.Inf(-1))
		default:
			out = append(out, *s.Value)
		}
	}
	return out
}
