package ingest

import (
	"context"
	"time"
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
		i.reception.counting = i.front
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
