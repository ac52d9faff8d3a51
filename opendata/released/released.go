// Package released filters a store by the public books: only rows of windows that have a
// line in releases.jsonl pass. A row that somebody else has written is left out and
// counted.
//
// Every row is checked before it is shown: its window has a line, with the same end, and
// its cell and measure are of the window's plan. Whether the numbers are those that were
// released is told by the window's digest, which needs all rows of the window. Watch
// compares digests in the background, of the newest windows within a minute and of all
// windows in turn, slowly. A window that differs is left out as a whole from then on.
//
// The index of the books is a list of runs of consecutive windows, so it takes some
// kilobytes a year, however large the store is.
package released

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
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
	// dirFresh and mirrorFresh are how old the index may be when a row without a line is
	// met, before the books are read again. A directory is checked by stat(2).
	dirFresh    = 20 * time.Millisecond
	mirrorFresh = 2 * time.Second
	// grace is how long a row may be in the store before its line is in the books: the
	// gateway writes both concurrently.
	grace = 10 * time.Second
	// maxNewest is the number of newest lines whose windows are compared often.
	maxNewest = 256
	// maxStrays bounds the windows without a line that are tracked.
	maxStrays = 1000
	// maxWrong bounds the windows that are left out because they differ from what was
	// released.
	maxWrong = 100_000
	// maxMend bounds those of them that are compared again every minute.
	maxMend = 256
)

// window identifies what a gateway releases at once.
type window struct {
	gateway, stream string // no gateway where a row does not say whose it is
	start           int64
}

// Filter answers from a store, without the rows that the public books have no line of. It
// implements Store.
type Filter struct {
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
	even    map[string]even   // by stream, where the store was as far as the books; guarded by mu
}

// even is when the store's last window was that of the books, and its end.
type even struct{ asked, until time.Time }

// stray is a window in the store without a line in the books.
type stray struct{ first, last time.Time }

// New filters a store by the books of one gateway.
func New(from Store, source books.Source, log *slog.Logger) *Filter {
	f := &Filter{
		store: from, reader: books.Reader{Source: source}, follower: books.NewFollower(source, bookName),
		removals: books.NewFollower(source, "removals.jsonl"), fresh: mirrorFresh, grace: grace, log: log,
		index: newIndex(), wrong: make(map[window]bool), strays: make(map[window]*stray),
		even: make(map[string]even),
	}
	if books.Near(source) {
		f.fresh = dirFresh
	}
	return f
}

// Observations answers as the store does, without rows that have no line.
func (f *Filter) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	if err := f.ready(ctx); err != nil {
		return nil, err
	}
	return pages(ctx, f.store, q, func(list []store.Observation) []store.Observation { return f.only(ctx, list) })
}

// pages asks a store until the filter has passed as many rows as the query asks for, or the
// store has no more.
func pages(
	ctx context.Context, from Store, q store.Query, only func([]store.Observation) []store.Observation,
) ([]store.Observation, error) {
	var out []store.Observation
	for limit := q.Limit; ; {
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
		if !more || len(out) >= limit {
			return out[:min(len(out), limit)], nil
		}
	}
}

// only removes rows without a line. If there are any, the books are read once more first.
func (f *Filter) only(ctx context.Context, list []store.Observation) []store.Observation {
	if f.all(list) {
		return list
	}
	_ = f.refresh(ctx) // what cannot be read has no line
	f.mu.Lock()
	defer f.mu.Unlock()
	now, kept := time.Now(), list[:0]
	for i := range list {
		o := &list[i]
		if f.allows(o) {
			kept = append(kept, *o)
			continue
		}
		f.leaveOut(f.windowOf(o), now)
	}
	return kept
}

// allows reports whether a row passes. The caller holds mu.
func (f *Filter) allows(o *store.Observation) bool {
	r := f.index.of(o)
	return r != nil && (len(f.wrong) == 0 || !f.wrong[window{r.gateway, o.Stream, o.Start.UnixNano()}])
}

// windowOf is a row's window, with the gateway that it can be of. The caller holds mu.
func (f *Filter) windowOf(o *store.Observation) window {
	w := window{o.Gateway, o.Stream, o.Start.UnixNano()}
	if r := f.index.of(o); r != nil {
		w.gateway = r.gateway
	}
	return w
}

func (f *Filter) all(list []store.Observation) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var r *run // of the row before: rows of one run are the rule
	for i := range list {
		o := &list[i]
		start := o.Start.UnixNano()
		if i == 0 || r == nil || !r.has(start) || o.Stream != list[i-1].Stream || o.Gateway != list[i-1].Gateway ||
			!r.holds(o, start) {
			r = f.index.of(o)
		}
		if r == nil || len(f.wrong) > 0 && f.wrong[window{r.gateway, o.Stream, start}] {
			return false
		}
	}
	return true
}

// leaveOut counts a row that is left out. One whose line may be on its way is not counted
// yet. The caller holds mu.
func (f *Filter) leaveOut(w window, now time.Time) {
	x := f.strays[w]
	switch {
	case x != nil:
		x.last = now
	case len(f.strays) < maxStrays:
		x = &stray{now, now}
		f.strays[w] = x
	default:
		f.leftOut++
		return
	}
	if f.wrong[w] || now.Sub(x.first) >= f.grace {
		f.leftOut++
	}
}

// LeftOut is how many rows were left out, counting each time again.
func (f *Filter) LeftOut() int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.leftOut
}

// Hint describes what is in the store and not in the books, as far as recent queries and
// comparisons have shown; empty for nothing.
func (f *Filter) Hint() string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	none, now := 0, time.Now()
	for w, x := range f.strays {
		if !f.wrong[w] && now.Sub(x.first) >= f.grace {
			none++
		}
	}
	switch {
	case f.problem != nil:
		return "the public books cannot be read: what was released since is not shown"
	case none == 0 && len(f.wrong) == 0:
		return ""
	}
	return fmt.Sprintf("the store has rows of %d windows that have no line in the books, and %d windows that are "+
		"not what was released; they are not shown. "+
		"sluice verify names them; docs/operations.md says what to do", none, len(f.wrong))
}

// ClosedUntil is the end of the last window that both store and books have. Where they were equally far
// a moment ago, and the books still are, the store is not asked again.
func (f *Filter) ClosedUntil(ctx context.Context, stream string) (time.Time, error) {
	if until, same := f.still(ctx, stream); same {
		return until, nil
	}
	begun := time.Now()
	until, err := f.store.ClosedUntil(ctx, stream)
	if err != nil || until.IsZero() {
		return until, err
	}
	if err := f.ready(ctx); err != nil {
		return time.Time{}, err
	}
	if f.ends(stream, until) {
		f.mu.Lock()
		f.even[stream] = even{begun, until}
		f.mu.Unlock()
		return until, nil
	}
	_ = f.refresh(ctx) // what cannot be read has no line
	return f.closedBefore(ctx, stream, until)
}

// still reports whether the books of a directory say that nothing was released since the store was last
// asked. That it is away, or has lost what it had, is known soon after.
func (f *Filter) still(ctx context.Context, stream string) (until time.Time, same bool) {
	f.mu.RLock()
	last := f.even[stream]
	f.mu.RUnlock()
	if f.fresh != dirFresh || time.Since(last.asked) >= mirrorFresh || f.refresh(ctx) != nil {
		return time.Time{}, false
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	newest := f.index.before(stream, math.MaxInt64, 1)
	return last.until, len(newest) == 1 && newest[0][1] == last.until.UnixNano()
}

// closedBefore is the end of the last window, until an instant, that both store and books
// have.
func (f *Filter) closedBefore(ctx context.Context, stream string, until time.Time) (time.Time, error) {
	f.mu.RLock()
	list, gateways := f.index.before(stream, until.UnixNano(), 64), slices.Clone(f.index.lanes[stream])
	f.mu.RUnlock()
	for n, w := range list {
		start, end := time.Unix(0, w[0]).UTC(), time.Unix(0, w[1]).UTC()
		if n == len(list)-1 && n > 0 {
			return end, nil // all until there is final, whatever the store has of it
		}
		rows, err := f.store.Observations(ctx,
			store.Query{Gateways: gateways, Stream: stream, From: start, To: start.Add(1), Limit: 1000})
		if err != nil || f.any(rows) {
			return end, err
		}
	}
	return time.Time{}, nil
}

// any reports whether any of the rows can be of these books.
func (f *Filter) any(rows []store.Observation) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return slices.ContainsFunc(rows, func(o store.Observation) bool { return f.index.of(&o) != nil })
}

func (f *Filter) ends(stream string, until time.Time) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	last := f.index.before(stream, until.UnixNano(), 1)
	return len(last) == 1 && last[0][1] == until.UnixNano()
}

// errBooks means that nothing can be shown yet.
var errBooks = errors.New("the public books cannot be read, and without them nothing that the store has is shown")
