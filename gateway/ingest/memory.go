package ingest

import (
	"sluice/gateway/ingest/internal/reading"
)

// memory has a sensor's last values of fields that are compared with them: counters that only grow,
// and states. It is in the process's memory only, so that nothing of it is on a disk; after a start
// the first value of each has nothing to be compared with. Of a sensor that is about people it is
// dropped when an epoch ends: then nobody can tell what it knew before.
type memory []last

// last is a field's last value, and the reading that it is of.
type last struct {
	value    float64
	at       int64
	boot     uint64
	seq      uint64
	known    bool
	numbered bool
}

// Exchange takes a field's value, and returns the one before it.
func (d *delivery) Exchange(field int, value float64, of *reading.Stamp) (before float64, known, late bool) {
	if d.message.Retained && !of.Timed || d.in.clock.known() &&
		of.Time > d.in.clock.at(d.message.Received)+int64(d.in.cfg.Future) {
		return 0, false, false // it is refused, and must not be the last for long
	}
	for len(d.sensor.memory) <= field {
		d.sensor.memory = append(d.sensor.memory, last{})
	}
	l := &d.sensor.memory[field]
	was := *l
	if was.known && (of.Time < was.at || of.Time == was.at && !(of.Sequenced && was.numbered && of.Boot == was.boot &&
		of.Seq > was.seq)) {
		return 0, false, true
	}
	*l = last{value, of.Time, of.Boot, of.Seq, true, of.Sequenced}
	return was.value, was.known, false
}
