package rollback

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/gateway/reconcile"
	"sluice/internal/civil"
)

// Recovered says what a recovery found and did.
type Recovered struct {
	Behind string               // why the directory is not the latest; empty where it is
	Back   int                  // rows put back into the books that machines share
	Lines  int                  // of the books, taken from the copies of them
	Lost   int64                // lines that the head beside the keys knows of, and no copy has
	Gone   int                  // windows whose numbers the store has lost, as the gaps say now
	Broken []error              // what is wrong with the copies
	Until  map[string]time.Time // streams that stay silent until then
}

// Recover makes an older state directory that was put back fit to go on. It takes
// over the lines that the outside copy of the books still has. What cannot be
// known any more, contributions of the epochs under way and windows that were
// released since, is given up: every stream stays silent until the first local
// midnight after both now and its last release, and the gap is public.
func (g *Guard) Recover(ctx context.Context, store *reconcile.Reconciler) (Recovered, error) {
	var out Recovered
	switch barred, err := g.ledger.Recovery.Barred(ctx); {
	case err != nil || barred == nil:
	case errors.Is(barred, ledger.ErrShorter):
		out.Behind = ledger.ErrShorter.Error()
	default:
		out.Behind = "the books that machines share lack something that was released"
	}
	var err error
	if out.Back, err = g.ledger.Recovery.Restore(ctx); err != nil {
		return out, err
	}
	err = g.Check(ctx)
	if err == nil {
		out.Gone, err = store.SayLost(ctx)
		return out, err
	}
	if !errors.Is(err, ledger.ErrBehind) {
		return out, err
	}
	out.Behind = cmp.Or(out.Behind, err.Error())
	copies := g.best()
	out.Broken = copies.broken
	if out.Lines, err = g.ledger.Recovery.Import(ctx, copies); err != nil {
		return out, fmt.Errorf("%w; if the copy is the right one, begin a new state directory", err)
	}
	if err := g.withdrawAgain(ctx, copies, store); err != nil {
		return out, err
	}
	if out.Lost, err = g.lost(ctx); err != nil {
		return out, err
	}
	if out.Gone, err = store.SayLost(ctx); err != nil {
		return out, err
	}
	now := time.Now()
	if g.ledger.Recovery.Shared() {
		now = now.Add(drawnAhead)
	}
	if out.Until, err = g.silences(ctx, now); err != nil {
		return out, err
	}
	if err := g.ledger.Recovery.Skip(ctx, out.Until); err != nil {
		return out, err
	}
	if g.head.keys != "" {
		if err := os.Remove(g.head.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
	}
	g.trusted.Store(true)
	g.SaveHead(ctx)
	return out, nil
}

// drawnAhead is how long before an epoch machines that share books draw its keys. Where that was
// forgotten they may draw others, and a device would count twice in it.
const drawnAhead = 10 * time.Minute

// farAhead is a last release that no clock that was right can have made.
const farAhead = 24 * time.Hour

// silentUntil is the end of the day, or where a clock has changed the longer day, in
// which a stream's contributions are not known any more: of now, or of its last
// release. A new directory whose forerunner's clock was far ahead need not wait for
// what that has closed: the forerunner's books end with it.
func (g *Guard) silentUntil(last, now time.Time) time.Time {
	at := last
	if !g.cfg.Simulation && (now.After(at) || g.fresh && at.After(now.Add(farAhead))) {
		at = now
	}
	city := g.policy.Location()
	if city == nil {
		return at.Add(25 * time.Hour).UTC() // no policy yet says whose midnight it is
	}
	y, m, d := at.In(city).Date()
	return civil.Midnight(y, m, d+1, city).UTC()
}

// lost is how many lines of the books the head names and the ledger has not.
func (g *Guard) lost(ctx context.Context) (int64, error) {
	was, known, err := g.head.read()
	if err != nil || !known {
		return 0, err
	}
	now, err := g.ledger.Recovery.Head(ctx)
	return max(0, was.Ledger.N-now.Ledger.N) + max(0, was.Releases.N-now.Releases.N), err
}

// withdrawAgain hides what was hidden after the backup: the copies say what.
func (g *Guard) withdrawAgain(ctx context.Context, from best, store *reconcile.Reconciler) error {
	have, at := int64(0), int64(0)
	for {
		lines, next, err := g.ledger.Page(ctx, "withdrawals.jsonl", at)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			break
		}
		have, at = have+int64(len(lines)), next
	}
	return from.Each("withdrawals.jsonl", func(line string) error {
		var w books.Withdrawal
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			return fmt.Errorf("withdrawals.jsonl: %w", err)
		}
		if w.N != have+1 {
			return nil // it is known
		}
		have++
		return store.Hide(ctx, w)
	})
}

// silences is until when each stream stays silent after a recovery, by the last window
// that anybody knows of. The end of an earlier recovery's silence is none: nothing was
// released up to it, so it is kept and not added to.
func (g *Guard) silences(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	have, err := g.ledger.Recovery.Head(ctx)
	if err != nil {
		return nil, err
	}
	ahead, _, err := g.ahead(ctx, have.Streams)
	if err != nil {
		return nil, err
	}
	left, _, err := g.head.read()
	if err != nil {
		return nil, err
	}
	released, silent := ahead, make(map[string]time.Time)
	for _, h := range []ledger.Head{have, left} {
		for id, end := range h.Streams {
			if before, ok := h.Silent[id]; ok {
				silent[id] = later(silent[id], end)
				end = before
			}
			released[id] = later(released[id], end)
		}
	}
	out := make(map[string]time.Time)
	for id, end := range released {
		out[id] = g.silentUntil(end, now)
		if far := silent[id].After(now.Add(2 * farAhead)); !far || !g.fresh || g.cfg.Simulation {
			out[id] = later(out[id], silent[id])
		}
	}
	return out, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
