package ingest

import (
	"context"
	"time"

	"sluice/gateway/ingest/internal/handover"
)

// OpenFront is Open of a front.
func OpenFront(cfg Config, front Front, versions []Version) (*Ingest, error) {
	i := newIngest(cfg)
	if err := i.lead(&front); err != nil {
		return nil, err
	}
	return i.open(versions)
}

// lead leads what is left of readings to those who count it.
func (i *Ingest) lead(front *Front) (err error) {
	if i.front, err = newFront(i, front); err == nil {
		i.reception.counting, i.changes.front, i.pulse.front = i.front, i.front, true
	}
	return err
}

// every is how often the clock of a gateway that goes by wall time ticks, and a front speaks.
func (i *Ingest) every() time.Duration {
	if i.front != nil {
		return frontTick
	}
	return wallTick
}

// ticked is what is done with each tick of the machine's clock.
func (i *Ingest) ticked(ctx context.Context, w wall) error {
	if i.front != nil {
		i.front.beat = true
	}
	switch {
	case !i.clock.simulated():
		return i.tick(ctx, w, i.clock.believed())
	case i.front != nil:
		return i.commit(ctx)
	}
	return nil
}

// leave lets a front turn from the windows that are due: partitions hear of it.
func (i *Ingest) leave(ctx context.Context) error {
	for due := i.closes.due(i.clock.now); len(due) > 0; due = i.closes.due(i.clock.now) {
		if i.front.closed(due) {
			i.feedback.dropSeqs()
			i.scrub.due = true
		}
	}
	return i.commit(ctx)
}

// freeFrom is windows.freeFrom of windows that others have.
func (f *front) freeFrom(now time.Time) time.Time {
	free := now
	for _, of := range f.streams {
		for _, s := range of.slots {
			if end := time.Unix(0, s.end).UTC(); s.start >= now.UnixNano() && end.After(free) {
				free = end
			}
		}
	}
	return free
}

// overtaken gives up the windows that begin in a span in which a version holds already, and for which
// something may have been handed over under the one before: they are gaps.
func (f *front) overtaken(since, free time.Time) {
	for id, s := range f.windows.streams {
		if s.next.IsZero() {
			continue // it has nothing
		}
		t := s.next
		if since.After(t) {
			t = since
		}
		for t.Before(free) {
			_, spec := f.routing.specAt(id, t)
			if spec == nil {
				break
			}
			start, end := spec.Window(t)
			f.gaps = append(f.gaps, handover.Gap{Stream: id, Start: start.UnixNano(), Reason: reasonSilent})
			t = end
		}
		of := f.of(s)
		of.drop(func(s *frontSlot) bool { return s.start >= since.UnixNano() })
	}
}
