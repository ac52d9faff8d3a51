package window

import (
	"encoding/binary"
	"hash/maphash"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/plan"
)

// What one unit did in a cell depends on its own readings alone: whether another's
// reading has the same sensor, boot, seq and time does not matter. The last reading is
// the last whoever repeats it; what adds up is told apart unit by unit (marks). And what
// a sensor may bring is counted by what it has sent itself, whoever else has brought the
// same units.

// HasUnit reports whether the entry's unit counts in its cell already: where each owner
// has a part of the bound, by what sensors of the entry's owner have sent. So who else
// tells of the unit does not matter, but for values: in a cell where several do the unit
// is one, with the last reading of any.
func (w *Window) HasUnit(e *Entry) bool {
	w.memory.find(e)
	a := w.memory.lastAccount
	m, ok := w.cells[e.Cell].units[e.Unit]
	if ok {
		e.place = m.at + 1
	}
	e.brought = a != nil && (ok && m.by == a.index || a.others.has(hashOf(e.Unit), int32(e.Cell)))
	e.counts = ok && m.has(e.Owner)
	return e.counts
}

// Brought reports whether the entry's sensor has brought its unit into the cell before,
// or would have, had the unit not reached its bound. HasUnit comes first.
func (e *Entry) Brought() bool { return e.brought }

// New reports whether the unit does not count in the cell yet. HasUnit comes first.
func (e *Entry) New() bool { return !e.counts }

// UnitRoom reports whether the entry's sensor may bring its unit, and one more reading
// that adds up. HasUnit comes first.
func (w *Window) UnitRoom(e *Entry) (unit, reading bool) {
	m := &w.memory
	a := m.lastAccount
	if a == nil {
		return true, true
	}
	return e.brought || a.units < m.units, !w.marked(e) || a.read < m.reads
}

// News reports whether an entry that was Seen tells something new of its unit: then it
// is another's reading that was Seen. HasUnit comes first.
func (w *Window) News(e *Entry) bool {
	c := &w.cells[e.Cell]
	switch {
	case w.Stream.Unit.None() || w.Stream.Unit.Sensor:
		return false
	case !e.brought:
		return true
	case e.Bounded:
		return false
	case e.New(): // its sensor has another owner now
		return true
	case w.distinctOnly:
		return false
	case w.marked(e):
		return !c.marks.has(w.memory.identity(e), e.place-1)
	}
	for i := range w.Stream.Measures {
		if e.Has&(1<<i) != 0 && w.Stream.Measures[i].Of != plan.Distinct {
			if s := &c.state[int(e.place-1)+i]; s.n == 0 || s.before(e, e.Values[i]) {
				return true
			}
		}
	}
	return false
}

// marked reports whether the unit's readings like this are told apart one by one: those
// that add up, and those whose time is of receipt, which a repetition does not share.
func (w *Window) marked(e *Entry) bool {
	return w.additive || e.Untimed && !w.distinctOnly && !w.Stream.Unit.Sensor
}

func (w *Window) addUnit(c *cell, e *Entry) {
	if e.place == 0 {
		w.HasUnit(e)
	}
	a := w.memory.account(e)
	marked := w.marked(e)
	if marked {
		a.read++
	}
	if e.Bounded {
		w.memory.bring(a, e)
		return
	}
	if e.place == 0 {
		e.place = w.place(c, e.Unit, a.index) + 1
		a.units++
	} else if c.units[e.Unit].by != a.index {
		w.memory.bring(a, e)
	}
	if !e.counts && e.Owner != 0 {
		m := c.units[e.Unit]
		m.owners |= 1 << (e.Owner - 1)
		c.units[e.Unit] = m
	}
	at := e.place - 1
	if marked {
		c.marks.add(w.memory.identity(e), at)
	}
	for i := range w.Stream.Measures {
		of := w.Stream.Measures[i].Of
		if e.Has&(1<<i) == 0 || of == plan.Distinct {
			continue
		}
		s := &c.state[int(at)+i]
		switch of {
		case plan.Sum:
			s.sum.Add(e.Values[i])
		case plan.Mean, plan.Histogram, plan.Quantile:
			if s.n == 0 || s.before(e, e.Values[i]) {
				s.time, s.seq, s.lastValue = e.Time, e.Seq, e.Values[i]
			}
		}
		s.n++
	}
}

// place makes the unit's place in the cell's state. A stream that only counts different
// units needs no state.
func (w *Window) place(c *cell, unit pseudonym.Tag, by int32) int32 {
	if c.units == nil {
		c.units = make(map[pseudonym.Tag]member)
	}
	at := int32(len(c.state))
	c.units[unit] = member{at: at, by: by}
	if !w.distinctOnly {
		c.state = append(c.state, make([]latest, len(w.Stream.Measures))...)
	}
	return at
}

// bring notes that the account has brought a unit that is another's, or is bounded.
func (m *memory) bring(a *account, e *Entry) {
	if a.others.add(hashOf(e.Unit), int32(e.Cell)) {
		a.units++
	}
}

// hashOf is of a tag, which is a keyed hash already.
func hashOf(t pseudonym.Tag) uint64 { return binary.LittleEndian.Uint64(t[:]) }

// identity is of a reading among those of its unit.
func (m *memory) identity(e *Entry) uint64 {
	if !e.Sequenced {
		return hashOf(e.Message)
	}
	return maphash.Comparable(m.seed, [4]uint64{e.Sensor, e.Boot, e.Seq, uint64(e.stamp())})
}
