package ingest

import (
	"time"

	"sluice/gateway/ingest/internal/fault"
)

// markAlive notes the sensor in every window of the stream from at to until.
func (o *windows) markAlive(p *route, number uint64, at, until time.Time) {
	if p.spec.Unit.None() {
		return // what is about nobody lives by its readings
	}
	w, code := o.at(p, at.UnixNano())
	if code == fault.None {
		w.markAlive(number)
	}
	// What lies ahead is only noted: no heartbeat opens a window before its time.
	for _, t := p.spec.Window(at); !t.After(until); _, t = p.spec.Window(t) {
		start := t.UnixNano()
		if t.Before(p.stream.next) {
			continue // it is closed, and perhaps being summed up
		}
		if next := p.stream.windows[start]; next != nil && !t.After(o.clock.now) {
			next.markAlive(number)
			continue
		}
		if p.stream.ahead[start] == nil {
			p.stream.ahead[start] = make(map[uint64]bool)
		}
		p.stream.ahead[start][number] = true
	}
}

// openAlive opens the windows that begin now and that somebody is known to live in, so
// that what is known does not depend on a reading that opens them.
func (o *windows) openAlive(now time.Time) {
	for id, s := range o.streams {
		for at := range s.ahead {
			start := time.Unix(0, at).UTC()
			if start.After(now) || start.Before(s.next) {
				continue
			}
			n, spec := o.routing.specAt(id, start)
			if spec == nil {
				continue
			}
			begins, end := spec.Window(start)
			if !begins.Equal(start) || !now.Before(end) {
				continue // of an earlier version's grid, or to be closed without being opened
			}
			if w, err := o.open(s, spec, o.routing.versions[n].Digest, begins, end); err == nil {
				s.applyAlive(w)
			}
		}
	}
}
