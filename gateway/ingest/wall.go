package ingest

import (
	"context"

	"sluice/gateway/release"
	"sluice/internal/crash"
)

// wall is the only way out: batches cross it, keys of released ones come back.
type wall struct {
	out  chan<- release.Batch
	done <-chan release.Key
}

// closeDue commits the close of what is due now, and has it released. From that
// commit on nothing is added to a closed window: what comes for it is late.
func (i *Ingest) closeDue(ctx context.Context, w wall) error {
	if i.front != nil {
		return i.leave(ctx)
	}
	if i.closes.close() {
		if err := i.commit(ctx); err != nil {
			return err
		}
	}
	i.closes.cross(ctx, w, i.sources.fail)
	return nil
}

// cross sends the first closed window on its way across the wall, unless one is on its way
// already. A window may have thousands of cells and a million units, so another goroutine
// sums it up, and readings are taken meanwhile. A panic there is told to fail.
func (q *closes) cross(ctx context.Context, w wall, fail func(error)) {
	for !q.crossing && len(q.list) > 0 {
		closed := q.detach(q.list[0])
		if closed == nil { // its policy is gone; nothing may leave
			q.shredFirst()
			continue
		}
		q.crossing = true
		q.summing.Go(func() {
			if err := crash.Guard(func() error {
				select {
				case w.out <- closed.batch():
				case <-ctx.Done():
				}
				return nil
			}); err != nil {
				fail(err)
			}
		})
	}
}

// crossed follows the commit of the release of the window that was on its way.
func (i *Ingest) crossed(ctx context.Context, w wall) error {
	i.closes.crossing = false
	i.closes.shredFirst()
	if len(i.closes.list) > 0 {
		i.closes.cross(ctx, w, i.sources.fail)
		return nil
	}
	if i.closes.overdue {
		return i.closeDue(ctx, w)
	}
	if err := i.commit(ctx); err != nil {
		return err
	}
	if i.scrub.due {
		i.dropBuffers()
	}
	return nil
}

// barrier waits, under a simulated clock, until all that was due has been released.
func (i *Ingest) barrier(ctx context.Context, w wall) error {
	for i.clock.simulated() && !i.closes.through() {
		i.pulse.beat(releasing)
		select {
		case <-w.done:
			if err := i.crossed(ctx, w); err != nil {
				return err
			}
		case err := <-i.sources.fatal:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
