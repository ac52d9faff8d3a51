package main

import (
	"fmt"
	"math"
	"time"
)

// twice is what is promised against somebody who sends the unit's identifier through
// sensors of their own: where the unit is there and where it is not, it may count in
// other pairs, so that the two worlds differ by what two units do.
const (
	twiceEpsilon = 2 * epsilon
	forgerCrowd  = 20
)

var twiceDelta = (1 + math.Exp(epsilon)) * delta

// forger has an identifier in two cells of one owner, and then the forger's sensors
// of another owner send it in two more. Of the streams with one contribution each,
// half do not keep what the unit itself did.
func forger(r *report, o options) error {
	const each = 10
	windows := o.lasts(2, 1)
	c, err := found(o, zones, pairsOf(distinct, each, 1))
	defer c.close()
	if err != nil {
		return err
	}
	for w := range windows {
		if err := c.forge(w); err != nil {
			return err
		}
	}
	if err := c.taken(); err != nil {
		return err
	}
	var first, all [2][]float64
	for i := range each {
		for world, name := range []string{"with", "less"} {
			for w := range windows {
				list, err := c.read(fmt.Sprintf("%s1-%03d", name, i), begin.Add(time.Duration(w)*time.Hour))
				if err != nil {
					return err
				}
				two, four := leans(list)
				first[world], all[world] = append(first[world], two...), append(all[world], four...)
			}
		}
	}
	for _, x := range []struct {
		name string
		of   [2][]float64
	}{{"its own cell and the forger's, C 1", first}, {"two of each, C 1", all}} {
		seen := leastEpsilonAt(twiceDelta, x.of[0], x.of[1], []float64{1, 3}, 2)
		r.judge(seen <= twiceEpsilon, "epsilon by "+x.name, "at least %.2f by %d units of each world; promised %v", seen, len(x.of[0]), twiceEpsilon)
	}
	return nil
}

// own and forged are the cells of one of 250 victims.
func own(victim int) (a, b int)    { return 2 * victim, 2*victim + 1 }
func forged(victim int) (a, b int) { return 2*victim + cells/2, 2*victim + cells/2 + 1 }

// forge lives through a window: a crowd, the victims, and then the forger.
func (c *city) forge(w int) error {
	start := begin.Add(time.Duration(w) * time.Hour)
	list := background(fmt.Sprint(w), forgerCrowd, cells)
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
func leans(list []shown) (two, four []float64) {
	at := make([]float64, cells)
	for _, s := range list {
		at[s.cell] = -1
		if s.Value != nil && *s.Value > forgerCrowd {
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
