package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/store"
	"sluice/store/sqlite"
)

// The store is the only copy of the values once they are delivered. Whether it still has
// what the journal says was delivered is asked a little after a start and every hour, of
// the last week only and for some seconds at most: a store that was removed, emptied or
// put back from an older copy lacks the latest. sluice verify compares all of it.
const (
	compareAfter = time.Second
	compareEvery = time.Hour
	compareSoon  = 5 * time.Second // while parcels wait
	compareBack  = 7 * 24 * time.Hour
	compareFor   = 20 * time.Second
	comparePage  = 256
)

// missing is what the journal has and the store has not.
type missing struct {
	windows, streams int
	from, to         time.Time // starts of the first and the last
	short            bool      // the time was over before all were asked for
}

func (m missing) String() string {
	least := ""
	if m.short {
		least = "at least "
	}
	return fmt.Sprintf("%s%s of %s, which start between %s and %s, were delivered and are missing in the store; "+
		"stop the gateway, put the latest backup of the store back, and run sluice ledger recover, which says in "+
		"the public gaps what is still missing (docs/operations.md)",
		least, counted(m.windows, "window"), counted(m.streams, "stream"), m.from.UTC().Format(time.RFC3339),
		m.to.UTC().Format(time.RFC3339))
}

// counted is a number of things in English.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Run compares beside everything else until ctx ends.
func (r *Reconciler) Run(ctx context.Context) error {
	lacks := time.Now().Add(compareAfter) // when it is asked next
	more, walk := lacks, new(extraWalk)
	for {
		wait := time.Until(lacks)
		if d := time.Until(more); d < wait {
			wait = d
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if !time.Now().Before(lacks) {
			lacks = time.Now().Add(compareSoon)
			if r.compareOnce(ctx) {
				lacks = time.Now().Add(compareEvery)
			}
		}
		if !time.Now().Before(more) {
			more = time.Now().Add(r.extraOnce(ctx, walk))
		}
	}
}

// compareOnce compares once and says what is new; false where it could not be told.
func (r *Reconciler) compareOnce(ctx context.Context) bool {
	lost, settled, err := r.compared(ctx, time.Now().Add(compareFor))
	said := ""
	switch {
	case ctx.Err() != nil:
		return true
	case sqlite.IsDamaged(err) && r.file != "":
		said = fmt.Sprintf("the store %s is damaged (%v); stop the gateway and put a backup of it back "+
			"(docs/operations.md)", r.file, err)
	case err != nil:
		r.log.Warn("whether the store has what was delivered could not be asked; it is tried again", "error", err)
		return false
	case !settled:
		return false
	case lost.windows > 0:
		said = lost.String()
	}
	r.mu.Lock()
	was := r.problem
	r.problem, r.lacks = said, lost.windows
	r.mu.Unlock()
	switch {
	case said != "" && said != was:
		r.log.Error("the store is not as it was left", "problem", said)
	case said == "" && was != "":
		r.log.Info("the store has the last week's windows again")
	}
	return true
}

// compared asks the store for the windows of the last week, latest first, until an
// instant; it answers false while parcels wait in the outbox. Rows of before gateways were
// noted are taken for ours, also where another gateway has written them.
func (r *Reconciler) compared(ctx context.Context, until time.Time) (lost missing, settled bool, err error) {
	through, err := r.ledger.Journal.Resume(ctx)
	if err != nil || len(through) == 0 {
		return lost, true, err
	}
	said, err := r.ledger.Journal.Lost(ctx)
	if err != nil {
		return lost, false, err
	}
	gone, err := r.ledger.Removals.Gone(ctx)
	if err != nil {
		return lost, false, err
	}
	last := slices.MaxFunc(slices.Collect(maps.Values(through)), time.Time.Compare)
	for _, stream := range slices.Sorted(maps.Keys(through)) {
		had := lost.windows
		for before := last; ; {
			starts, settled, err := r.ledger.Journal.Stored(ctx, stream, last.Add(-compareBack), before, comparePage)
			if err != nil || !settled {
				return lost, false, err
			}
			again := 0
			for _, at := range starts {
				if lost.short = time.Now().After(until); lost.short {
					break
				}
				if covered(said, stream, at) || at.Before(gone[stream]) {
					continue
				}
				lacks, sent, err := r.missing(ctx, stream, at)
				switch {
				case err != nil:
					return lost, false, err
				case sent:
					again++
				case lacks:
					lost.add(at)
				}
			}
			if again > 0 {
				r.log.Warn("windows that were delivered are missing in the store; they are sent again",
					"stream", stream, "windows", again)
				return lost, false, nil
			}
			if lost.short || len(starts) < comparePage {
				break
			}
			before = starts[len(starts)-1]
		}
		if lost.windows > had {
			lost.streams++
		}
	}
	return lost, true, nil
}

// missing reports whether a window that was delivered is not in the store, and whether it
// was kept and is sent again. What the store has refused is said as such, and not here.
func (r *Reconciler) missing(ctx context.Context, stream string, start time.Time) (lacks, sent bool, err error) {
	names, err := r.ledger.Names(ctx)
	if err != nil {
		return false, false, err
	}
	rows, err := r.store.Observations(ctx, store.Query{Stream: stream, From: start, To: start.Add(1), Gateways: names,
		Limit: 1})
	if err != nil || len(rows) > 0 {
		return false, false, err
	}
	if aside, err := r.ledger.Asides.Has(ctx, stream, start); err != nil || aside {
		return false, false, err
	}
	sent, err = r.ledger.Outbox.Resend(ctx, stream, start)
	return true, sent, err
}

func (m *missing) add(at time.Time) {
	m.windows++
	if m.from.IsZero() || at.Before(m.from) {
		m.from = at
	}
	if at.After(m.to) {
		m.to = at
	}
}
