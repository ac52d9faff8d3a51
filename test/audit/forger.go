package main

import (
	"fmt"
	"math"
	"time"
)

// against is what is promised against somebody who sends the unit's identifier through
// sensors of their own, for streams of one name. Where the unit is there and where it is
// not, it may count in other pairs, so that the two worlds differ by what two units do;
// but where each owner has a part of the bound, no more than elsewhere.
type against struct {
	name           string
	contributions  int
	extra          string
	ofOne, ofForge float64 // delta of the decision, and what holds against a forger
	epsilon        float64
	crowd          int // forged units in each cell besides: published by eight scales of noise at least
}

var promises = []against{
	{"shared", 1, "", delta, (1 + math.Exp(epsilon)) * delta, 2 * epsilon, 20},
	{"owned", 2, ", by_owner: {a: 1, b: 1}", 1e-6, 1e-6, epsilon, 50},
}

// forger looks at each promise in a city of its own.
func forger(r *report, o options) error {
	for _, p := range promises {
		if len(o.of([]decision{{id: p.name}})) > 0 {
			if err := p.forger(r, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// forger has an identifier in two cells of one owner, and then the forger's sensors
// of another owner send it in two more. Half of the streams do not keep what the unit
// itself did.
func (p against) forger(r *report, o options) error {
	const each = 10
	windows := o.lasts(2, 1)
	var list []decision
	for _, d := range pairsOf(distinct, each, p.contributions) {
		d.id, d.delta, d.extra = p.name+d.id, p.ofOne, p.extra
		list = append(list, d)
	}
	c, err := found(o, zones, list)
	defer c.close()
	if err != nil {
		return err
	}
	for w := range windows {
		if err := c.forge(w, p.crowd); err != nil {
			return err
		}
	}
	if err := c.taken(); err != nil {
		return err
	}
	return c.against(r, p, each, windows)
}

// against compares the two worlds of one promise.
func (c *city) against(r *report, p against, each, windows int) error {
	var first, all [2][]float64
	for i := range each {
		for world, name := range []string{"with", "less"} {
			for w := range windows {
				list, err := c.read(fmt.Sprintf("%s%s%d-%03d", p.name, name, p.contributions, i),
					begin.Add(time.Duration(w)*time.Hour))
				if err != nil {
					return err
				}
				two, four := leans(list, p.crowd)
				first[world], all[world] = append(first[world], two...), append(all[world], four...)
			}
		}
	}
	for _, x := range []struct {
		name string
		of   [2][]float64
	}{{"one cell of each", first}, {"two of each", all}} {
		seen := leastEpsilonAt(p.ofForge, x.of[0], x.of[1], []float64{1, 3}, 2)
		r.judge(seen <= p.epsilon, fmt.Sprintf("forger, a bound that is %s: epsilon by %s", p.name, x.name),
			"at least %.2f by %d units of each world; promised %v", seen, len(x.of[0]), p.epsilon)
	}
	return nil
}

// own and forged are the cells of one of 250 victims.
func own(victim int) (a, b int)    { return 2 * victim, 2*victim + 1 }
func forged(victim int) (a, b int) { return 2*victim + cells/2, 2*victim + cells/2 + 1 }

// forge lives through a window: a crowd, the victims, and then the forger.
func (c *city) forge(w, crowd int) error {
	start := begin.Add(time.Duration(w) * time.Hour)
	list := background(fmt.Sprint(w), crowd, cells)
	var later []reading
	for v := range cells / 4 {
		who := fmt.Sprintf("victim%d-%d", w, v)
		a, b := own(v)
		list = append(list, reading{cell: a, unit: who, x: unitX}, reading{cell: b, unit: who, x: unitX})
		a, b = forged(v)
		later = append(later, reading{cell: a, unit: who, x: forgedX}, reading{cell: b, unit: who, x: forgedX})
	}
	for _, list := range [][]reading{list, later} {
		if err := c.send(start.Add(time.Minute), list); err != nil {
			return err
		}
	}
	return c.tick(start.Add(time.Hour + 2*time.Minute))
}

// leans says of each victim to which of two worlds its first cells, and all four,
// lean: 1 for each number that is likelier where the unit is there, -1 for each that
// is not. Nothing tells more of discrete Laplace noise.
func leans(list []shown, crowd int) (two, four []float64) {
	at := make([]float64, cells)
	for _, s := range list {
		at[s.cell] = -1
		if s.Value != nil && *s.Value > float64(crowd) {
			at[s.cell] = 1
		}
	}
	for v := range cells / 4 {
		a, b := own(v)
		c, d := forged(v)
		two = append(two, at[a]-at[c])
		four = append(four, at[a]+at[b]-at[c]-at[d])
	}
	return two, four
}
