package live

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"sluice/door"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
)

const (
	heartbeat = 15 * time.Second
	again     = 2 * time.Second  // before a window that could not be made is tried once more
	writeTime = 10 * time.Second // in which a listener must take what it is sent
)

// Parameters are those of /api/v1/live.
var Parameters = []string{"stream", "cell", "measure", "after"}

// Limits bound the listeners at a time.
type Limits struct {
	// Listeners are all of them.
	Listeners int
	// PerAddress are those of one address; 0 for no bound but Listeners.
	PerAddress int
}

// Handler serves the events to a bounded number of listeners. Their connections do not count
// among those of the door.
func (f *Feed) Handler(limits Limits, fail httpcache.Failer) http.HandlerFunc {
	s := &seats{limits: limits, hash: door.NewHash(), per: make(map[uint64]int)}
	return func(w http.ResponseWriter, r *http.Request) {
		at, want, err := f.asked(r)
		if err != nil {
			fail(w, r, err)
			return
		}
		h := w.Header()
		if r.Method == http.MethodHead {
			head(h)
			return
		}
		client := s.hash.Of(r.RemoteAddr)
		if !s.take(client) {
			h.Set("Retry-After", "30")
			httpcache.Problem(w, r, http.StatusServiceUnavailable, "busy", "Too many listen already",
				"wait as long as Retry-After says, or ask /api/v1/latest from time to time")
			return
		}
		defer s.leave(client)
		door.Aside(r)
		head(h)
		f.serve(r.Context(), newSpeaker(w), f.follow(at), want)
	}
}

// head says that the answer is not for caches, nor for a proxy to collect before it passes
// it on.
func head(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	h.Set("Connection", "close")
}

// asked reads a request; the position is nil where it has no id.
func (f *Feed) asked(r *http.Request) (at position, want *filter, err error) {
	v, err := query.Values(r.URL.RawQuery, Parameters...)
	if err != nil {
		return nil, nil, err
	}
	name, id := "after", v.Get("after")
	if last := r.Header.Get("Last-Event-ID"); last != "" { // a browser comes again with both
		name, id = "Last-Event-ID", last
	}
	if id != "" || v.Has("after") {
		var ok bool
		if at, ok = parsePosition(id); !ok {
			return nil, nil, &query.Invalid{Parameter: name, Hint: "is the id of an event, or 0"}
		}
	}
	want, err = f.wanted(r.Context(), v)
	return at, want, err
}

// serve sends what comes until the listener leaves, or has to.
func (f *Feed) serve(ctx context.Context, to *speaker, c *cursor, want *filter) {
	if !to.say([]byte("retry: 2000\n"), c.at, nil) {
		return
	}
	for {
		list, gaps, changed, over := f.next(c)
		wait, failed := heartbeat, false
		if len(gaps) > 0 {
			paths, err := f.rest(ctx, gaps, want)
			if err != nil || !to.say(nil, c.at, gapEvent(paths)) {
				return
			}
		}
		for _, w := range list {
			e, err := f.events.of(ctx, w)
			if failed = err != nil; failed {
				wait = again // it is not lost
				break
			}
			c.sent(w)
			if b := e.only(want); len(b) > 0 && !to.say(nil, c.at, b) {
				return
			}
		}
		if len(list) == batch && !failed {
			continue
		}
		if failed {
			changed = nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
			if !failed && !to.beat(c.at) {
				return
			}
		case <-over:
			return
		case <-f.done:
			return
		case <-ctx.Done():
			return
		}
		timer.Stop()
	}
}

// speaker writes to one listener.
type speaker struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buffer  []byte // for ids
	id      string // the last one that was sent
}

func newSpeaker(w http.ResponseWriter) *speaker {
	s := &speaker{w: w, control: http.NewResponseController(w)}
	_ = s.control.SetReadDeadline(time.Time{}) // the request has been read; a recorder of a test has none
	return s
}

// say sends an event with an id; without one, the id alone, which a browser remembers.
func (s *speaker) say(before []byte, at position, event []byte) bool {
	b := append(s.buffer[:0], before...)
	if len(at) > 0 {
		from := len(b) + len("id: ")
		b = at.append(append(b, "id: "...))
		s.id = string(b[from:])
		b = append(b, '\n')
	}
	if len(event) == 0 {
		b = append(b, '\n')
	}
	s.buffer = b
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := s.w.Write(b); err != nil {
		return false
	}
	if _, err := s.w.Write(event); err != nil {
		return false
	}
	return s.control.Flush() == nil
}

// beat shows proxies that the connection lives, and the listener how far it has come.
func (s *speaker) beat(at position) bool {
	if string(at.append(s.buffer[:0])) == s.id {
		at = nil
	}
	return s.say([]byte(":\n"), at, nil)
}

// filter is what a listener asked for; nil for everything.
type filter struct{ streams map[string]query.Selection }

// wanted reads what was asked for.
func (f *Feed) wanted(ctx context.Context, v url.Values) (*filter, error) {
	if !v.Has("stream") && !v.Has("cell") && !v.Has("measure") {
		return nil, nil //nolint:nilnil // no filter is one
	}
	want := &filter{make(map[string]query.Selection)}
	if !v.Has("stream") {
		list, err := f.source.Choose(ctx, v)
		for _, c := range list {
			want.streams[c.Stream.ID] = c.Selection
		}
		return want, err
	}
	list, err := f.source.Streams(ctx)
	if err != nil {
		return nil, err
	}
	for _, st := range list {
		if st.ID == v.Get("stream") {
			want.streams[st.ID], err = query.Select(v, st)
			return want, err
		}
	}
	return nil, &query.Invalid{Parameter: "stream", Hint: "names no stream; see /api/v1/streams"}
}

func (x *filter) hasStream(id string) bool {
	if x == nil {
		return true
	}
	_, ok := x.streams[id]
	return ok
}

// all reports whether everything of a stream was asked for.
func (x *filter) all(stream string) bool {
	s := x.streams[stream]
	return len(s.Cells) == 0 && len(s.Measures) == 0
}

func (x *filter) has(stream, cell, measure string) bool {
	s := x.streams[stream]
	return (len(s.Cells) == 0 || slices.Contains(s.Cells, cell)) &&
		(len(s.Measures) == 0 || slices.Contains(s.Measures, measure))
}

// seats bound the listeners.
type seats struct {
	limits Limits
	hash   door.Hash

	mu  sync.Mutex
	all int            // guarded by mu
	per map[uint64]int // by address; guarded by mu
}

func (s *seats) take(client uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= s.limits.Listeners || s.limits.PerAddress > 0 && s.per[client] >= s.limits.PerAddress {
		return false
	}
	s.all++
	s.per[client]++
	return true
}

func (s *seats) leave(client uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.per[client]--; s.per[client] == 0 {
		delete(s.per, client)
	}
}
