package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/store"
)

// extra is what the store has and the journal has not: somebody else has written it, or
// its line was lost in a recovery. It is no reason not to be ready, since nothing that
// the gateway releases is touched by it, and open data does not show it.
type extra struct {
	windows, streams int
	from, to         time.Time // starts of the first and the last
}

const (
	// extraFor is how long one look may take. It goes on at the next one where it ended.
	extraFor = 5 * time.Second
	// extraPause is how long it rests then, so that years of windows take some hours.
	extraPause = 5 * time.Minute
	extraRows  = 8 // of a window that are looked at: they may be another gateway's
)

func (x extra) String() string {
	if x.windows == 0 {
		return ""
	}
	return fmt.Sprintf("the store has %s of %s, which start between %s and %s, that are not in the journal: "+
		"somebody else writes to it, or a recovery has lost their lines. Open data does not show them; "+
		"sluice verify and docs/operations.md say what to do", counted(x.windows, "window"),
		counted(x.streams, "stream"), x.from.UTC().Format(time.RFC3339), x.to.UTC().Format(time.RFC3339))
}

// extraWalk looks for what the store has more, a stream after the other and from the
// first window to the last, some seconds at a time. It is one goroutine's.
type extraWalk struct {
	streams []string // that are still to be looked at
	at      time.Time
	found   extra  // since the walk began
	last    string // stream of which something was found
}

// extraOnce goes on with the walk, says what is new, and returns when to go on.
func (r *Reconciler) extraOnce(ctx context.Context, w *extraWalk) time.Duration {
	whole, err := r.lookForExtra(ctx, w, time.Now().Add(extraFor))
	if err != nil {
		return compareSoon // the other comparing says what is wrong with the store
	}
	if whole || w.found.windows > 0 {
		r.noteExtra(w.found)
	}
	if whole {
		return compareEvery
	}
	return extraPause
}

// lookForExtra goes on with the walk; whole is true when it has come to its end.
func (r *Reconciler) lookForExtra(ctx context.Context, w *extraWalk, until time.Time) (whole bool, err error) {
	through, err := r.ledger.Journal.Resume(ctx)
	if err != nil {
		return false, err
	}
	names, err := r.ledger.Names(ctx)
	if err != nil {
		return false, err
	}
	ours := r.cells()
	if len(w.streams) == 0 {
		all := slices.Concat(slices.Collect(maps.Keys(ours)), slices.Collect(maps.Keys(through)))
		slices.Sort(all)
		*w = extraWalk{streams: slices.Compact(all), at: time.Unix(0, 0)}
	}
	for len(w.streams) > 0 {
		stream := w.streams[0]
		for {
			if time.Now().After(until) || ctx.Err() != nil {
				return false, ctx.Err()
			}
			rows, err := r.store.Observations(ctx, store.Query{Stream: stream, From: w.at, To: time.Unix(1<<33, 0),
				Gateways: names, Limit: extraRows})
			if err != nil {
				return false, err
			}
			if len(rows) == 0 {
				break
			}
			start := rows[0].Start
			known, err := r.ledger.Journal.Has(ctx, stream, start)
			if err != nil {
				return false, err
			}
			if !known && isOurs(rows, ours[stream]) {
				w.found.add(start)
				if w.last != stream {
					w.last, w.found.streams = stream, w.found.streams+1
				}
			}
			w.at = start.Add(1)
		}
		w.streams, w.at = w.streams[1:], time.Unix(0, 0)
	}
	return true, nil
}

func (x *extra) add(at time.Time) {
	m := missing{windows: x.windows, from: x.from, to: x.to}
	m.add(at)
	x.windows, x.from, x.to = m.windows, m.from, m.to
}

// isOurs reports whether the window of the first row can be this gateway's: where others
// write to the same store, their places are none of ours. A stream of which no policy is
// at hand is nobody else's.
func isOurs(rows []store.Observation, cells map[string]bool) bool {
	return cells == nil || slices.ContainsFunc(rows,
		func(o store.Observation) bool { return o.Start.Equal(rows[0].Start) && cells[o.Cell] })
}

// noteExtra keeps what was found and says it where it is new.
func (r *Reconciler) noteExtra(found extra) {
	r.mu.Lock()
	was := r.extra
	r.extra = found
	r.mu.Unlock()
	switch {
	case found.windows > 0 && found != was:
		r.log.Error("the store has what the journal has not", "problem", found.String())
	case found.windows == 0 && was.windows > 0:
		r.log.Info("the store has nothing any more that the journal has not")
	}
}
