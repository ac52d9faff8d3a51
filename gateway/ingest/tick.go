package ingest

import (
	"bytes"
	"context"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/listener"
)

// takeTick is a message on the clock topic: RFC 3339, never backwards. It is a
// barrier: what came before it is committed first, and it is acknowledged after
// the windows that it closes have been released.
func (i *Ingest) takeTick(ctx context.Context, w wall, m intake.Message) error {
	if err := i.commit(ctx); err != nil {
		return err
	}
	now, err := time.Parse(time.RFC3339Nano, string(bytes.TrimSpace(m.Payload)))
	old := m.Retained && !i.clock.now.IsZero()
	i.catchUp.await(ctx, err == nil && !old && now.After(i.clock.now))
	switch {
	case old:
		// An old copy; the gateway has a time of its own.
	case m.Checked && m.Sender != listener.ClockUser:
		i.cfg.Log.Warn("a sensor has tried to drive the clock; this message is ignored")
	case err != nil:
		i.cfg.Log.Warn("the clock topic must carry RFC 3339 times; this message is ignored")
	case now.Before(i.clock.now):
		i.cfg.Log.Warn("the simulated clock cannot go backwards; this tick is ignored", "now", i.clock.now)
	default:
		if err := i.tick(ctx, w, now.UTC()); err != nil {
			return err
		}
	}
	i.reception.batch.add(m)
	return i.commit(ctx)
}

// tick moves the gateway's clock and closes every window whose end and lateness
// have passed and that nothing more can be on its way to.
func (i *Ingest) tick(ctx context.Context, w wall, now time.Time) error {
	if err := i.commit(ctx); err != nil {
		return err
	}
	if now.Before(i.clock.now) || !i.clock.simulated() && now.Before(minTime) {
		return nil
	}
	if !i.clock.ticked {
		i.clock.ticked = true
		i.windows.prune(now, &i.account)
	}
	if i.clock.now.IsZero() || i.clock.since.IsZero() {
		i.clock.since = now
	}
	i.catchUp.watch(now, i.windows.oldest())
	if !i.cfg.Exact && !now.Truncate(time.Hour).Equal(i.clock.now.Truncate(time.Hour)) {
		i.reporter.revealCounters()
	}
	i.clock.now = now
	i.windows.resumeAfterLoss(now)
	i.windows.openAlive(now)
	if err := i.closeDue(ctx, w); err != nil {
		return err
	}
	if err := i.barrier(ctx, w); err != nil {
		return err
	}
	if err := i.commit(ctx); err != nil {
		return err
	}
	if i.scrub.due {
		i.dropBuffers()
	}
	i.reporter.refresh()
	return nil
}
