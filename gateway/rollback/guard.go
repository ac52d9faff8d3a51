// Package rollback says whether a state directory is the latest there is. An older one,
// put back from a backup, would draw noise a second time for what is public already, and
// has forgotten what was spent; so it releases nothing until it is recovered on purpose.
package rollback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/books"
	"sluice/gateway/config"
	"sluice/gateway/ledger"
	"sluice/internal/retry"
	"sluice/store"
)

// Guard knows whether a state directory is the latest.
type Guard struct {
	cfg    *config.Config
	ledger *ledger.Ledger
	store  Store
	public books.Dir
	head   headFile
	fresh  bool // no ledger was here before
	policy Policy
	// stalled is why releasing stands still, of which the first reason may be ours;
	// changed is called when that is over.
	stalled *retry.Once
	changed func()
	log     *slog.Logger

	trusted atomic.Bool // this state directory is the latest, as far as can be known
	asking  sync.Mutex  // held while that is asked

	mu     sync.Mutex
	damage string // of the ledger, found while running; guarded by mu
}

// Store is what of the store is asked.
type Store interface {
	Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
	ClosedUntil(ctx context.Context, stream string) (time.Time, error)
}

// Policy is what is known of the policies that were in force.
type Policy interface {
	// SomeCells are, by stream, up to limit of this gateway's own of each policy.
	SomeCells(limit int) map[string][]string
	// Location is the city's; nil before any policy.
	Location() *time.Location
}

// State is the state directory that a Guard is about.
type State struct {
	Config *config.Config
	Ledger *ledger.Ledger
	Store  Store
	Public books.Dir
	// Keys is the directory of keys; empty for memory only. Fresh says that no ledger was
	// here before.
	Keys   string
	Fresh  bool
	Policy Policy
}

// New makes a Guard. Stalled is where it says why nothing is released; changed is called
// when the public books have something new.
func New(s State, stalled *retry.Once, changed func(), log *slog.Logger) *Guard {
	return &Guard{
		cfg: s.Config, ledger: s.Ledger, store: s.Store, public: s.Public, fresh: s.Fresh, policy: s.Policy,
		head:    headFile{keys: s.Keys, gateway: s.Config.Gateway, books: s.Ledger.Recovery, log: log},
		stalled: stalled, changed: changed, log: log,
	}
}

// Trusted reports whether this state directory is known to be the latest.
func (g *Guard) Trusted() bool { return g.trusted.Load() }

// SaveHead leaves how far the books have come. Where it cannot be left, the last one still
// holds.
func (g *Guard) SaveHead(ctx context.Context) { g.head.save(ctx) }

// Damage is what is wrong with the ledger, found while running; empty for nothing.
func (g *Guard) Damage() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.damage
}

// errRestored says what to do about a state directory that was put back.
var errRestored = errors.New("stop the gateway and run sluice ledger recover (docs/operations.md)")

// someCells of each policy are enough to ask the store whether it has anything of ours.
const someCells = 8

// errEarly says that there is no stream yet of which the store could be asked.
var errEarly = errors.New("no policy is in force yet; whether this state directory is the latest is asked before the " +
	"first release")

// Check makes sure, before the first release of a process, that this state
// directory is the latest one: an older one, put back from a backup, would draw
// noise a second time for what is public already, and has forgotten what was
// spent. It asks whoever may know better: the head that the last process left
// beside the keys or, without one, the store and the public books; and the copy of
// the books outside.
func (g *Guard) Check(ctx context.Context) error {
	if g.trusted.Load() {
		return nil
	}
	g.asking.Lock()
	defer g.asking.Unlock()
	err := g.check(ctx)
	if !errors.Is(err, ledger.ErrBehind) || !g.ledger.Recovery.Shared() {
		return err
	}
	// What machines share may have come to a copy of it before it came here.
	if err := g.ledger.Follow(ctx); err != nil {
		return err
	}
	if err = g.check(ctx); errors.Is(err, ledger.ErrBehind) {
		err = errors.Join(err, g.ledger.Recovery.Halt(ctx)) // nor does another machine release anything
	}
	return err
}

func (g *Guard) check(ctx context.Context) error {
	if damage := g.Damage(); damage != "" {
		return errors.New(damage)
	}
	if g.fresh && g.cfg.Simulation && !g.Used() {
		// A simulation begun anew. What the one before it has left beside the keys must not
		// be asked at the next start.
		g.trusted.Store(true)
		g.SaveHead(ctx)
		return nil
	}
	if barred, err := g.ledger.Recovery.Barred(ctx); err != nil || barred != nil {
		return cmp.Or(err, barred)
	}
	if half, err := g.ledger.Recovery.Unfinished(ctx); err != nil {
		return err
	} else if half {
		return fmt.Errorf("%w, and a recovery of it was not finished; %w", ledger.ErrBehind, errRestored)
	}
	head, known, err := g.head.read()
	if err != nil {
		return err
	}
	if known {
		err := g.ledger.Recovery.Extends(ctx, head)
		if err != nil && g.fresh {
			return fmt.Errorf("%w: it is new, and another one was here; if that is meant, remove %s, else %w", err,
				g.head.path(), errRestored)
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

// Used reports whether public books say that something was released from this
// directory before.
func (g *Guard) Used() bool {
	for _, name := range chained {
		if info, err := os.Stat(filepath.Join(string(g.public), name)); err == nil && info.Size() > 0 {
			return true
		}
	}
	return false
}

// Watch asks at the start, and again until there is an answer, so that whoever has
// put a state directory back learns it before the first window closes.
func (g *Guard) Watch(ctx context.Context) error {
	pauses, logged := retry.Backoff{First: 100 * time.Millisecond, Longest: 5 * time.Second}, ""
	for {
		err := g.Check(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			g.stalled.Forget(logged)
			g.changed()
			return nil
		case !errors.Is(err, errEarly) && err.Error() != logged:
			g.stalled.Forget(logged)
			logged = err.Error()
			if g.stalled.News(logged) {
				g.log.Error("nothing can be released yet; it is tried again", "error", err)
			}
		}
		if !pauses.Wait(ctx) {
			return nil
		}
	}
}

// askStore looks whether the store has windows of ours that the journal has not.
func (g *Guard) askStore(ctx context.Context) error {
	resume, err := g.ledger.Journal.Resume(ctx)
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
func (g *Guard) ahead(
	ctx context.Context, resume map[string]time.Time,
) (out map[string]time.Time, asked int, err error) {
	names, err := g.ledger.Names(ctx)
	if err != nil {
		return nil, 0, err
	}
	cells := g.policy.SomeCells(someCells) // others may write to the same store
	out = make(map[string]time.Time)
	for id, list := range cells {
		from := resume[id]
		if from.IsZero() {
			from = time.Unix(0, 0)
		}
		rows, err := g.store.Observations(ctx, store.Query{Stream: id, From: from, To: time.Unix(1<<33, 0),
			Cells: list, Gateways: names, Limit: 1})
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
