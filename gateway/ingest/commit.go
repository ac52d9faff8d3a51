package ingest

import (
	"context"
	"time"
)

// Group commit: after this many readings, or this long, whichever is first, and
// at once when nothing more is waiting.
const (
	commitReadings = 1000
	commitWait     = 5 * time.Millisecond
)

// drain takes messages until none waits or the commit is due; a front's is with its next tick,
// unless it has gathered much.
func (i *Ingest) drain(ctx context.Context, w wall) error {
	i.pulse.beat(taking)
	most := commitReadings
	if i.front != nil {
		most = frontReadings
	}
	if err := i.takeUntil(ctx, w, time.Now().Add(commitWait), most); err != nil {
		return err
	}
	if i.front != nil && i.reception.batch.readings < most {
		return nil
	}
	return i.commit(ctx)
}

// takeUntil takes messages until none waits, some time has come, or the batch has so many readings: one at least,
// whatever the time. The queue says once that it has something, and says so again only to who has taken of it: on a
// busy machine the time may have come before the first is taken, and what waits would wait for whoever sends next.
func (i *Ingest) takeUntil(ctx context.Context, w wall, deadline time.Time, most int) error {
	for {
		m, ok := i.sources.queue.Take()
		if !ok {
			return nil
		}
		if err := i.handle(ctx, w, m); err != nil {
			return err
		}
		if i.reception.batch.readings >= most || time.Now().After(deadline) {
			return nil
		}
	}
}

// snapshot is what all parts want to be durable.
func (i *Ingest) snapshot() snapshot {
	s := snapshot{now: i.clock.now, account: &i.account.account, heard: i.liveness.list, open: i.windows.unsaved()}
	s.last, s.lastChanged = i.reception.lastValues, len(i.reception.memories) > 0
	s.facts.Shown, s.facts.Closes = i.account.visible, i.closes.list
	i.windows.saveTo(&s.facts)
	i.catchUp.saveTo(&s.facts)
	return s
}

// commit makes everything so far durable and acknowledges it. It tries until it
// succeeds: until then nothing is acknowledged and intake stands still.
func (i *Ingest) commit(ctx context.Context) error {
	if i.front != nil {
		i.pulse.beat(writing)
		if err := i.front.flush(ctx); err != nil {
			return err
		}
	}
	s := i.snapshot()
	if len(i.reception.batch.messages) == 0 && i.journal.has(&s) {
		return nil
	}
	records, after, err := i.journal.records(&s)
	if err != nil {
		return err
	}
	begun := time.Now()
	i.pulse.beat(writing)
	if err := i.journal.write(ctx, records); err != nil {
		return err
	}
	i.account.committed(time.Since(begun))
	i.journal.written(after)
	i.windows.markSaved()
	clear(i.reception.memories)
	i.reporter.publish() // first, so that who was acknowledged finds it counted
	i.pulse.beat(acknowledging)
	i.sources.acknowledge(i.reception.batch.messages)
	i.reception.batch.messages, i.reception.batch.readings = i.reception.batch.messages[:0], 0
	i.pulse.beat(compacting)
	i.journal.compact()
	return nil
}
