package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/internal/civil"
	"sluice/internal/retry"
	"sluice/store"
)

// errRestored says what to do about a state directory that was put back.
var errRestored = errors.New("stop the gateway and run sluice ledger recover (docs/operations.md)")

// errEarly says that there is no stream yet of which the store could be asked.
var errEarly = errors.New("no policy is in force yet; whether this state directory is the latest is asked before the first release")

// trust makes sure, before the first release of a process, that this state
// directory is the latest one: an older one, put back from a backup, would draw
// noise a second time for what is public already, and has forgotten what was
// spent. It asks whoever may know better: the head that the last process left
// beside the keys or, without one, the store and the public books; and the copy of
// the books outside.
func (g *Gateway) trust(ctx context.Context) error {
	if g.trusted.Load() {
		return nil
	}
	g.asking.Lock()
	defer g.asking.Unlock()
	g.mu.Lock()
	damage := g.damage
	g.mu.Unlock()
	if damage != "" {
		return errors.New(damage)
	}
	if g.fresh && g.cfg.Simulation && !g.used() {
		// A simulation begun anew. What the one before it has left beside the keys must not
		// be asked at the next start.
		g.trusted.Store(true)
		g.remember(ctx)
		return nil
	}
	if half, err := g.ledger.Unfinished(ctx); err != nil {
		return err
	} else if half {
		return fmt.Errorf("%w, and a recovery of it was not finished; %w", ledger.ErrBehind, errRestored)
	}
	head, known, err := g.head()
	if err != nil {
		return err
	}
	if known {
		err := g.ledger.Extends(ctx, head)
		if err != nil && g.fresh {
			return fmt.Errorf("%w: it is new, and another one was here; if that is meant, remove %s, else %w", err, g.headPath(), errRestored)
		}
		if err != nil {
			return fmt.Errorf("%w, as the head beside the keys says; %w", err, errRestored)
		}
	} else if err := g.ask(ctx, g.published()); err != nil {
		return err
	} else if err := g.askStore(ctx); err != nil {
		return err
	}
	if w, ok := g.outside(); ok {
		if err := g.ask(ctx, w); err != nil {
			return err
		}
	}
	g.trusted.Store(true)
	return nil
}

// used reports whether public books say that something was released from this
// directory before.
func (g *Gateway) used() bool {
	for _, name := range chained {
		if info, err := os.Stat(filepath.Join(string(g.public), name)); err == nil && info.Size() > 0 {
			return true
		}
	}
	return false
}

// askEarly asks at the start, and again until there is an answer, so that whoever has
// put a state directory back learns it before the first window closes.
func (g *Gateway) askEarly(ctx context.Context) error {
	pauses, said := retry.Backoff{First: 100 * time.Millisecond, Longest: 5 * time.Second}, ""
	for {
		err := g.trust(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			g.stalled.Forget(said)
			g.poke()
			return nil
		case !errors.Is(err, errEarly) && err.Error() != said:
			g.stalled.Forget(said)
			said = err.Error()
			if g.stalled.News(said) {
				g.log.Error("nothing can be released yet; it is tried again", "error", err)
			}
		}
		if !pauses.Wait(ctx) {
			return nil
		}
	}
}

// askStore looks whether the store has windows of ours that the journal has not.
func (g *Gateway) askStore(ctx context.Context) error {
	resume, err := g.ledger.Resume(ctx)
	if err != nil {
		return err
	}
	ahead, asked, err := g.ahead(ctx, resume)
	if err == nil && asked == 0 {
		return errEarly
	}
	if err != nil {
		return fmt.Errorf("whether this state directory is the latest cannot be asked: %w", err)
	}
	if len(ahead) > 0 {
		return fmt.Errorf("%w: the store has later windows; %w", ledger.ErrBehind, errRestored)
	}
	return nil
}

// ahead is, for each stream of which the store has windows that start at or after
// resume, the end of the last; and of how many streams it was asked.
func (g *Gateway) ahead(ctx context.Context, resume map[string]time.Time) (out map[string]time.Time, asked int, err error) {
	names, err := g.ledger.Names(ctx)
	if err != nil {
		return nil, 0, err
	}
	g.mu.Lock()
	cells := make(map[string][]string) // ours, by stream: others may write to the same store
	for _, set := range g.sets {
		for _, s := range set.Streams {
			for _, c := range s.Cells {
				if len(cells[s.ID]) < 8 {
					cells[s.ID] = append(cells[s.ID], c.ID())
				}
			}
		}
	}
	g.mu.Unlock()
	out = make(map[string]time.Time)
	for id, list := range cells {
		from := resume[id]
		if from.IsZero() {
			from = time.Unix(0, 0)
		}
		rows, err := g.store.Observations(ctx, store.Query{Stream: id, From: from, To: time.Unix(1<<33, 0), Cells: list, Gateways: names, Limit: 1})
		if err != nil {
			return nil, 0, err
		}
		if len(rows) > 0 {
			if out[id], err = g.store.ClosedUntil(ctx, id); err != nil {
				return nil, 0, err
			}
		}
	}
	return out, len(cells), nil
}

// Recovered says what a recovery found and did.
type Recovered struct {
	Behind string               // why the directory is not the latest; empty where it is
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
func (g *Gateway) Recover(ctx context.Context) (Recovered, error) {
	var out Recovered
	err := g.trust(ctx)
	if err == nil {
		if out.Gone, err = g.sayLost(ctx); err == nil && out.Gone > 0 {
			err = g.writeBooks(ctx)
		}
		return out, err
	}
	if !errors.Is(err, ledger.ErrBehind) {
		return out, err
	}
	out.Behind = err.Error()
	copies := g.best()
	out.Broken = copies.broken
	if out.Lines, err = g.ledger.Import(ctx, copies); err != nil {
		return out, fmt.Errorf("%w; if the copy is the right one, begin a new state directory", err)
	}
	if err := g.withdrawAgain(ctx, copies); err != nil {
		return out, err
	}
	if out.Lost, err = g.lost(ctx); err != nil {
		return out, err
	}
	if out.Gone, err = g.sayLost(ctx); err != nil {
		return out, err
	}
	if out.Until, err = g.silences(ctx, time.Now()); err != nil {
		return out, err
	}
	if err := g.ledger.Skip(ctx, out.Until); err != nil {
		return out, err
	}
	if g.keys != "" {
		if err := os.Remove(g.headPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
	}
	g.trusted.Store(true)
	g.remember(ctx)
	return out, g.writeBooks(ctx)
}

// farAhead is a last release that no clock that was right can have made.
const farAhead = 24 * time.Hour

// silentUntil is the end of the day, or where a clock has changed the longer day, in
// which a stream's contributions are not known any more: of now, or of its last
// release. A new directory whose forerunner's clock was far ahead need not wait for
// what that has closed: the forerunner's books end with it.
func (g *Gateway) silentUntil(last, now time.Time) time.Time {
	at := last
	if !g.cfg.Simulation && (now.After(at) || g.fresh && at.After(now.Add(farAhead))) {
		at = now
	}
	g.mu.Lock()
	known := g.latest != nil
	g.mu.Unlock()
	if !known {
		return at.Add(25 * time.Hour).UTC() // no policy yet says whose midnight it is
	}
	y, m, d := at.In(g.location()).Date()
	return civil.Midnight(y, m, d+1, g.location()).UTC()
}

// lost is how many lines of the books the head names and the ledger has not.
func (g *Gateway) lost(ctx context.Context) (int64, error) {
	was, known, err := g.head()
	if err != nil || !known {
		return 0, err
	}
	now, err := g.ledger.Head(ctx)
	return max(0, was.Ledger.N-now.Ledger.N) + max(0, was.Releases.N-now.Releases.N), err
}

// withdrawAgain hides what was hidden after the backup: the copies say what.
func (g *Gateway) withdrawAgain(ctx context.Context, from best) error {
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
		return g.hide(ctx, w)
	})
}

func (g *Gateway) location() *time.Location {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.latest == nil {
		return time.UTC
	}
	return g.latest.Location
}

// silences is until when each stream stays silent after a recovery, by the last window
// that anybody knows of. The end of an earlier recovery's silence is none: nothing was
// released up to it, so it is kept and not added to.
func (g *Gateway) silences(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	have, err := g.ledger.Head(ctx)
	if err != nil {
		return nil, err
	}
	ahead, _, err := g.ahead(ctx, have.Streams)
	if err != nil {
		return nil, err
	}
	left, _, err := g.head()
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
