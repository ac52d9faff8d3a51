// Package window holds the open windows of event time: who was seen, what adds
// up, what was counted already. Every change is an Entry; applying the same
// entries in any order gives the same window, which is how recovery works and
// why the order of arrival cannot matter.
package window

import (
	"slices"
	"time"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/release"
	"sluice/internal/wide"
	"sluice/plan"
)

// Entry is one durable change to a window.
type Entry struct {
	// Alive is set for a heartbeat of Sensor; the rest is empty then.
	Alive bool
	// Accounted is set in the one window, of all that a reading counts in, that
	// keeps the account of it.
	Accounted bool
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
	// Owner is the place of the sensor's owner among the stream's parts, plus one; 0 where
	// owners share the bound.
	Owner  uint8
	Values [redact.MaxMeasures]int64
	Has    uint8
	// Bounded says that the unit counts nowhere more in this epoch. The reading is
	// remembered like any other, so that nobody can tell it from one that counts.
	Bounded bool

	// What has been looked up: whether it was Seen, where the unit's state is, plus one,
	// and whether the sensor has brought it before.
	looked  looked
	place   int32
	brought bool
	// Whether the unit counts in the cell already, by the sensor's owner's part.
	counts bool
}

type looked uint8

const (
	notLooked looked = iota
	isNew
	wasSeen
)

// Window is one interval of event time of one stream.
type Window struct {
	Stream     *plan.Stream
	Policy     string
	Start, End time.Time
	// Lost says that some of it cannot be read back; then it has no data.
	Lost bool
	// Readings counts the entries with Accounted set.
	Readings int64

	memory memory
	alive  map[uint64]struct{}
	cells  []cell
	// distinctOnly says that units need no state; additive that their readings add up, and
	// are told apart unit by unit.
	distinctOnly, additive bool
	clock                  plan.DayClock // of its day, for levels
}

// cell is one entry of the stream's closed list. About nobody, total and weight
// add up directly; about units, each unit has a place in state.
type cell struct {
	readings int64
	total    [][]wide.Int
	weight   []int64
	levels   [][]int64 // numbers of addends of each of a level's sums
	units    map[pseudonym.Tag]member
	state    []latest
	marks    marks // readings that have counted, of the unit at its place
}

// member is one unit in a cell: where its state is, which account brought it first, and,
// as bits, in which owners' parts of its bound it counts there.
type member struct {
	at, by int32
	owners uint32
}

// has reports whether it counts in the owner's part; in the bound that all share, if it is
// there at all.
func (m member) has(owner uint8) bool { return owner == 0 || m.owners&(1<<(owner-1)) != 0 }

// latest is what one unit did for one measure: a sum, or the last value.
type latest struct {
	n         int64    // readings that have the measure
	sum       wide.Int // of all of them, for sum
	time      int64    // of the last, for mean, histogram and quantile
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
	if slices.ContainsFunc(s.Measures, func(m plan.Measure) bool { return m.Of.Daily() }) {
		w.clock = s.ClockOf(start)
	}
	// Where the sensor is the unit, what was Seen of it is what was seen of the unit.
	w.additive = !s.Unit.None() && !s.Unit.Sensor && slices.ContainsFunc(s.Measures, func(m plan.Measure) bool {
		return m.Of == plan.Count || m.Of == plan.Sum
	})
	return w
}

// stamp is the time by which readings of equal seq are told apart.
func (e *Entry) stamp() int64 {
	if e.Untimed {
		return noTime
	}
	return e.Time
}

// Apply adds an entry. It adds one for which there is no Room, too: what was
// acknowledged before a start counts after it.
func (w *Window) Apply(e *Entry) {
	if e.Alive {
		w.alive[e.Sensor] = struct{}{}
		return
	}
	if e.Accounted {
		w.Readings++
	}
	if e.looked == notLooked {
		w.Seen(e)
	}
	if e.looked == isNew {
		w.memory.remember(e)
	}
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
		c.total = make([][]wide.Int, len(w.Stream.Measures))
		c.levels = make([][]int64, len(w.Stream.Measures))
		for i := range c.total {
			c.total[i] = make([]wide.Int, w.Stream.Measures[i].Slots())
			if w.Stream.Measures[i].Of.Level() {
				c.levels[i] = make([]int64, len(c.total[i]))
			}
		}
	}
	for i := range w.Stream.Measures {
		if e.Has&(1<<i) == 0 {
			continue
		}
		m := &w.Stream.Measures[i]
		if c.levels[i] != nil {
			if slot := m.LevelSlot(w.clock.Part(e.Time)); slot >= 0 {
				c.total[i][slot].Add(m.Energy(e.Values[i]))
				c.levels[i][slot]++
			}
			continue
		}
		c.weight[i]++
		switch m.Of {
		case plan.Count:
			c.total[i][0].Add(1)
		case plan.Sum, plan.Mean:
			c.total[i][0].Add(clamp(m, e.Values[i]))
		default:
			c.total[i][m.Slot(e.Values[i])].Add(1)
		}
	}
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
	for i, p := range w.Parts(feeders) {
		out[i] = p.Sums()
	}
	return out
}

// Parts are the same before anything is divided or cut off at an end: those of windows that
// have a unit, or a sensor about nobody, each in one of them only add up.
func (w *Window) Parts(feeders *Feeders) []release.Part {
	out := make([]release.Part, len(w.cells))
	alive, registered := w.measured(feeders), feeders.numbers(w.Start.UnixNano())
	for i := range w.cells {
		out[i] = w.part(&w.cells[i], alive(i))
		out[i].Registered = registered(i)
	}
	return out
}

func (w *Window) part(c *cell, alive bool) release.Part {
	s := release.NewPart(w.Stream)
	if w.Lost {
		return s
	}
	if w.Stream.Unit.None() {
		copy(s.Weight, c.weight)
		for i := range c.total {
			copy(s.Total[i], c.total[i])
			copy(s.Addends[i], c.levels[i])
		}
		return s
	}
	s.Alive = alive
	s.Units = int64(len(c.units))
	for _, unit := range c.units {
		for i := range w.Stream.Measures {
			m := &w.Stream.Measures[i]
			if m.Of == plan.Distinct {
				s.Total[i][0].Add(1)
				s.Weight[i]++
			} else if last := &c.state[int(unit.at)+i]; last.n > 0 {
				slot, value := contribution(m, last)
				s.Total[i][slot].Add(value)
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
		return 0, s.sum.Clamped(m.Bounds())
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
