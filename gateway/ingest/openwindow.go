package ingest

import (
	"encoding/binary"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/ingest/internal/window"
)

// stream is the state of one published series.
type stream struct {
	id string
	// next is the start of the first window that is not closed; zero before the
	// first tick.
	next    time.Time
	windows map[int64]*openWindow
	epochs  map[int64]*openEpoch
	last    *openWindow // the one that the last reading fell into
	// ahead are sensors known to live in windows that are not open yet, by start.
	ahead map[int64]map[uint64]bool
}

// openWindow is a window with what it owes the log.
type openWindow struct {
	*window.Window
	slot
	name    string
	epoch   *openEpoch
	pending []byte
}

// unitsInEpoch bounds what one sensor may bring into an epoch's windows, beside the
// bound of each window.
const unitsInEpoch = 1 << 21

// openEpoch is an epoch with what it owes the log.
type openEpoch struct {
	*pseudonym.Epoch
	brought    map[uint64]int // units, by sensor, since the start
	name       string
	start, end time.Time
	lost       bool
	pending    []byte // tags
	divided    []byte // tags with an owner's number each, or with noOwner
}

// noOwner stands where a tag has an owner's number, and is none: the unit was turned away.
const noOwner = 0

// drop forgets an open window and its keys, and gives back what it takes of the budget.
func (s *stream) drop(at int64) {
	if w := s.windows[at]; w != nil {
		if s.last == w {
			s.last = nil
		}
		w.Forget()
		w.forget()
		delete(s.windows, at)
	}
}

// applyAlive notes who was known to live in a window before it began.
func (s *stream) applyAlive(w *openWindow) {
	for number := range s.ahead[w.start] {
		w.markAlive(number)
	}
	delete(s.ahead, w.start)
}

// markAlive notes a sensor's life once.
func (w *openWindow) markAlive(number uint64) {
	if w.IsAlive(number) {
		return
	}
	e := window.Entry{Alive: true, Sensor: number}
	w.Apply(&e)
	w.pending = checkpoint.AppendEntry(w.pending, &e)
}

// admit sees whether the entry's unit may count. A unit that has reached its
// bound is admitted like any other, and counts nowhere: to refuse it would tell its sensor
// where else it was. What a sensor is refused depends on what it has sent.
func (w *openWindow) admit(e *window.Entry) fault.Code {
	counts := w.HasUnit(e)
	room, more := w.UnitRoom(e)
	switch {
	case !more:
		return fault.Scattered
	case !room || !e.Brought() && w.epoch.brought[e.Sensor] >= unitsInEpoch:
		return fault.Crowded
	}
	e.Bounded = !counts && !w.room(e)
	return fault.None
}

// room reports whether the unit has a contribution left: of those that the sensor's owner
// has for itself, or of all.
func (w *openWindow) room(e *window.Entry) bool {
	if e.Owner != 0 {
		p := w.Stream.OwnerParts()[e.Owner-1]
		return w.epoch.PartRoom(e.Unit, p.Number, p.Most)
	}
	return w.epoch.Room(e.Unit, w.Stream.Protect.MaxContributions)
}

// spend spends one contribution where the unit is new to the cell, or notes that there was
// none to be spent.
func (w *openWindow) spend(e *window.Entry) {
	if w.Stream.Unit.None() {
		return
	}
	if !e.Brought() {
		w.epoch.brought[e.Sensor]++
	}
	switch {
	case e.Bounded:
		if w.epoch.TurnAway(e.Unit) {
			w.epoch.divided = binary.LittleEndian.AppendUint64(append(w.epoch.divided, e.Unit[:]...), noOwner)
		}
	case !e.New():
	case e.Owner != 0:
		owner := w.Stream.OwnerParts()[e.Owner-1].Number
		w.epoch.UsePart(e.Unit, owner)
		w.epoch.divided = binary.LittleEndian.AppendUint64(append(w.epoch.divided, e.Unit[:]...), owner)
	default:
		w.epoch.Use(e.Unit)
		w.epoch.pending = append(w.epoch.pending, e.Unit[:]...)
	}
}
