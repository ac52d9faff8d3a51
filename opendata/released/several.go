package released

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sluice/books"
	"sluice/store"
)

// patience is how long a query with a row without a line waits for the gateways' books: one
// that is unreachable must not hide the others' numbers.
const patience = time.Second

// Named is one gateway's books, with their name in the configuration.
type Named struct {
	Where  string
	Source books.Source
	// Usable reports whether they are of this city; nil for always.
	Usable func() bool
}

// CityFilter filters a store by the books of several gateways: a row needs a line in one of
// them.
type CityFilter struct {
	store Store
	parts []*Filter
	named []Named
	names func() []string

	stray *Filter // counts what none of them has a line of
}

// NewCityFilter filters a store by the books of several gateways. Names returns the
// gateways' names from their books, in the order of the list; empty where unknown.
func NewCityFilter(from Store, list []Named, names func() []string, log *slog.Logger) *CityFilter {
	f := &CityFilter{store: from, named: list, names: names, stray: New(from, none{}, log)}
	for _, n := range list {
		f.parts = append(f.parts, New(from, n.Source, log.With("books", n.Where)))
	}
	return f
}

// none is a source of empty books.
type none struct{}

func (none) Get(string) ([]byte, error) { return nil, nil }

// use returns the books that are of this city and have been read, and whether these are
// all.
func (f *CityFilter) use(ctx context.Context) (list []*Filter, whole bool) {
	ready := make([]bool, len(f.parts))
	var all sync.WaitGroup
	for n, p := range f.parts {
		if f.named[n].Usable != nil && !f.named[n].Usable() {
			continue
		}
		all.Go(func() {
			p.mu.RLock()
			began := p.began
			p.mu.RUnlock()
			if began {
				ready[n] = p.ready(ctx) == nil // which waits for nothing then
				return
			}
			ready[n] = p.soon(ctx) == nil
		})
	}
	all.Wait()
	for n, p := range f.parts {
		if ready[n] {
			list = append(list, p)
		}
	}
	return list, len(list) == len(f.parts)
}

// Observations answers as the store does, without rows that have no line.
func (f *CityFilter) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	parts, whole := f.use(ctx)
	if len(parts) == 0 {
		return nil, errBooks
	}
	return pages(ctx, f.store, q, func(list []store.Observation) []store.Observation {
		return f.only(ctx, parts, whole, list)
	})
}

// only removes rows that none of the books has a line of. While some books are unreachable,
// such rows are not counted as wrong.
func (f *CityFilter) only(
	ctx context.Context, parts []*Filter, whole bool, list []store.Observation,
) []store.Observation {
	missing := false
	shown := make([]bool, len(list))
	owner, names := make([]int, len(list)), f.names() // of a gateway that has books here, these alone have lines
	for i := range list {
		if owner[i] = -1; list[i].Gateway != "" {
			owner[i] = slices.Index(names, list[i].Gateway)
		}
	}
	look := func() {
		missing = false
		for _, p := range parts {
			n := slices.Index(f.parts, p)
			p.mu.RLock()
			for i := range list {
				shown[i] = shown[i] || (owner[i] < 0 || owner[i] == n) && p.allows(&list[i])
			}
			p.mu.RUnlock()
		}
		for _, x := range shown {
			missing = missing || !x
		}
	}
	if look(); missing {
		whole = f.refresh(ctx, parts) && whole
		look()
	}
	kept, now := list[:0], time.Now()
	for i := range list {
		if shown[i] {
			kept = append(kept, list[i])
		} else if whole {
			f.leaveOut(parts, &list[i], now)
		}
	}
	return kept
}

// refresh reads new lines of all books within patience; it reports whether that was enough
// for all.
func (f *CityFilter) refresh(ctx context.Context, parts []*Filter) bool {
	failed := make([]error, len(parts))
	var all sync.WaitGroup
	for n, p := range parts {
		all.Go(func() { failed[n] = p.soon(ctx) })
	}
	all.Wait()
	return errors.Join(failed...) == nil
}

// errSlow means that reading the books takes longer than a query waits.
var errSlow = errors.New("the public books are slow")

// soon is refresh within patience; where the books were unreachable or are slow, they are
// read in the background.
func (f *Filter) soon(ctx context.Context) error {
	f.mu.RLock()
	problem, slow, old := f.problem, f.reading != nil && time.Since(f.begun) > patience, time.Since(f.read) >= f.fresh
	f.mu.RUnlock()
	if slow {
		return errSlow
	}
	if problem != nil {
		if old {
			f.begin()
		}
		return problem
	}
	ctx, enough := context.WithTimeout(ctx, patience)
	defer enough()
	return f.refresh(ctx)
}

// leaveOut counts a row that is left out: of a gateway's window that differs, or of no
// gateway's.
func (f *CityFilter) leaveOut(parts []*Filter, o *store.Observation, now time.Time) {
	for _, p := range parts {
		p.mu.Lock()
		if p.index.of(o) != nil {
			p.leaveOut(p.windowOf(o), now)
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
	}
	f.stray.mu.Lock()
	defer f.stray.mu.Unlock()
	f.stray.leaveOut(window{o.Gateway, o.Stream, o.Start.UnixNano()}, now)
}

// ClosedUntil is the end of the last window that the store and any of the books have.
func (f *CityFilter) ClosedUntil(ctx context.Context, stream string) (latest time.Time, err error) {
	each, err := f.ClosedEach(ctx, stream)
	for _, until := range each {
		if until.After(latest) {
			latest = until
		}
	}
	return latest, err
}

// ClosedEach is the end of the last window that the store and each of the books have, in
// the order of the books; zero for none.
func (f *CityFilter) ClosedEach(ctx context.Context, stream string) ([]time.Time, error) {
	parts, _ := f.use(ctx)
	if len(parts) == 0 {
		return nil, errBooks
	}
	until, err := f.store.ClosedUntil(ctx, stream)
	out := make([]time.Time, len(f.parts))
	if err != nil || until.IsZero() {
		return out, err
	}
	f.refresh(ctx, parts)
	for n, p := range f.parts {
		for _, use := range parts {
			if use != p {
				continue
			}
			if out[n], err = p.closedBefore(ctx, stream, until); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// LeftOut is how many rows were left out, counting each time again.
func (f *CityFilter) LeftOut() int64 {
	n := f.stray.LeftOut()
	for _, p := range f.parts {
		n += p.LeftOut()
	}
	return n
}

// Hint describes what is in the store and not in the books; empty for nothing.
func (f *CityFilter) Hint() string {
	for n, p := range f.parts {
		if h := p.Hint(); h != "" {
			return f.named[n].Where + ": " + h
		}
	}
	return f.stray.Hint()
}

// Watch compares the store with the digests of all books until ctx ends, and logs what is
// left out.
func (f *CityFilter) Watch(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range f.parts {
		all.Go(func() { p.Watch(ctx) })
	}
	all.Go(func() {
		for logged := int64(0); ; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(compareNewest):
				logged = f.stray.report(logged)
			}
		}
	})
	all.Wait()
}
