// Package window holds the open windows of event time: who was seen, what adds
// up, what was counted already. Every change is an Entry; applying the same
// entries in any order gives the same window, which is how recovery works and
// why the order of arrival cannot matter.
package window

import (
	"math"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/release"
	"sluice/policy/plan"
)

// Entry is one durable change to a window.
type Entry struct {
	// Alive is set for a heartbeat of Sensor; the rest is empty then.
	Alive bool
	// Home is set in the one window, of all that a reading counts in, that
	// keeps the account of it.
	Home bool
	// Sensor is a number of the sensor that stays the same over restarts.
	Sensor uint64
	// Seq and Boot tell readings apart, or else Message does.
	Sequenced bool
	Seq, Boot uint64
	Message   pseudonym.Tag
	Time      int64
	// Untimed says that Time is of receipt, which a repetition does not share; seq
	// alone tells such readings apart.
	Untimed bool
	Cell    uint32
	Unit    pseudonym.Tag
	Values  [redact.MaxMeasures]int64
	Has     uint8

	// place is where HasUnit found the unit, plus one.
	place int32
}

// Window is one interval of event time of one stream.
type Window struct {
	Stream     *plan.Stream
	Policy     string
	Start, End time.Time
	// Lost says that some of it cannot be read back; then it has no data.
	Lost bool
	// Readings counts the entries with Home set.
	Readings int64

	memory memory
	alive  map[uint64]struct{}
	cells  []cell
	// distinctOnly says that units need no state.
	distinctOnly bool
}

// cell is one entry of the stream's closed list. About nobody, total and weight
// add up directly; about units, each unit has a place in state.
type cell struct {
	readings int64
	total    [][]wide
	weight   []int64
	units    map[pseudonym.Tag]int32
	state    []latest
}

// latest is what one unit did for one measure: a sum, or the last value.
type latest struct {
	n         int64 // readings that have the measure
	sum       wide  // of all of them, for sum
	time      int64 // of the last, for mean, histogram and quantile
	seq       uint64
	lastValue int64
}

// New makes an empty window of the stream.
func New(s *plan.Stream, policy string, start, end time.Time) *Window {
	w := &Window{Stream: s, Policy: policy, Start: start, End: end}
	w.memory = newMemory(end.Sub(start))
	w.alive = make(map[uint64]struct{})
	w.cells = make([]cell, len(s.Cells))
	w.distinctOnly = !slices.ContainsFunc(s.Measures, func(m plan.Measure) bool { return m.Of != plan.Distinct })
	return w
}

// stamp is the time by which readings of equal seq are told apart.
func (e *Entry) stamp() int64 {
	if e.Untimed {
		return noTime
	}
	return e.Time
}

// HasUnit reports whether the entry's unit counts in its cell already.
func (w *Window) HasUnit(e *Entry) bool {
	at, ok := w.cells[e.Cell].units[e.Unit]
	if ok {
		e.place = at + 1
	}
	return ok
}

// Apply adds an entry that was not Seen. It adds one for which there is no Room, too:
// what was acknowledged before a start counts after it.
func (w *Window) Apply(e *Entry) {
	if e.Alive {
		w.alive[e.Sensor] = struct{}{}
		return
	}
	if e.Home {
		w.Readings++
	}
	w.memory.remember(e)
	c := &w.cells[e.Cell]
	c.readings++
	if w.Stream.Unit.None() {
		w.add(c, e)
	} else {
		w.addUnit(c, e)
	}
}

func (w *Window) add(c *cell, e *Entry) {
	if c.total == nil {
		c.weight = make([]int64, len(w.Stream.Measures))
		c.total = make([][]wide, len(w.Stream.Measures))
		for i := range c.total {
			c.total[i] = make([]wide, w.Stream.Measures[i].Slots())
		}
	}
	for i := range w.Stream.Measures {
		if e.Has&(1<<i) == 0 {
			continue
		}
		c.weight[i]++
		switch m := &w.Stream.Measures[i]; m.Of {
		case plan.Count:
			c.total[i][0].add(1)
		case plan.Sum, plan.Mean:
			c.total[i][0].add(clamp(m, e.Values[i]))
		default:
			c.total[i][m.Slot(e.Values[i])].add(1)
		}
	}
}

func (w *Window) addUnit(c *cell, e *Entry) {
	at := e.place - 1
	if at < 0 {
		at = w.place(c, e.Unit)
		w.memory.lastAccount.units++ // the entry's sensor is the one remembered last
	}
	for i := range w.Stream.Measures {
		of := w.Stream.Measures[i].Of
		if e.Has&(1<<i) == 0 || of == plan.Distinct {
			continue
		}
		s := &c.state[int(at)+i]
		switch of {
		case plan.Sum:
			s.sum.add(e.Values[i])
		case plan.Mean, plan.Histogram, plan.Quantile:
			if s.n == 0 || s.before(e, e.Values[i]) {
				s.time, s.seq, s.lastValue = e.Time, e.Seq, e.Values[i]
			}
		}
		s.n++
	}
}

// place finds the unit's place in the cell's state, or makes one. A stream that
// only counts different units needs no state.
func (w *Window) place(c *cell, unit pseudonym.Tag) int32 {
	if c.units == nil {
		c.units = make(map[pseudonym.Tag]int32)
	}
	at, ok := c.units[unit]
	if ok {
		return at
	}
	at = int32(len(c.state))
	c.units[unit] = at
	if !w.distinctOnly {
		c.state = append(c.state, make([]latest, len(w.Stream.Measures))...)
	}
	return at
}

// before orders a unit's readings by time, seq and, so that the order of arrival
// cannot matter even between two sensors, value.
func (s *latest) before(e *Entry, value int64) bool {
	switch {
	case s.time != e.Time:
		return s.time < e.Time
	case s.seq != e.Seq:
		return s.seq < e.Seq
	}
	return s.lastValue < value
}

// Sums are the window's exact aggregates, in the order of the stream's cells; nil
// feeders are none.
func (w *Window) Sums(feeders *Feeders) []release.Sums {
	out := make([]release.Sums, len(w.cells))
	alive := w.measured(feeders)
	for i := range w.cells {
		out[i] = w.sums(&w.cells[i], alive(i))
	}
	return out
}

func (w *Window) sums(c *cell, alive bool) release.Sums {
	s := release.NewSums(w.Stream)
	if w.Lost {
		return s
	}
	if w.Stream.Unit.None() {
		for i := range c.total {
			for slot := range c.total[i] {
				s.Total[i][slot] = c.total[i][slot].clamped(math.MinInt64, math.MaxInt64)
			}
		}
		copy(s.Weight, c.weight)
		return s
	}
	s.Alive = alive
	s.Units = int64(len(c.units))
	for _, at := range c.units {
		for i := range w.Stream.Measures {
			m := &w.Stream.Measures[i]
			if m.Of == plan.Distinct {
				s.Total[i][0]++
				s.Weight[i]++
			} else if last := &c.state[int(at)+i]; last.n > 0 {
				slot, value := contribution(m, last)
				s.Total[i][slot] += value
				s.Weight[i]++
			}
		}
	}
	return s
}

// contribution is what one unit adds to one pair, and to which of the measure's
// sums: its readings, capped, for count; its clamped sum; its last reading,
// clamped, from the middle, for mean; 1 in its last reading's class for histogram
// and quantile. So neighbouring inputs, which differ by all that one unit sent,
// differ in one sum of the pair, and there by at most
//
//	count N (of between [0, N]) · sum max(|low|, |high|) · mean (high - low) / 2 ·
//	histogram and quantile 1 · distinct 1
//
// with one more weight. Source: Wilson et al., "Differentially Private SQL with
// Bounded User Contribution" (PETS 2020), section 3.
func contribution(m *plan.Measure, s *latest) (slot int, value int64) {
	switch m.Of {
	case plan.Count:
		return 0, min(s.n, int64(m.High))
	case plan.Sum:
		return 0, s.sum.clamped(m.Bounds())
	case plan.Mean:
		return 0, clamp(m, s.lastValue) - m.Middle()
	}
	return m.Slot(s.lastValue), 1
}

func clamp(m *plan.Measure, v int64) int64 {
	if !m.Bounded {
		return v
	}
	low, high := m.Bounds()
	return min(high, max(low, v))
}

// IsAlive reports whether the sensor's heartbeat was seen.
func (w *Window) IsAlive(sensor uint64) bool {
	_, ok := w.alive[sensor]
	return ok
}
