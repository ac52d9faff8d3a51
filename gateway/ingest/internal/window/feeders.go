package window

import (
	"sync/atomic"

	"sluice/plan"
)

// Feeder is a sensor that measures a cell. Known says that it sends heartbeats; it
// is the sensor's own word, which may change. From and before Until, in nanoseconds since
// 1970, the register has it: not before it was registered, nor after it made way for
// another.
type Feeder struct {
	Sensor      uint64
	Known       *atomic.Bool
	From, Until int64
}

// Feeders are the sensors that measure a stream's cells. Each is there once, in its
// zone's list or in that of those that move, so that a hundred thousand sensors in
// ten thousand cells are a hundred thousand entries.
type Feeders struct {
	moving []Feeder
	zones  map[string][]Feeder
	stream *plan.Stream
}

// NewFeeders are those of a stream that nobody measures.
func NewFeeders(s *plan.Stream) *Feeders {
	return &Feeders{zones: make(map[string][]Feeder), stream: s}
}

// Add notes a sensor of a zone; of no zone where its readings say where it is.
func (f *Feeders) Add(zone string, one Feeder) {
	if zone == "" {
		f.moving = append(f.moving, one)
		return
	}
	f.zones[zone] = append(f.zones[zone], one)
}

// numbers are how many sensors are registered for each cell at an instant: in its zone, or
// anywhere where their readings say where they are. A home whose device was replaced is
// one, and one that has left is none.
func (f *Feeders) numbers(at int64) func(cell int) int64 {
	if f == nil {
		return func(int) int64 { return 0 }
	}
	there := func(list []Feeder) (n int64) {
		for _, one := range list {
			if at >= one.From && at < one.Until {
				n++
			}
		}
		return n
	}
	moving, zones := there(f.moving), make(map[string]int64, len(f.zones))
	for zone, list := range f.zones {
		zones[zone] = moving + there(list)
	}
	return func(cell int) int64 {
		if cell >= len(f.stream.Cells) {
			return 0
		}
		return max(moving, zones[f.stream.Cells[cell].Zone])
	}
}

// measured reports of each cell whether it was measured. That is decided by what
// people cannot influence: heartbeats. A cell is unmeasured only when all its
// sensors send them and none came. Where sensors are the units, their heartbeats are
// somebody's doing too: then a cell is measured that has any.
func (w *Window) measured(f *Feeders) func(cell int) bool {
	if f == nil {
		return func(int) bool { return false }
	}
	moving, zones := w.lives(f.moving), make(map[string]bool, len(f.zones))
	for zone, list := range f.zones {
		zones[zone] = moving || w.lives(list)
	}
	return func(cell int) bool {
		return moving || cell < len(f.stream.Cells) && zones[f.stream.Cells[cell].Zone]
	}
}

func (w *Window) lives(list []Feeder) bool {
	if w.Stream.Unit.Sensor {
		return len(list) > 0
	}
	for _, f := range list {
		if !f.Known.Load() || w.IsAlive(f.Sensor) {
			return true
		}
	}
	return false
}
