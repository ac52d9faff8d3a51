package main

import (
	"fmt"
	"math"
	"time"
)

// pairsOf makes streams of two worlds: one keeps the unit in question, one drops
// it. All else is the same, and each stream has its own key and noise.
func pairsOf(measures string, each int, contributions ...int) (list []decision) {
	for _, n := range contributions {
		for i := range each {
			list = append(list,
				decision{id: fmt.Sprintf("with%d-%03d", n, i), contributions: n, below: 9, measures: measures},
				decision{id: fmt.Sprintf("less%d-%03d", n, i), contributions: n, below: 2, measures: measures})
		}
	}
	return list
}

// The unit in question has x 5, the forged ones 1.
const (
	forgedX = 1
	unitX   = 5
)

// background fills cells with forged units, so that they are published.
func background(w string, each, upTo int) (list []reading) {
	for cell := range upTo {
		for u := range each {
			list = append(list, reading{cell: cell, unit: fmt.Sprintf("f%s-%d-%d", w, cell, u), x: forgedX})
		}
	}
	return list
}

// sums adds up what a stream shows of some cells of a window.
func (c *city) sums(stream string, start time.Time, of func(cell int) bool) (float64, error) {
	list, err := c.read(stream, start)
	total := 0.0
	for _, s := range list {
		if s.Value != nil && of(s.cell) {
			total += *s.Value
		}
	}
	return total, err
}

// heavyCrowd is how many forged units are in each cell of heavy's.
const heavyCrowd = 36

// heavy sends one unit to a thousand cells (to two hundred, where it is to be quick) in each of two windows of an epoch. A
// stranger adds up everything, and separately the cells that it was seen in first.
func heavy(r *report, o options) error {
	const each = 50
	bounds, zones := []int{1, 8}, zones
	if o.quick {
		bounds, zones = bounds[:1], 2
	}
	c, err := found(o, zones, pairsOf(distinct, each, bounds...))
	defer c.close()
	if err != nil {
		return err
	}
	windows, cells := o.lasts(2, 2), zones*values
	for w := range windows {
		start := begin.Add(time.Duration(w) * time.Hour)
		list := background(fmt.Sprint(w), heavyCrowd, cells)
		for cell := range cells {
			list = append(list, reading{cell: cell, unit: "whom", x: unitX})
		}
		if err := c.send(start.Add(time.Minute), list); err != nil {
			return err
		}
		if err := c.tick(start.Add(time.Hour + 2*time.Minute)); err != nil {
			return err
		}
	}
	if err := c.taken(); err != nil {
		return err
	}
	for _, n := range bounds {
		if err := c.everywhere(r, n, each, windows, cells); err != nil {
			return err
		}
	}
	return nil
}

// everywhere compares the two worlds of a bound.
func (c *city) everywhere(r *report, n, each, windows, cells int) error {
	var window, epoch, first [2][]float64
	for i := range each {
		for world, name := range []string{"with", "less"} {
			stream, sum := fmt.Sprintf("%s%d-%03d", name, n, i), 0.0
			for w := range windows {
				start := begin.Add(time.Duration(w) * time.Hour)
				all, err := c.sums(stream, start, func(int) bool { return true })
				if err != nil {
					return err
				}
				if sum += all; w > 0 {
					continue
				}
				window[world] = append(window[world], all)
				some, err := c.sums(stream, start, func(cell int) bool { return cell < n })
				if err != nil {
					return err
				}
				first[world] = append(first[world], some)
			}
			epoch[world] = append(epoch[world], sum)
		}
	}
	for _, x := range []struct {
		name  string
		of    [2][]float64
		cells int
	}{{"window, all cells", window, cells}, {"epoch, all cells and windows", epoch, cells * windows}, {"epoch, where it was seen first", first, n}} {
		seen := leastEpsilon(x.of[0], x.of[1], between(heavyCrowd, x.cells, n), 6)
		r.judge(seen <= epsilon, fmt.Sprintf("C %d: epsilon per %s", n, x.name), "at least %.2f by %d epochs of each world; declared %v", seen, each, epsilon)
	}
	return nil
}

// between are a few sums between those of so many cells without the unit and with it
// in each of them, and one where it is in as many as may be. Nothing that was seen
// decides which, or a bound on what they show would not be one.
func between(crowd, cells, allowed int) []float64 {
	out := []float64{float64(crowd*cells) + float64(allowed)/2}
	for i := 1; i < 4; i++ {
		out = append(out, math.Round(float64(crowd*cells)+float64(cells*i)/4)+0.5)
	}
	return out
}

// restarts sends one unit to another cell after each of many crashes within its
// epoch. A bound that a crash forgets lets it count every time.
func restarts(r *report, o options) error {
	const crowd, crashes = 30, 24
	each := 100
	if o.quick {
		each = 60
	}
	c, err := found(o, 1, pairsOf(distinct, each, 1))
	defer c.close()
	if err != nil {
		return err
	}
	list := background("r", crowd, crashes+1)
	if err := c.send(begin.Add(time.Minute), list); err != nil {
		return err
	}
	for k := range crashes + 1 {
		if k > 0 {
			if err := c.crash(); err != nil {
				return err
			}
		}
		if err := c.send(begin.Add(time.Minute), []reading{{cell: k, unit: "whom", x: unitX}}); err != nil {
			return err
		}
	}
	if err := c.tick(begin.Add(time.Hour + 2*time.Minute)); err != nil {
		return err
	}
	if err := c.taken(); err != nil {
		return err
	}
	var of [2][]float64
	for i := range each {
		for world, name := range []string{"with", "less"} {
			sum, err := c.sums(fmt.Sprintf("%s1-%03d", name, i), begin, func(cell int) bool { return cell <= crashes })
			if err != nil {
				return err
			}
			of[world] = append(of[world], sum)
		}
	}
	seen := leastEpsilon(of[0], of[1], between(crowd, crashes+1, 1), 1)
	r.judge(seen <= epsilon, fmt.Sprintf("C 1: epsilon per epoch, %d crashes", crashes), "at least %.2f by %d epochs of each world; declared %v", seen, each, epsilon)
	return nil
}

// crashes kills the gateway in the middle of closing many windows, again and again,
// while a stranger reads.
func crashes(r *report, o options) error {
	times := o.lasts(12, 4)
	streams := pairsOf(distinct, 30, 1)
	c, err := found(o, 1, streams)
	defer c.close()
	if err != nil {
		return err
	}
	for w := range times {
		start := begin.Add(time.Duration(w) * time.Hour)
		if err := c.send(start.Add(time.Minute), background(fmt.Sprint(w), 30, 20)); err != nil {
			return err
		}
		done := make(chan error, 1)
		go func() { done <- c.tick(start.Add(time.Hour + 2*time.Minute)) }()
		// The first stream's numbers are out, the last one's are not: now.
		first, err := c.read(streams[1].id, start) // ids are closed in order: less first
		if err != nil || len(first) == 0 {
			return err
		}
		if err := c.crash(); err != nil {
			return err
		}
		if err := <-done; err != nil {
			return err
		}
		for _, d := range streams {
			if _, err := c.read(d.id, start); err != nil {
				return err
			}
			if err := c.lookCSV(d.id, start); err != nil {
				return err
			}
		}
		if err := c.crash(); err != nil {
			return err
		}
	}
	time.Sleep(time.Second)
	for w := range times {
		for _, d := range streams {
			if _, err := c.look(d.id, begin.Add(time.Duration(w)*time.Hour)); err != nil {
				return err
			}
		}
	}
	if err := c.taken(); err != nil {
		return err
	}
	r.row(len(c.twice) == 0, fmt.Sprintf("values per number, over %d crashes", 2*times), "%d numbers by JSON and CSV; %d had two", len(c.seen), len(c.twice))
	for _, t := range c.twice[:min(3, len(c.twice))] {
		fmt.Println("      ", t)
	}
	return nil
}
