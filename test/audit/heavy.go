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

// crowded is how much heavy looks at: pairs of streams for each bound, the cells of one unit, and
// how many forged units are in each of them, so that it is published.
type crowded struct {
	each, span, crowd int
	bounds            []int
}

// heavy sends each of five units to two hundred cells in each of two windows of an
// epoch. A stranger adds up everything, and separately the cells that it was seen in
// first. Where it is to be quick, there is a unit for each zone, in its hundred cells: sixty sums of a world. Where the
// bound of one is ignored, what a unit adds to an epoch's sum is ten times the standard deviation of its noise
// (fourteen in the whole), and to a window's seven times.
func heavy(r *report, o options) error {
	h := crowded{each: 10, span: cells / 5, crowd: 36, bounds: []int{1, 8}}
	if o.quick {
		h = crowded{each: 6, span: values, crowd: 20, bounds: h.bounds[:1]}
	}
	c, err := found(o, zones, pairsOf(distinct, h.each, h.bounds...))
	defer c.close()
	if err != nil {
		return err
	}
	const windows = 2
	for w := range windows {
		start := begin.Add(time.Duration(w) * time.Hour)
		list := background(fmt.Sprint(w), h.crowd, cells)
		for cell := range cells {
			list = append(list, reading{cell: cell, unit: fmt.Sprintf("whom%d", cell/h.span), x: unitX})
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
	for _, n := range h.bounds {
		if err := c.everywhere(r, h, n, windows); err != nil {
			return err
		}
	}
	return nil
}

// everywhere compares the two worlds of a bound.
func (c *city) everywhere(r *report, h crowded, n, windows int) error {
	span := h.span
	var window, epoch, first [2][]float64
	for i := range h.each {
		for world, name := range []string{"with", "less"} {
			stream := fmt.Sprintf("%s%d-%03d", name, n, i)
			all, begun := make([]float64, cells/span), make([]float64, cells/span)
			for w := range windows {
				list, err := c.read(stream, begin.Add(time.Duration(w)*time.Hour))
				if err != nil {
					return err
				}
				for _, s := range list {
					if s.Value == nil {
						continue
					}
					all[s.cell/span] += *s.Value
					if w == 0 && s.cell%span < n {
						begun[s.cell/span] += *s.Value
					}
				}
				if w == 0 {
					window[world] = append(window[world], all...)
					first[world] = append(first[world], begun...)
				}
			}
			epoch[world] = append(epoch[world], all...)
		}
	}
	for _, x := range []struct {
		name  string
		of    [2][]float64
		cells int
	}{{"window, all cells", window, span}, {"epoch, all cells and windows", epoch, span * windows},
		{"epoch, where it was seen first", first, n}} {
		seen := leastEpsilon(x.of[0], x.of[1], between(h.crowd, x.cells, n), 6)
		r.judge(seen <= epsilon, fmt.Sprintf("C %d: epsilon per %s", n, x.name),
			"at least %.2f by %d epochs of each world; declared %v", seen, len(x.of[0]), epsilon)
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

// restarts sends each of forty units (or seventy-six, and less often) to another of its
// cells after each of many crashes within its epoch. A bound that a crash forgets lets it
// count every time.
func restarts(r *report, o options) error {
	const crowd = 30
	each, crashes, units := 5, 24, 40
	if o.quick {
		each, crashes, units = 2, 12, 76
	}
	c, err := found(o, zones, pairsOf(distinct, each, 1))
	defer c.close()
	if err != nil {
		return err
	}
	list := background("r", crowd, cells)
	for k := range crashes + 1 {
		if k > 0 {
			if err := c.crash(); err != nil {
				return err
			}
		}
		for u := range units {
			list = append(list, reading{cell: u*(crashes+1) + k, unit: fmt.Sprintf("whom%d", u), x: unitX})
		}
		if err := c.send(begin.Add(time.Minute), list); err != nil {
			return err
		}
		list = nil
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
			list, err := c.read(fmt.Sprintf("%s1-%03d", name, i), begin)
			if err != nil {
				return err
			}
			sums := make([]float64, units)
			for _, s := range list {
				if u := s.cell / (crashes + 1); u < units && s.Value != nil {
					sums[u] += *s.Value
				}
			}
			of[world] = append(of[world], sums...)
		}
	}
	seen := leastEpsilon(of[0], of[1], between(crowd, crashes+1, 1), 1)
	r.judge(seen <= epsilon, fmt.Sprintf("C 1: epsilon per epoch, %d crashes", crashes),
		"at least %.2f by %d epochs of each world; declared %v", seen, len(of[0]), epsilon)
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
	if err := c.listed(streams[1].id); err != nil { // or the first windows are long closed when they are seen
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
		first, err := await(streams[1].id, start, pause/10, c.look) // ids are closed in order: less first
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
	r.row(len(c.twice) == 0, fmt.Sprintf("values per number, over %d crashes", 2*times),
		"%d numbers by JSON and CSV; %d had two", len(c.seen), len(c.twice))
	for _, t := range c.twice[:min(3, len(c.twice))] {
		fmt.Println("      ", t)
	}
	return nil
}
