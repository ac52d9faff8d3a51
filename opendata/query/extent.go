package query

import (
	"context"
	"errors"
	"io/fs"
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
	mu      sync.Mutex
	through time.Time            // looked at; guarded by mu
	begun   time.Time            // when all of it was last looked at; guarded by mu
	hidden  int                  // how much was hidden by then; guarded by mu
	by      map[[2]string]Extent // by measure and category; guarded by mu
}

// again is after how long all of a series is looked at anew, if nothing is hidden before: a
// window may have been left out since it differs.
const again = time.Hour

// Extent is that of all numbers of a measure and category that were ever published, or of
// the newest of a very long series; false where there are none.
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
		k.by, k.hidden = nil, hidden // what was taken back counts no more
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

// look takes in what is new, and now and then everything.
func (k *series) look(ctx context.Context, from Store, st Stream) error {
	q := store.Query{Stream: st.ID, To: lastInstant, Limit: 10 * MaxLimit, Desc: true,
		Statuses: []store.Status{store.Published}}
	by, now := k.by, time.Now()
	if all := by == nil || now.Sub(k.begun) > again; all {
		by = make(map[[2]string]Extent)
	} else if q.From = k.through; !st.Through.After(k.through) {
		return nil
	} else {
		now = k.begun
	}
	for n := 0; n < maxExtent; n += q.Limit {
		list, err := from.Observations(ctx, q)
		if err != nil {
			return err
		}
		for i := range list {
			widen(by, &list[i])
		}
		if len(list) < q.Limit {
			break
		}
		q.After = store.At(&list[len(list)-1])
	}
	k.by, k.through, k.begun = by, st.Through, now
	return nil
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
