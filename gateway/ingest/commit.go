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
