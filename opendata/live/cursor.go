package live

import (
	"context"
	"slices"
	"sort"
	"time"

	"sluice/books"
)

// slack is how many lines an id may be ahead of a book: that of a mirror lags behind. What
// is further ahead is of another book.
const slack = 100

// cursor is where a listener is.
type cursor struct {
	at      position
	seq     int64     // of the next window
	resumed bool      // it had an id
	list    []*window // what next returned last, to be used again
}

// missed is what a listener does not get: lines of a gateway from one to another.
type missed struct {
	lane *lane
	from time.Time // nothing that is missing starts before this
}

// follow returns a cursor behind an id; behind everything that is known where there is none.
func (f *Feed) follow(at position) *cursor {
	c := &cursor{at: position{}, resumed: at != nil}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if !c.resumed {
		c.seq = f.count
		for _, l := range f.lanes {
			c.at[l.name] = l.last
		}
		return c
	}
	for name, n := range at {
		if (name != "") == f.several {
			c.at[name] = n
		}
	}
	return c
}

// next returns what comes next for a listener, and what is missing before it; changed is
// closed when there is more, over when the listener has to come again. The list holds until next
// is called again.
func (f *Feed) next(c *cursor) (list []*window, gaps []missed, changed, over <-chan struct{}) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	list = c.list[:0]
	for _, l := range f.lanes {
		n, known := c.at[l.name]
		if !known { // it is new to this listener
			if !c.resumed {
				n = l.begun
			}
			c.at[l.name] = n
		}
		switch {
		case n < l.floor:
			gaps = append(gaps, missed{l, l.ended(n)})
			c.at[l.name] = l.floor
		case n > l.seen+slack:
			gaps = append(gaps, missed{l, time.Time{}})
			c.at[l.name] = l.last
		}
	}
	from := sort.Search(len(f.windows), func(i int) bool { return f.windows[i].seq >= c.seq })
	for _, w := range f.windows[from:] {
		if w.n > c.at[w.lane.name] {
			if list = append(list, w); len(list) == batch {
				break
			}
		}
	}
	c.list = list
	return list, gaps, f.changed, f.over
}

// sent notes that a listener has had a window.
func (c *cursor) sent(w *window) { c.at[w.lane.name], c.seq = w.n, w.seq+1 }

// ended is an instant before which the windows behind a line do not start: a window is at
// most 25 hours long, and closes some hours late at most. The caller holds the feed's lock.
func (l *lane) ended(n int64) time.Time {
	if len(l.marks) == 0 {
		return time.Time{}
	}
	return l.marks[min(int(max(0, n-1)/maxMark), len(l.marks)-1)].Add(-50 * time.Hour)
}

// rest is where the windows are that a listener misses.
func (f *Feed) rest(ctx context.Context, gaps []missed, want *filter) ([]string, error) {
	streams, err := f.source.Streams(ctx)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, st := range streams {
		if !want.hasStream(st.ID) {
			continue
		}
		from, to := f.span(gaps, st.Stream)
		list = append(list, address(ctx, st.ID, from, to))
	}
	return list, nil
}

// span is from the first window that may be missing of a stream to the first that is
// remembered.
func (f *Feed) span(gaps []missed, st books.Stream) (from, to time.Time) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	to = f.newest
	for _, w := range f.windows {
		if w.stream == st.ID && w.start.Before(to) && slices.ContainsFunc(gaps, func(g missed) bool {
			return g.lane == w.lane
		}) {
			to = w.start
		}
	}
	from = to
	for _, g := range gaps {
		if g.from.Before(from) {
			from = g.from
		}
	}
	if from.Year() < 1970 {
		from = time.Unix(0, 0)
	}
	return from, to
}
