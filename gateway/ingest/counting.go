package ingest

import (
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/window"
)

// counting is the other half of a reading's way. The first half decodes, plans, redacts and
// tags; what is left, an entry, comes here: it is known again or not, bounded, and added up.
// In one process the windows do it.
type counting interface {
	// slot finds the window that an entry of the route at t is for, or why there is none.
	slot(p *route, t int64) (*slot, fault.Code)
	// count adds an entry to it, or says why it does not count. Told says that readings like it
	// are told apart from those that are sent again; the quota is its sensor's, nil for none.
	count(at *slot, e *window.Entry, told bool, q *quota) fault.Code
	// markAlive notes that a sensor lives from at to until.
	markAlive(p *route, number uint64, at, until time.Time)
}

func (o *windows) slot(p *route, t int64) (*slot, fault.Code) {
	w, code := o.at(p, t)
	if code != fault.None {
		return nil, code
	}
	return &w.slot, fault.None
}

func (o *windows) count(at *slot, e *window.Entry, told bool, q *quota) fault.Code {
	return at.counts.(*openWindow).count(e, told, q)
}

// count adds an entry to the window, or says why it does not count.
func (w *openWindow) count(e *window.Entry, told bool, q *quota) fault.Code {
	again := told && w.Seen(e)
	if !again && holds(w.Stream) && q.spent(e.Time) {
		return fault.Quota
	}
	if !again && !w.Room(e) {
		return fault.Scattered
	}
	if !w.Stream.Unit.None() {
		if code := w.admit(e); code != fault.None {
			return code
		}
	}
	if again {
		if e.Accounted = false; !w.News(e) {
			return fault.Duplicate
		}
	}
	w.spend(e)
	w.Apply(e)
	w.pending = checkpoint.AppendEntry(w.pending, e)
	if again {
		return fault.Duplicate // to the sensor; another unit's reading had its place
	}
	return fault.None
}
