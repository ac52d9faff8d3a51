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

// patience is how long a row without a line is held for the books of the gateways: one
// that is away keeps nobody from the others' numbers.
const patience = time.Second

// Named is one gateway's books, and what the configuration calls them.
type Named struct {
	Where  string
	Source books.Source
	// Usable reports whether they are of this city; nil for always.
	Usable func() bool
}

// Several shows of one store what any of several gateways' books have a line of.
type Several struct {
	store Store
	parts []*Shown
	named []Named
	names func() []string

	stray *Shown // counts what none of them has a line of
}

// NewSeveral shows what any of several gateways' books have lines of. Names are the
// gateways' as their books say them, in the order of the list; empty where it is not known.
func NewSeveral(from Store, list []Named, names func() []string, log *slog.Logger) *Several {
	s := &Several{store: from, named: list, names: names, stray: New(from, none{}, log)}
	for _, n := range list {
		s.parts = append(s.parts, New(from, n.Source, log.With("books", n.Where)))
	}
	return s
}

// none are books without a line.
type none struct{}

func (none) Get(string) ([]byte, error) { return nil, nil }

// use are the books that are of this city and have been read, and whether that is all.
func (s *Several) use(ctx context.Context) (list []*Shown, whole bool) {
	ready := make([]bool, len(s.parts))
	var all sync.WaitGroup
	for n, p := range s.parts {
		if s.named[n].Usable != nil && !s.named[n].Usable() {
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
	for n, p := range s.parts {
		if ready[n] {
			list = append(list, p)
		}
	}
	return list, len(list) == len(s.parts)
}

// Observations answers as the store does, without what has no line.
func (s *Several) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	parts, whole := s.use(ctx)
	if len(parts) == 0 {
		return nil, errBooks
	}
	return pages(ctx, s.store, q, func(list []store.Observation) []store.Observation {
		return s.only(ctx, parts, whole, list)
	})
}

// only takes out what none of the books has a line of. Where some are away, their rows
// are not called wrong.
func (s *Several) only(ctx context.Context, parts []*Shown, whole bool, list []store.Observation) []store.Observation {
	missing := false
	shown := make([]bool, len(list))
	owner, names := make([]int, len(list)), s.names() // of a gateway that has books here, these alone have lines
	for i := range list {
		if owner[i] = -1; list[i].Gateway != "" {
			owner[i] = slices.Index(names, list[i].Gateway)
		}
	}
	look := func() {
		missing = false
		for _, p := range parts {
			n := slices.Index(s.parts, p)
			p.mu.RLock()
			for i := range list {
				shown[i] = shown[i] || (owner[i] < 0 || owner[i] == n) && p.lets(&list[i])
			}
			p.mu.RUnlock()
		}
		for _, x := range shown {
			missing = missing || !x
		}
	}
	if look(); missing {
		whole = s.refresh(ctx, parts) && whole
		look()
	}
	kept, now := list[:0], time.Now()
	for i := range list {
		if shown[i] {
			kept = append(kept, list[i])
		} else if whole {
			s.leave(parts, &list[i], now)
		}
	}
	return kept
}

// refresh reads what the books have more, for as long as patience lasts; false where it
// was not enough for some.
func (s *Several) refresh(ctx context.Context, parts []*Shown) bool {
	failed := make([]error, len(parts))
	var all sync.WaitGroup
	for n, p := range parts {
		all.Go(func() { failed[n] = p.soon(ctx) })
	}
	all.Wait()
	return errors.Join(failed...) == nil
}

// errSlow says that books are being read for longer than anybody is held.
var errSlow = errors.New("the public books are slow")

// soon is refresh for as long as patience lasts; where the books were away, or are slow,
// they are read for nobody who waits.
func (s *Shown) soon(ctx context.Context) error {
	s.mu.RLock()
	problem, slow, old := s.problem, s.reading != nil && time.Since(s.begun) > patience, time.Since(s.read) >= s.fresh
	s.mu.RUnlock()
	if slow {
		return errSlow
	}
	if problem != nil {
		if old {
			s.begin()
		}
		return problem
	}
	ctx, enough := context.WithTimeout(ctx, patience)
	defer enough()
	return s.refresh(ctx)
}

// leave counts a row that is left out: of a gateway's window that is wrong, or of none.
func (s *Several) leave(parts []*Shown, o *store.Observation, now time.Time) {
	for _, p := range parts {
		p.mu.Lock()
		if p.index.of(o) != nil {
			p.leave(p.windowOf(o), now)
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
	}
	s.stray.mu.Lock()
	defer s.stray.mu.Unlock()
	s.stray.leave(window{o.Gateway, o.Stream, o.Start.UnixNano()}, now)
}

// ClosedUntil is the end of the last window that the store and any of the books have.
func (s *Several) ClosedUntil(ctx context.Context, stream string) (latest time.Time, err error) {
	each, err := s.ClosedEach(ctx, stream)
	for _, until := range each {
		if until.After(latest) {
			latest = until
		}
	}
	return latest, err
}

// ClosedEach is the end of the last window that the store and each of the books have, in
// the order of the books; zero for none.
func (s *Several) ClosedEach(ctx context.Context, stream string) ([]time.Time, error) {
	parts, _ := s.use(ctx)
	if len(parts) == 0 {
		return nil, errBooks
	}
	until, err := s.store.ClosedUntil(ctx, stream)
	out := make([]time.Time, len(s.parts))
	if err != nil || until.IsZero() {
		return out, err
	}
	s.refresh(ctx, parts)
	for n, p := range s.parts {
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

// LeftOut is how many rows were left out, counted each time.
func (s *Several) LeftOut() int64 {
	n := s.stray.LeftOut()
	for _, p := range s.parts {
		n += p.LeftOut()
	}
	return n
}

// Hint says what the store has and the books have not; empty for nothing.
func (s *Several) Hint() string {
	for n, p := range s.parts {
		if h := p.Hint(); h != "" {
			return s.named[n].Where + ": " + h
		}
	}
	return s.stray.Hint()
}

// Watch compares what the store has with the digests of all books until ctx ends, and
// says what is left out.
func (s *Several) Watch(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range s.parts {
		all.Go(func() { p.Watch(ctx) })
	}
	all.Go(func() {
		for said := int64(0); ; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(compareNewest):
				said = s.stray.say(said)
			}
		}
	})
	all.Wait()
}
