// Package live tells listeners of each window as it closes: /api/v1/live, in server-sent
// events (WHATWG HTML, section 9.2).
//
// There is one event for each line of releases.jsonl whose window has rows that the public
// books know of, in the order of the lines:
//
//	id: 1041
//	event: window
//	data: {"stream":"footfall","start":"...Z","end":"...Z","items":[ITEM, ...]}
//
// An ITEM is what /api/v1/streams/{id}/observations has. The id is the number of the line;
// of a city with several gateways it is each one's, such as edge-1:1041,edge-2:988, so that
// any id says what its listener has had. Last-Event-ID, or the parameter after, resumes
// behind it: what was missed comes first, as far as it ended within a day and is among the
// newest 10,000. Where it is not, an event says so, and where the rest is:
//
//	event: gap
//	data: {"rest":["/api/v1/streams/footfall/observations?from=...&to=..."]}
//
// Every 15 seconds without an event there is a comment, with the id if it has moved on.
//
// Listeners have no queues. All of them read one bounded list of the newest windows, each at
// its own pace, whether they are far behind or waiting for the next; what is sent is made
// once for all of them. One that does not read is cut off, and resumes by its id.
package live

import (
	"context"
	"slices"
	"sync"
	"time"

	"sluice/books"
	"sluice/books/union"
	"sluice/opendata/query"
)

// Bounds. The newest windows are remembered for as long as reach, by the gateway's time.
const (
	reach      = 24 * time.Hour
	maxWindows = 10_000
	batch      = 64 // windows that a listener takes at a time
)

// Feed follows the books of all gateways.
type Feed struct {
	source  *query.Source
	several bool // gateways, so that ids name them
	events  *events
	done    chan struct{} // closed when Run ends

	mu      sync.RWMutex  // thousands read at once when a window closes
	windows []*window     // the newest, in the order in which they became known; guarded by mu
	count   int64         // of all that ever were in windows; guarded by mu
	newest  time.Time     // the latest end of any; guarded by mu
	lanes   []*lane       // guarded by mu
	changed chan struct{} // closed, and made anew, when there are more windows; guarded by mu
	over    chan struct{} // closed, and made anew, when ids mean something else; guarded by mu
}

// window is one line of a gateway's releases.jsonl.
type window struct {
	lane            *lane
	n               int64 // the line
	gateway, stream string
	start, end      time.Time
	rows            int
	seq             int64 // its number among all windows of this process; guarded by Feed.mu
}

// New returns a Feed; Run makes it follow.
func New(source *query.Source) *Feed {
	_, several := source.Books.Source.(*union.Books)
	return &Feed{source: source, several: several, events: newEvents(source), done: make(chan struct{}),
		changed: make(chan struct{}), over: make(chan struct{})}
}

// Run follows the books until ctx ends; then all listeners are sent away.
func (f *Feed) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	defer close(f.done)
	for known := make(map[string]bool); ; {
		for _, g := range f.gateways() {
			if !known[g.Name] {
				known[g.Name] = true
				all.Go(func() { newLane(f, g).run(ctx) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

// gateways lists those that have books here. A single one may change its name.
func (f *Feed) gateways() []books.Gateway {
	if !f.several {
		return []books.Gateway{{Source: f.source.Books.Source}}
	}
	list, err := f.source.Books.Gateways()
	if err != nil {
		return nil // it is asked again
	}
	return list
}

// add makes windows of a lane known to all listeners, and the lane, with its first ones.
func (f *Feed) add(l *lane, list []*window) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range list {
		w.seq = f.count
		f.count++
		f.windows = append(f.windows, w)
		l.last = w.n
		if w.end.After(f.newest) {
			f.newest = w.end
		}
	}
	for len(f.windows) > maxWindows || len(f.windows) > 0 && f.windows[0].end.Before(f.newest.Add(-reach)) {
		w := f.windows[0]
		w.lane.floor = max(w.lane.floor, w.n)
		f.windows[0] = nil // or the array keeps it
		f.windows = f.windows[1:]
	}
	if !slices.Contains(f.lanes, l) {
		l.begun = l.last
		f.lanes = append(f.lanes, l)
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// Changed returns a channel that is closed when more windows are known than now.
func (f *Feed) Changed() <-chan struct{} {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.changed
}

// forget drops what a lane's book had before it was replaced by another, and sends all
// listeners away: what their ids say is of the old one.
func (f *Feed) forget(l *lane) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.windows = slices.DeleteFunc(f.windows, func(w *window) bool { return w.lane == l })
	f.lanes = slices.DeleteFunc(f.lanes, func(x *lane) bool { return x == l })
	l.last, l.floor, l.begun, l.seen, l.marks = 0, 0, 0, 0, nil
	close(f.over)
	f.over = make(chan struct{})
}
