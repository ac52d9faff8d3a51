package query

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/store"
)

// Extent are the lowest and the highest number that were published of a measure.
type Extent struct{ Low, High float64 }

// maxExtent bounds the rows that are looked at for it, the newest first.
const maxExtent = 100_000

// extents remembers what is known of each series: reading all of a long one takes a moment.
type extents struct {
	mu sync.Mutex
	by map[string]*series // by stream; guarded by mu
}

// series is what is known of one.
type series struct {
	mu     sync.Mutex
	first  time.Time            // start of what counts; guarded by mu
	reach  reach                // looked at; guarded by mu
	begun  time.Time            // when all of it was last looked at; guarded by mu
	hidden int                  // how much was hidden by then; guarded by mu
	final  map[[2]string]Extent // of the windows that are final; guarded by mu
	by     map[[2]string]Extent // of all, by measure and category; guarded by mu
}

// again is after how long all of a series is looked at anew, if nothing is hidden before: a
// window may have been left out since it differs.
const again = time.Hour

// Extent is that of all numbers of a measure and category that were ever published, or of
// the newest days of a very long series; false where there are none. Which days these are
// follows from the series alone, so that every server says the same.
func (s *Source) Extent(ctx context.Context, st Stream, measure, category string) (Extent, bool, error) {
	s.extents.mu.Lock()
	if s.extents.by == nil {
		s.extents.by = make(map[string]*series)
	}
	k := s.extents.by[st.ID]
	if k == nil {
		k = new(series)
		s.extents.by[st.ID] = k
	}
	s.extents.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	hidden, err := s.hidden()
	if err != nil {
		return Extent{}, false, err
	}
	if hidden != k.hidden {
		k.final, k.hidden = nil, hidden // what was taken back counts no more
	}
	if err := k.look(ctx, s.Store, st); err != nil {
		return Extent{}, false, err
	}
	e, some := k.by[[2]string{measure, category}]
	return e, some, nil
}

// hidden tells by its change that numbers were withdrawn or removed: it is how long the books of
// that are.
func (s *Source) hidden() (n int, err error) {
	for _, part := range s.Books.Parts() {
		for _, name := range []string{"withdrawals.jsonl", "removals.jsonl"} {
			raw, err := part.Source.Get(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return 0, err
			}
			n += len(raw)
		}
	}
	return n, nil
}

// look takes in what is new, and now and then everything. What is not final is looked at each
// time: a gateway that is behind others releases there.
func (k *series) look(ctx context.Context, from Store, st Stream) error {
	q := store.Query{Stream: st.ID, From: st.counted(), To: lastInstant, Limit: 10 * MaxLimit, Desc: true,
		Statuses: []store.Status{store.Published}}
	first, begun, final := q.From, time.Now(), make(map[[2]string]Extent)
	if k.final != nil && first.Equal(k.first) && begun.Sub(k.begun) <= again {
		if st.reach.equal(k.reach) {
			return nil
		}
		begun, final = k.begun, maps.Clone(k.final)
		if at := k.reach.ClosedUntil.Add(-Length(st.Every)); at.After(first) {
			q.From = at
		}
	}
	by := maps.Clone(final)
	for n := 0; n < maxExtent; n += q.Limit {
		list, err := from.Observations(ctx, q)
		if err != nil {
			return err
		}
		for i := range list {
			widen(by, &list[i])
			if !list[i].End.After(st.ClosedUntil) {
				widen(final, &list[i])
			}
		}
		if len(list) < q.Limit {
			break
		}
		q.After = store.At(&list[len(list)-1])
	}
	k.first, k.reach, k.begun, k.final, k.by = first, st.reach, begun, final, by
	return nil
}

// counted is where a series begins to count: so many whole days before its newest window that
// their rows are no more than are looked at.
func (st Stream) counted() time.Time {
	day := 24 * time.Hour
	rows := max(1, int(day/min(day, Length(st.Every)))*len(st.Cells)*len(st.Measures))
	from := st.Through.UTC().Truncate(day).AddDate(0, 0, -max(1, maxExtent/rows))
	if from.Year() < 1970 {
		return time.Unix(0, 0)
	}
	return from
}

// equal reports whether no gateway has come further.
func (r reach) equal(x reach) bool {
	return r.Through.Equal(x.Through) && r.ClosedUntil.Equal(x.ClosedUntil) &&
		slices.EqualFunc(r.shares, x.shares, func(a, b share) bool { return a.until.Equal(b.until) })
}

// widen takes one number in.
func widen(by map[[2]string]Extent, o *store.Observation) {
	if o.Status != store.Published || o.Value == nil {
		return
	}
	key := [2]string{o.Measure, o.Category}
	e, some := by[key]
	if !some {
		e = Extent{*o.Value, *o.Value}
	}
	by[key] = Extent{min(e.Low, *o.Value), max(e.High, *o.Value)}
}
