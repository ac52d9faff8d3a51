package live

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"sluice/books"
)

const (
	// lookEvery is how often new gateways are looked for, and a mirror's books are read;
	// a directory's are checked by stat(2) every lookDir.
	lookEvery = 2 * time.Second
	lookDir   = 150 * time.Millisecond
	// grace is how long a window with a line may be without some of its rows, although the
	// store has come further: a store may write a window in parts.
	grace = 10 * time.Second
	// A store that has not come as far is waited for, at most so long.
	longest = time.Hour
	// unsure are the last lines of a book whose rows may be on their way when a process
	// starts.
	unsure = 256
	// every maxMark-th line is noted with its end, for gaps.
	maxMark = 1000
)

// lane follows one gateway's book. Its own fields are owned by run, and those that listeners
// read by the feed's lock.
type lane struct {
	feed     *Feed
	name     string
	source   books.Source
	follower *books.Follower
	every    time.Duration
	waiting  []*window            // lines whose rows are not known to be complete
	old      int                  // of those, the first so many are
	since    time.Time            // when the next began to wait; zero for not yet
	known    bool                 // to the feed
	had      bool                 // lines
	removed  map[string]time.Time // by stream, until when its windows were, when the book was first read

	last  int64       // line of the newest window that is known; guarded by feed.mu
	floor int64       // line up to which none is remembered; guarded by feed.mu
	begun int64       // last, when the book was first read; guarded by feed.mu
	seen  int64       // line of the newest one in the book; guarded by feed.mu
	marks []time.Time // ends of the lines 1, 1001, 2001 ...; guarded by feed.mu
}

func newLane(f *Feed, g books.Gateway) *lane {
	l := &lane{feed: f, name: g.Name, source: g.Source, follower: books.NewFollower(g.Source, "releases.jsonl"),
		every: lookEvery}
	if books.Near(g.Source) {
		l.every = lookDir
	}
	return l
}

func (l *lane) run(ctx context.Context) {
	for {
		err := l.read() // where it fails it is tried again; who answers queries logs it
		if err == nil || l.known {
			ready := l.settle(ctx)
			if len(ready) > 0 || !l.known {
				l.feed.add(l, ready)
			}
			l.known = true
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.every):
		}
	}
}

// read takes the new lines. Of a book that is read from its beginning, only the newest
// windows matter.
func (l *lane) read() error {
	anew, n := false, int64(0)
	var newest []string
	err := l.follower.Next(func() {
		anew, n, newest = true, 0, nil
		l.waiting, l.old, l.since = nil, 0, time.Time{}
		if l.had { // else it was empty
			l.feed.forget(l)
			l.known, l.had = false, false
		}
	}, func(text string) error {
		if !anew {
			l.take(text)
			return nil
		}
		if n++; n%maxMark == 1 {
			l.mark(text)
		}
		if newest = append(newest, text); len(newest) > 2*maxWindows {
			newest = append(newest[:0], newest[maxWindows:]...)
		}
		return nil
	})
	for i, text := range newest[max(0, len(newest)-maxWindows):] {
		if i == 0 {
			l.skip(text)
		}
		l.take(text)
	}
	if anew { // what is before has long been in the store
		l.old = max(0, len(l.waiting)-unsure)
		l.missed()
	}
	return err
}

// missed notes which windows are not in the store any more, and are not waited for. Where that
// cannot be read they are.
func (l *lane) missed() {
	l.removed = make(map[string]time.Time)
	list, _ := books.Reader{Source: l.source}.Removals()
	for _, r := range list {
		if r.Until.After(l.removed[r.Stream]) {
			l.removed[r.Stream] = r.Until
		}
	}
}

// line decodes a line; nil for one that says nothing that can be shown.
func (l *lane) line(text string) *window {
	var r books.Released
	if json.Unmarshal([]byte(text), &r) != nil || r.N <= 0 || r.Stream == "" || !r.Start.Before(r.End) {
		return nil
	}
	return &window{lane: l, n: r.N, gateway: r.Gateway, stream: r.Stream, start: r.Start.UTC(), end: r.End.UTC(),
		rows: r.Rows}
}

func (l *lane) take(text string) {
	w := l.line(text)
	if w == nil {
		return
	}
	l.waiting, l.had = append(l.waiting, w), true
	l.feed.mu.Lock()
	defer l.feed.mu.Unlock()
	l.seen = w.n
	if int64(len(l.marks))*maxMark < w.n {
		l.marks = append(l.marks, w.end)
	}
}

// mark notes how far a book's line has come.
func (l *lane) mark(text string) {
	if w := l.line(text); w != nil {
		l.feed.mu.Lock()
		defer l.feed.mu.Unlock()
		l.marks = append(l.marks, w.end)
	}
}

// skip notes that nothing before a line is remembered.
func (l *lane) skip(text string) {
	if w := l.line(text); w != nil {
		l.feed.mu.Lock()
		defer l.feed.mu.Unlock()
		l.floor, l.last = w.n-1, w.n-1
	}
}

// settle returns the windows whose rows are complete, in the order of their lines.
func (l *lane) settle(ctx context.Context) []*window {
	n := l.old
	var known []bool // of those from asked on: all behind the first, which alone is asked for again and again
	for asked := n; n < len(l.waiting) && ctx.Err() == nil; n++ {
		if l.since.IsZero() {
			l.since = time.Now()
		}
		if n > l.old && n >= asked+len(known) && len(l.waiting)-n > 1 {
			asked, known = n, l.feed.events.complete(ctx, l.waiting[n:min(len(l.waiting), n+batch)])
		}
		if (n-asked >= len(known) || !known[n-asked]) && !l.ready(ctx, l.waiting[n], time.Since(l.since)) {
			break
		}
		l.since = time.Time{}
	}
	ready := l.waiting[:n]
	l.waiting, l.old = slices.Clone(l.waiting[n:]), 0
	return ready
}

// ready reports whether a window can be shown as it is. A store that cannot be read is
// waited for.
func (l *lane) ready(ctx context.Context, w *window, waited time.Duration) bool {
	if !w.end.After(l.removed[w.stream]) {
		return true
	}
	have, passed, err := l.feed.events.stored(ctx, w)
	switch {
	case err != nil:
		l.since = time.Now()
		return false
	case have >= w.rows, waited >= longest:
		return true
	}
	return waited >= grace && (have > 0 || passed)
}
