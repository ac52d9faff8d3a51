// Package retention removes published numbers when the time is over for which their decision
// keeps them: once a day, all windows that ended by a midnight of the city.
//
// First the books say so, by a line of removals.jsonl; from then on nobody is shown them, and
// the archive has no file of their month. Then the store loses them. A gateway that was
// killed in between goes on there.
//
// It looks at every decision that the books know, also of those that are over. Where a
// decision has changed, its words of today hold, for what was released before as well:
// shortened, all that is too old goes at the next look; lengthened, nothing comes back.
package retention

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/internal/retention"
	"sluice/plan"
)

// Every is how often it looks where a gateway's time is that of its machine.
const Every = time.Minute

// When it looks first, and how many rows the store loses at once, so that nobody waits long
// for it.
const (
	lookAfter = 2 * time.Second
	again     = time.Hour // the store is asked to lose all of it once more
	some      = 5000
	rest      = 10 * time.Millisecond
)

// Settle is how long a gateway has been running before it removes anything: a machine whose
// clock is wrong when it starts has that long to put it right, since no number comes back.
const Settle = time.Hour

// Store is what loses them.
type Store interface {
	// Remove removes at most so many rows of a stream that were released under a decision by
	// one of the gateways, of windows that ended at or before an instant, and says how many it
	// was. A store that removes by rules of its own answers 0.
	Remove(ctx context.Context, stream, decision string, gateways []string, until time.Time, most int) (int, error)
}

// Remover removes the numbers of one gateway. It is one goroutine's.
type Remover struct {
	ledger  *ledger.Ledger
	store   Store
	settle  time.Duration
	trusted func() bool      // this state directory is the latest
	now     func() time.Time // the gateway's time; zero while it is not known
	policy  func() string    // the digest of the policy in force
	changed func()           // the books have something new
	log     *slog.Logger
	lost    map[series]time.Time // until when the store has lost them, since asked
	asked   time.Time
	said    string // what was logged
}

// series is what a line is about.
type series struct{ stream, decision string }

// Gateway is what a Remover must know of the gateway that it belongs to.
type Gateway struct {
	Trusted func() bool      // this state directory is the latest
	Now     func() time.Time // the gateway's time; zero while it is not known
	Policy  func() string    // the digest of the policy in force
	Changed func()           // the books have something new
}

// New makes a Remover, which waits for so long at first.
func New(l *ledger.Ledger, s Store, g Gateway, settle time.Duration, log *slog.Logger) *Remover {
	return &Remover{ledger: l, store: s, settle: settle, trusted: g.Trusted, now: g.Now, policy: g.Policy,
		changed: g.Changed, log: log}
}

// Run removes what is due, and looks at such intervals, until ctx ends.
func (r *Remover) Run(ctx context.Context, every time.Duration) error {
	for wait := r.settle + lookAfter; ; wait = every {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if !r.trusted() {
			continue
		}
		if err := r.Look(ctx); err != nil && ctx.Err() == nil {
			r.say(err.Error())
		} else if err == nil {
			r.said = ""
		}
	}
}

// say logs a problem, once.
func (r *Remover) say(problem string) {
	if r.said != problem {
		r.said = problem
		r.log.Error("numbers whose time is over cannot be removed now; it is tried again", "error", problem)
	}
}

// Look removes what was entered before, and enters what is over. So the public books have said for a while why the
// store loses something; who checks them in between finds nothing missing.
func (r *Remover) Look(ctx context.Context) error {
	if err := r.remove(ctx); err != nil {
		return err
	}
	return r.enter(ctx)
}

// kept is for how long numbers of a series are kept, where its midnights are, and from when
// until when it can have windows.
type kept struct {
	term        retention.Term
	loc         *time.Location
	from, until time.Time
}

// joined is what holds for two plans of one series: the longer time, so that nothing goes too
// early where a decision had windows of hours and of days.
func (k kept) joined(with kept) kept {
	if with.term.Longer(k.term) {
		k.term, k.loc = with.term, with.loc
	}
	if with.from.Before(k.from) {
		k.from = with.from
	}
	if with.until.After(k.until) {
		k.until = with.until
	}
	return k
}

// enter enters what is over.
func (r *Remover) enter(ctx context.Context) error {
	now := r.now()
	if now.IsZero() {
		return nil
	}
	terms, err := r.terms(ctx)
	if err != nil {
		return err
	}
	before, err := r.ledger.Removals.List(ctx)
	if err != nil {
		return err
	}
	gone := furthest(before)
	for _, of := range slices.SortedFunc(maps.Keys(terms), compare) {
		k := terms[of]
		until := k.term.Over(now, k.loc)
		if until.IsZero() || !until.After(gone[of]) {
			continue
		}
		from, to := gone[of], until
		if k.from.After(from) {
			from = k.from
		}
		if k.until.Before(to) {
			to = k.until
		}
		if has, err := r.ledger.Removals.Has(ctx, of.stream, from, to); err != nil {
			return err
		} else if !has {
			continue // nobody needs a line about nothing
		}
		line := books.Removal{At: now.UTC().Truncate(time.Second), Stream: of.stream, Decision: of.decision,
			Retain: k.term.String(), Until: until.UTC(), Policy: r.policy()}
		if err := r.ledger.Removals.Enter(ctx, line); err != nil {
			return err
		}
		r.changed()
	}
	return nil
}

func compare(a, b series) int {
	return strings.Compare(a.stream+" "+a.decision, b.stream+" "+b.decision)
}

// furthest are the ends until which each series was removed.
func furthest(list []books.Removal) map[series]time.Time {
	out := make(map[series]time.Time)
	for _, l := range list {
		if of := (series{l.Stream, l.Decision}); l.Until.After(out[of]) {
			out[of] = l.Until
		}
	}
	return out
}

// terms are those of all series that the books have a plan of, by what their decisions say
// now.
func (r *Remover) terms(ctx context.Context) (map[series]kept, error) {
	raw, err := r.ledger.Files.Get(ctx, "decisions.json")
	if err != nil || raw == nil {
		return nil, err
	}
	var decisions []books.Decision
	if err := json.Unmarshal(raw, &decisions); err != nil {
		return nil, fmt.Errorf("decisions.json of the books: %w", err)
	}
	words := make(map[string]retention.Retention)
	for _, d := range decisions {
		words[d.ID] = retention.FromYAML(d.YAML)
	}
	names, err := r.ledger.Files.Names(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[series]kept)
	for _, name := range names {
		if !strings.HasPrefix(name, "plans/") {
			continue
		}
		raw, err := r.ledger.Files.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		var s plan.Stream
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("%s of the books: %w", name, err)
		}
		loc, err := time.LoadLocation(s.Timezone)
		if err != nil {
			return nil, fmt.Errorf("%s of the books: %w", name, err)
		}
		of, one := series{s.ID, s.Decision}, kept{words[s.Decision].For(s.Every), loc, s.From, s.Until}
		if old, known := out[of]; known {
			one = old.joined(one)
		}
		out[of] = one
	}
	return out, nil
}

// remove has the store lose what the lines are about: once for each line, after a start, and
// every hour, since what was put back from a backup must go as well.
func (r *Remover) remove(ctx context.Context) error {
	if time.Since(r.asked) > again {
		r.lost, r.asked = make(map[series]time.Time), time.Now()
	}
	list, err := r.ledger.Removals.List(ctx)
	if err != nil {
		return err
	}
	gone := furthest(list)
	for _, of := range slices.SortedFunc(maps.Keys(gone), compare) {
		if !gone[of].After(r.lost[of]) {
			continue
		}
		if err := r.lose(ctx, of, gone[of]); err != nil {
			return err
		}
		r.lost[of] = gone[of]
	}
	return nil
}

func (r *Remover) lose(ctx context.Context, of series, until time.Time) error {
	gateways, err := r.ledger.Names(ctx)
	if err != nil {
		return err
	}
	for all := 0; ; {
		n, err := r.store.Remove(ctx, of.stream, of.decision, gateways, until, some)
		if err != nil {
			return fmt.Errorf("the store: %w", err)
		}
		if all += n; n < some {
			if all > 0 {
				r.log.Info("numbers were removed, as their decision asks", "stream", of.stream, "decision", of.decision,
					"until", until.UTC().Format(time.RFC3339), "numbers", all)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rest):
		}
	}
}
