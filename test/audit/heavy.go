package main

import (
	"fmt"
	"math"
	"time"
)

// pairsOf makes streams of two worlds: one keeps the unit in question, one drops
// it. All else is the same, and each stream has its own key and noise.
func pairsOf(each int, contributions ...int) (list []decision) {
	for _, n := range contributions {
		for i := range each {
			list = append(list,
				decision{fmt.Sprintf("with%d-%03d", n, i), n, 9, distinct},
				decision{fmt.Sprintf("less%d-%03d", n, i), n, 2, distinct})
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
			list = append(list, reading{cell, fmt.Sprintf("f%s-%d-%d", w, cell, u), forgedX})
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

// heavy sends one unit to a thousand cells in each of two windows of an epoch. A
// stranger adds up everything, and separately the cells that it was seen in first.
func heavy(r *report, o options) error {
	const each = 50
	bounds := []int{1, 8}
	if o.quick {
		bounds = bounds[:1]
	}
	c, err := found(o, zones, pairsOf(each, bounds...))
	defer c.close()
	if err != nil {
		return err
	}
	const windows, crowd = 2, 36
	for w := range windows {
		start := begin.Add(time.Duration(w) * time.Hour)
		list := background(fmt.Sprint(w), crowd, cells)
		for cell := range cells {
			list = append(list, reading{cell, "whom", unitX})
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
		if err := c.everywhere(r, n, each, windows); err != nil {
			return err
		}
	}
	return nil
}

// everywhere compares the two worlds of a bound.
func (c *city) everywhere(r *report, n, each, windows int) error {
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
		name string
		of   [2][]float64
	}{{"window, all cells", window}, {"epoch, all cells and windows", epoch}, {"epoch, where it was seen first", first}} {
		seen := leastEpsilon(x.of[0], x.of[1], quantiles(x.of), 6)
		r.row(seen <= epsilon, fmt.Sprintf("C %d: epsilon per %s", n, x.name), "at least %.2f by %d epochs of each world; declared %v", seen, each, epsilon)
	}
	return nil
}

// quantiles are a few thresholds between what two worlds show.
func quantiles(of [2][]float64) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, list := range of {
		for _, v := range list {
			low, high = min(low, v), max(high, v)
		}
	}
	var out []float64
	for i := 1; i < 4; i++ {
		out = append(out, math.Round(low+(high-low)*float64(i)/4)+0.5)
	}
	return out
}

// restarts sends one unit to another cell after each of many crashes within its
// epoch. A bound that a crash forgets lets it count every time.
func restarts(r *report, o options) error {
	each, crashes := 100, 24
	if o.quick {
		each = 60
	}
	c, err := found(o, 1, pairsOf(each, 1))
	defer c.close()
	if err != nil {
		return err
	}
	list := background("r", 30, crashes+1)
	if err := c.send(begin.Add(time.Minute), list); err != nil {
		return err
	}
	for k := range crashes + 1 {
		if k > 0 {
			if err := c.crash(); err != nil {
				return err
			}
		}
		if err := c.send(begin.Add(time.Minute), []reading{{k, "whom", unitX}}); err != nil {
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
	seen := leastEpsilon(of[0], of[1], quantiles(of), 1)
	r.row(seen <= epsilon, fmt.Sprintf("C 1: epsilon per epoch, %d crashes", crashes), "at least %.2f by %d epochs of each world; declared %v", seen, each, epsilon)
	return nil
}

// crashes kills the gateway in the middle of closing many windows, again and again,
// while a stranger reads.
func crashes(r *report, o options) error {
	times := 12
	if o.quick {
		times = 6
	}
	streams := pairsOf(30, 1)
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
