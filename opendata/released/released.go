// Package released shows of a store what the public books have a line of, and nothing
// else: a row that somebody else has written is left out, and counted.
//
// A row is of a window that has a line in releases.jsonl, ends where it does, and is of
// a cell and a measure of the window's plan: that is asked of every row before it is
// shown. Whether its number is the one that was released says the window's digest, of
// which all rows of the window are needed: Watch compares it beside, the newest windows
// within a minute and all of them in turn, slowly, and a window that is not what was
// released is left out from then on, as a whole.
//
// What is known of the books is which windows follow each other without a hole, so it
// takes some kilobytes for each year, whatever the store has.
package released

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sluice/books"
	"sluice/store"
)

// Store is where released observations are read.
type Store interface {
	Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
	ClosedUntil(ctx context.Context, stream string) (time.Time, error)
}

const (
	bookName = "releases.jsonl"
	// dirFresh and mirrorFresh are how old what is known of the books may be when a row
	// without a line is met. A directory is looked at by stat(2).
	dirFresh    = 20 * time.Millisecond
	mirrorFresh = 2 * time.Second
	// grace is how long a row may be there before its line: the gateway writes both
	// beside each other.
	grace = 10 * time.Second
	// mostNewest are the newest lines, whose windows are compared often.
	mostNewest = 256
	// mostStrays windows are told apart, of those that have no line.
	mostStrays = 1000
	// mostWrong windows are left out because they are not what was released.
	mostWrong = 100_000
	// mostMend of them are looked at every minute, to see whether they are right again.
	mostMend = 256
)

// window is what is released at once.
type window struct {
	gateway, stream string // no gateway where a row does not say whose it is
	start           int64
}

// Shown is a store as the books let it be shown. It implements Store.
type Shown struct {
	store    Store
	reader   books.Reader
	follower *books.Follower // owned by who reads
	removals *books.Follower // owned by who reads
	fresh    time.Duration
	grace    time.Duration
	log      *slog.Logger

	mu      sync.RWMutex
	index   *index            // guarded by mu
	newest  []string          // guarded by mu
	wrong   map[window]bool   // those that are not what was released; guarded by mu
	mend    []books.Released  // some of those; guarded by mu
	reading chan struct{}     // closed when the reading under way ends, nil for none; guarded by mu
	begun   time.Time         // when it began; guarded by mu
	read    time.Time         // when the last one ended; guarded by mu
	problem error             // of the last one; guarded by mu
	began   bool              // one has ended well; guarded by mu
	strays  map[window]*stray // what has no line; guarded by mu
	leftOut int64             // rows, each time that they were left out; guarded by mu
}

// stray is a window that is in the store and has no line.
type stray struct{ first, last time.Time }

// New shows what source has lines of.
func New(from Store, source books.Source, log *slog.Logger) *Shown {
	s := &Shown{
		store: from, reader: books.Reader{Source: source}, follower: books.NewFollower(source, bookName),
		removals: books.NewFollower(source, "removals.jsonl"), fresh: mirrorFresh, grace: grace, log: log,
		index: newIndex(), wrong: make(map[window]bool), strays: make(map[window]*stray),
	}
	if _, ok := source.(books.Dir); ok {
		s.fresh = dirFresh
	}
	return s
}

// Observations answers as the store does, without what has no line.
func (s *Shown) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return pages(ctx, s.store, q, func(list []store.Observation) []store.Observation { return s.only(ctx, list) })
}

// pages asks a store until there are as many rows as are asked for, or no more, of those
// that only leaves.
func pages(
	ctx context.Context, from Store, q store.Query, only func([]store.Observation) []store.Observation,
) ([]store.Observation, error) {
	var out []store.Observation
	for most := q.Limit; ; {
		list, err := from.Observations(ctx, q)
		if err != nil {
			return nil, err
		}
		more := len(list) > 0 && len(list) == q.Limit
		if more { // before what is left out moves them
			q.After = store.At(&list[len(list)-1])
		}
		if list = only(list); out == nil {
			out = list
		} else {
			out = append(out, list...)
		}
		if !more || len(out) >= most {
			return out[:min(len(out), most)], nil
		}
	}
}

// only takes out what has no line. What is not known of the books yet is asked for once.
func (s *Shown) only(ctx context.Context, list []store.Observation) []store.Observation {
	if s.all(list) {
		return list
	}
	_ = s.refresh(ctx) // what cannot be read has no line
	s.mu.Lock()
	defer s.mu.Unlock()
	now, kept := time.Now(), list[:0]
	for i := range list {
		o := &list[i]
		if s.lets(o) {
			kept = append(kept, *o)
			continue
		}
		s.leave(s.windowOf(o), now)
	}
	return kept
}

// lets reports whether a row is shown, for who holds mu.
func (s *Shown) lets(o *store.Observation) bool {
	r := s.index.of(o)
	return r != nil && (len(s.wrong) == 0 || !s.wrong[window{r.gateway, o.Stream, o.Start.UnixNano()}])
}

// windowOf is a row's window, of the gateway that it can be of, for who holds mu.
func (s *Shown) windowOf(o *store.Observation) window {
	w := window{o.Gateway, o.Stream, o.Start.UnixNano()}
	if r := s.index.of(o); r != nil {
		w.gateway = r.gateway
	}
	return w
}

func (s *Shown) all(list []store.Observation) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var r *run // of the row before: rows of one run are the rule
	for i := range list {
		o := &list[i]
		start := o.Start.UnixNano()
		if i == 0 || r == nil || !r.has(start) || o.Stream != list[i-1].Stream || o.Gateway != list[i-1].Gateway ||
			!r.holds(o, start) {
			r = s.index.of(o)
		}
		if r == nil || len(s.wrong) > 0 && s.wrong[window{r.gateway, o.Stream, start}] {
			return false
		}
	}
	return true
}

// leave counts a row that is left out, for who holds mu. One whose line may be on its
// way is not counted yet.
func (s *Shown) leave(w window, now time.Time) {
	x := s.strays[w]
	switch {
	case x != nil:
		x.last = now
	case len(s.strays) < mostStrays:
		x = &stray{now, now}
		s.strays[w] = x
	default:
		s.leftOut++
		return
	}
	if s.wrong[w] || now.Sub(x.first) >= s.grace {
		s.leftOut++
	}
}

// LeftOut is how many rows were left out, counted each time.
func (s *Shown) LeftOut() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.leftOut
}

// Hint says what the store has and the books have not; empty for nothing. It goes by
// what was asked for and compared lately.
func (s *Shown) Hint() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	none, now := 0, time.Now()
	for w, x := range s.strays {
		if !s.wrong[w] && now.Sub(x.first) >= s.grace {
			none++
		}
	}
	switch {
	case s.problem != nil:
		return "the public books cannot be read: what was released since is not shown"
	case none == 0 && len(s.wrong) == 0:
		return ""
	}
	return fmt.Sprintf("the store has rows of %d windows that have no line in the books, and %d windows that are "+
		"not what was released; they are not shown. "+
		"sluice verify names them; docs/operations.md says what to do", none, len(s.wrong))
}

// ClosedUntil is the end of the last window that both store and books have.
func (s *Shown) ClosedUntil(ctx context.Context, stream string) (time.Time, error) {
	until, err := s.store.ClosedUntil(ctx, stream)
	if err != nil || until.IsZero() {
		return until, err
	}
	if err := s.ready(ctx); err != nil {
		return time.Time{}, err
	}
	if s.ends(stream, until) {
		return until, nil
	}
	_ = s.refresh(ctx) // what cannot be read has no line
	return s.closedBefore(ctx, stream, until)
}

// closedBefore is the end of the last window, until an instant, that both store and books
// have.
func (s *Shown) closedBefore(ctx context.Context, stream string, until time.Time) (time.Time, error) {
	s.mu.RLock()
	list, gateways := s.index.before(stream, until.UnixNano(), 64), slices.Clone(s.index.lanes[stream])
	s.mu.RUnlock()
	for n, w := range list {
		start, end := time.Unix(0, w[0]).UTC(), time.Unix(0, w[1]).UTC()
		if n == len(list)-1 && n > 0 {
			return end, nil // all until there is final, whatever the store has of it
		}
		rows, err := s.store.Observations(ctx,
			store.Query{Gateways: gateways, Stream: stream, From: start, To: start.Add(1), Limit: 1000})
		if err != nil || s.any(rows) {
			return end, err
		}
	}
	return time.Time{}, nil
}

// any reports whether any of some rows can be of these books.
func (s *Shown) any(rows []store.Observation) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.ContainsFunc(rows, func(o store.Observation) bool { return s.index.of(&o) != nil })
}

func (s *Shown) ends(stream string, until time.Time) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	last := s.index.before(stream, until.UnixNano(), 1)
	return len(last) == 1 && last[0][1] == until.UnixNano()
}

// errBooks says that nothing can be shown yet.
var errBooks = errors.New("the public books cannot be read, and without them nothing that the store has is shown")
