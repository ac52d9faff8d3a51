package query

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"sluice/books"
)

// standings caches the states of all decisions, by id, parsed again only when the file has
// changed.
type standings struct {
	mu   sync.Mutex
	raw  []byte                    // decisions.json as last parsed; guarded by mu
	by   map[string]books.Standing // what it says, not to be changed; guarded by mu
	read time.Time                 // when it was last read; guarded by mu
}

// Standings returns the states of all decisions, by id. The map is shared; do not modify
// it.
func (s *Source) Standings() (map[string]books.Standing, error) {
	k := &s.standings
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.read) < fresh {
		return k.by, nil
	}
	begun := time.Now()
	raw, err := s.Books.Source.Get("decisions.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if k.raw == nil || !bytes.Equal(raw, k.raw) {
		list, err := s.Books.Decisions()
		if err != nil {
			return nil, err
		}
		k.raw, k.by = raw, make(map[string]books.Standing, len(list))
		for _, d := range list {
			k.by[d.ID] = d.Standing()
		}
	}
	k.read = begun
	return k.by, nil
}

// standing is the series' state: its decision's, but of a series that is not run any more
// while its decision is in force, which makes another one by now, or has none of it here.
func standing(b books.Stream, by map[string]books.Standing) books.Standing {
	st := by[b.Decision]
	if b.Stopped && st.State == books.InForce {
		return books.Standing{State: books.Past, Until: st.Until}
	}
	return st
}

// standing is the series' state, with the day of its last window where the books do not say
// when it ended.
func (st *Stream) standing(by map[string]books.Standing) books.Standing {
	s := standing(st.Stream, by)
	if s.State == books.Past && s.Since == "" && by[st.Decision].State == books.InForce && !st.Through.IsZero() {
		s.Since = st.Through.Add(-time.Nanosecond).In(Place(st.Timezone)).Format(time.DateOnly)
	}
	return s
}

// once keeps one entry of each stream: two decisions may define it one after the other. The
// one in force wins, then a suspended one, then the one that comes first, then the one that
// ended last.
func once(list []books.Stream, by map[string]books.Standing) []books.Stream {
	var out []books.Stream
	at := make(map[string]int, len(list))
	for _, b := range list {
		n, twice := at[b.ID]
		switch {
		case !twice:
			at[b.ID] = len(out)
			out = append(out, b)
		case before(b, out[n], by):
			out[n] = b
		}
	}
	return out
}

// before reports whether a describes the stream as it is now, rather than b.
func before(a, b books.Stream, by map[string]books.Standing) bool {
	order := []string{books.InForce, "", books.Suspended, books.Coming, books.Past}
	x, y := slices.Index(order, standing(a, by).State), slices.Index(order, standing(b, by).State)
	switch {
	case x != y:
		return x < y
	case standing(a, by).State == books.Coming:
		return a.From < b.From
	}
	return a.Until > b.Until
}
