package simulate

import (
	"math"
	"slices"
	"time"

	"sluice/store"
)

// side compares what was released with the truth.
func (m *model) side(list []store.Observation) *Side {
	s := &Side{Unit: m.s.Unit.StandsFor}
	var all tally
	for _, x := range m.numbers() {
		s.Measures = append(s.Measures, m.measure(x, list, &all))
	}
	s.Published, s.Withheld = all.published, all.withheld
	if all.published > 0 {
		s.Inside = share(float64(all.inside), all.published)
	}
	s.BiasShare = share(all.bias, all.biased)
	for key, t := range m.cells {
		h := time.Unix(key.start, 0).In(m.loc).Hour()
		if !m.s.Unit.None() {
			s.Hours[h].Units += len(t.units)
			s.Hours[h].Silenced += t.silenced(m.s.Protect.MaxContributions)
		}
	}
	for key, n := range m.dropped {
		s.Dropped = append(s.Dropped, Dropped{key[0], key[1], n})
	}
	slices.SortFunc(s.Dropped, func(a, b Dropped) int { return b.Readings - a.Readings })
	m.series(s, list)
	return s
}

// silenced is how many units came after they had used up their pairs.
func (t *truth) silenced(pairs int64) (n int) {
	for _, u := range t.units {
		if int64(u.pair) > pairs {
			n++
		}
	}
	return n
}

// tally sums over all numbers of a side.
type tally struct {
	published, withheld, inside int
	bias                        float64 // sum of (published - passed) / passed
	biased                      int     // how many addends it has
}

func share(sum float64, n int) *float64 {
	if n == 0 {
		return nil
	}
	sum /= float64(n)
	return &sum
}

func holds(o store.Observation, v float64) bool { return v >= *o.Low-1e-6 && v <= *o.High+1e-6 }

func (m *model) measure(x published, list []store.Observation, all *tally) Measure {
	out := Measure{Name: x.part.Name}
	var errs []float64
	covered, inside := 0, 0
	for _, o := range list {
		if o.Measure != x.part.Name {
			continue
		}
		switch o.Status {
		case store.Withheld:
			out.Withheld++
		case store.NoData:
			out.NoData++
		case store.Published:
			out.Published++
			if want, ok := m.exact(o.Cell, o.Start, x); ok {
				errs = append(errs, math.Abs(*o.Value-want))
				if holds(o, want) {
					inside++
				}
				if want != 0 {
					all.bias, all.biased = all.bias+(*o.Value-want)/math.Abs(want), all.biased+1
				}
			}
			if want, ok := m.counted(o.Cell, o.Start, x); ok && holds(o, want) {
				covered++
			}
		}
	}
	slices.Sort(errs)
	for _, e := range errs {
		out.MeanError += e / float64(len(errs))
	}
	if n := len(errs); n > 0 {
		out.P95Error, out.Covered, out.Inside = errs[min(n-1, n*95/100)], float64(covered)/float64(out.Published),
			float64(inside)/float64(out.Published)
	}
	all.published, all.withheld, all.inside = all.published+out.Published, all.withheld+out.Withheld, all.inside+inside
	return out
}

// series is the busiest cell's first measure over time.
func (m *model) series(s *Side, list []store.Observation) {
	if len(m.s.Measures) == 0 {
		return
	}
	x := m.numbers()[0]
	total := make(map[string]float64)
	for _, o := range list {
		if v, ok := m.exact(o.Cell, o.Start, x); ok && o.Measure == x.part.Name {
			total[o.Cell] += v
		}
	}
	for id, v := range total {
		if s.Cell == "" || v > total[s.Cell] || v == total[s.Cell] && id < s.Cell {
			s.Cell = id
		}
	}
	s.Series = m.points(s.Cell, x, list)
}

// points are a cell's number over time.
func (m *model) points(id string, x published, list []store.Observation) (out []Point) {
	for _, o := range list {
		if o.Cell != id || o.Measure != x.part.Name {
			continue
		}
		p := Point{Start: o.Start, Status: o.Status}
		p.Truth, _ = m.exact(o.Cell, o.Start, x)
		p.Counted, _ = m.counted(o.Cell, o.Start, x)
		if o.Value != nil {
			p.Value, p.Low, p.High = *o.Value, *o.Low, *o.High
		}
		out = append(out, p)
	}
	return out
}
