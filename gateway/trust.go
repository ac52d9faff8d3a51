package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/perm"
	"sluice/policy/plan"
	"sluice/store"
)

// errRestored says what to do about a state directory that was put back.
var errRestored = errors.New("stop the gateway and run sluice ledger recover (docs/operations.md)")

func remote(where string) bool { return strings.Contains(where, "://") }

// trust makes sure, before the first release of a process, that this state
// directory is the latest one: an older one, put back from a backup, would draw
// noise a second time for what is public already, and has forgotten what was
// spent. It asks whoever may know better: the head that the last process left
// beside the keys, the store, and the copies of the books.
func (g *Gateway) trust(ctx context.Context) error {
	if g.trusted.Load() {
		return nil
	}
	if g.fresh && g.cfg.Simulation {
		g.trusted.Store(true) // a simulation begun anew
		return nil
	}
	head, known, err := g.head()
	if err != nil {
		return err
	}
	if known {
		err := g.ledger.Extends(ctx, head)
		if err != nil && g.fresh {
			return fmt.Errorf("%w: it is new, and another one was here; if that is meant, remove %s, else %w", err, filepath.Join(g.keys, headFile), errRestored)
		}
		if err != nil {
			return fmt.Errorf("%w, as the head beside the keys says; %w", err, errRestored)
		}
	} else if err := g.askStore(ctx); err != nil {
		return err
	}
	if err := g.askWitness(ctx); err != nil {
		return err
	}
	g.trusted.Store(true)
	return nil
}

const headFile = "head.json"

// head is how far the books had come when this machine last released something.
// It lives with the keys, in memory, where no backup of a disk reaches.
func (g *Gateway) head() (h ledger.Head, known bool, err error) {
	if g.keys == "" {
		return h, false, nil
	}
	raw, err := os.ReadFile(filepath.Join(g.keys, headFile))
	if errors.Is(err, fs.ErrNotExist) {
		return h, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &h)
	}
	return h, err == nil, err
}

// remember leaves the head. Where it cannot be left, the last one still holds.
func (g *Gateway) remember(ctx context.Context) {
	if g.keys == "" {
		return
	}
	h, err := g.ledger.Head(ctx)
	var raw []byte
	if err == nil {
		raw, err = json.Marshal(h)
	}
	if err == nil {
		err = perm.Replace(filepath.Join(g.keys, headFile), raw, modePrivate)
	}
	if err != nil && ctx.Err() == nil {
		g.log.Warn("the head of the books cannot be left beside the keys", "error", err)
	}
}

// askStore looks whether the store has windows of ours that the journal has not.
func (g *Gateway) askStore(ctx context.Context) error {
	resume, err := g.ledger.Resume(ctx)
	if err != nil {
		return err
	}
	ahead, err := g.ahead(ctx, resume)
	if err != nil {
		return fmt.Errorf("whether this state directory is the latest cannot be asked: %w", err)
	}
	if len(ahead) > 0 {
		return fmt.Errorf("%w: the store has later windows; %w", ledger.ErrBehind, errRestored)
	}
	return nil
}

// ahead is, for each stream of which the store has windows that start at or after
// resume, the end of the last.
func (g *Gateway) ahead(ctx context.Context, resume map[string]time.Time) (map[string]time.Time, error) {
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
	out := make(map[string]time.Time)
	for id, list := range cells {
		from := resume[id]
		if from.IsZero() {
			from = time.Unix(0, 0)
		}
		rows, err := g.store.Observations(ctx, store.Query{Stream: id, From: from, To: time.Unix(1<<33, 0), Cells: list, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			if out[id], err = g.store.ClosedUntil(ctx, id); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// askWitness looks whether a copy of the books has come further: the outside one,
// or our own, which is only ever written after the ledger.
func (g *Gateway) askWitness(ctx context.Context) error {
	entries, releases, err := g.witness()
	if err != nil {
		return fmt.Errorf("a copy of the books cannot be read: %w", err)
	}
	h := ledger.Head{Ledger: headOf(entries), Releases: headOf(releases)}
	if err := g.ledger.Extends(ctx, h); err != nil {
		return fmt.Errorf("%w, as a copy of the books says; %w", err, errRestored)
	}
	return nil
}

func headOf(lines []string) ledger.Line {
	if len(lines) == 0 {
		return ledger.Line{}
	}
	return ledger.Line{N: int64(len(lines)), SHA256: books.Hash(lines[len(lines)-1])}
}

// witness reads the growing books of the copy that has come furthest.
func (g *Gateway) witness() (entries, releases []string, err error) {
	sources := []books.Source{g.public}
	if w := g.cfg.Witness; remote(w) {
		sources = append(sources, books.NewMirror(w))
	} else if w != "" {
		sources = append(sources, books.Dir(w))
	}
	for _, s := range sources {
		r := books.Reader{Source: s}
		e, err := r.Lines("ledger.jsonl")
		if err != nil {
			return nil, nil, err
		}
		l, err := r.Lines("releases.jsonl")
		if err != nil {
			return nil, nil, err
		}
		if len(e) > len(entries) {
			entries = e
		}
		if len(l) > len(releases) {
			releases = l
		}
	}
	return entries, releases, nil
}

// Recovered says what a recovery found and did.
type Recovered struct {
	Behind string               // why the directory is not the latest; empty where it is
	Lines  int                  // of the books, taken from the outside copy
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
		return out, nil
	}
	if !errors.Is(err, ledger.ErrBehind) {
		return out, err
	}
	out.Behind = err.Error()
	entries, releases, err := g.witness()
	if err != nil {
		return out, err
	}
	if out.Lines, err = g.ledger.Import(ctx, entries, releases); err != nil {
		return out, fmt.Errorf("%w; if the copy is the right one, begin a new state directory", err)
	}
	latest, err := g.latestWindows(ctx)
	if err != nil {
		return out, err
	}
	out.Until = make(map[string]time.Time)
	for id, at := range latest {
		out.Until[id] = g.silentUntil(at, time.Now())
	}
	if err := g.ledger.Skip(ctx, out.Until); err != nil {
		return out, err
	}
	if g.keys != "" {
		if err := os.Remove(filepath.Join(g.keys, headFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
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
	return plan.Midnight(y, m, d+1, g.location()).UTC()
}

func (g *Gateway) location() *time.Location {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.latest == nil {
		return time.UTC
	}
	return g.latest.Location
}

// latestWindows is the end of each stream's last window that anyone knows of.
func (g *Gateway) latestWindows(ctx context.Context) (map[string]time.Time, error) {
	out, err := g.ledger.Resume(ctx)
	if err != nil {
		return nil, err
	}
	ahead, err := g.ahead(ctx, out)
	if err != nil {
		return nil, err
	}
	head, _, err := g.head()
	if err != nil {
		return nil, err
	}
	for _, more := range []map[string]time.Time{ahead, head.Streams} {
		for id, at := range more {
			if at.After(out[id]) {
				out[id] = at
			}
		}
	}
	return out, nil
}
