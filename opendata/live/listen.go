package live

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"sluice/door"
	"sluice/internal/crash"
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
func (f *Feed) Handler(limits Limits, fail httpcache.Failer, log *slog.Logger) http.HandlerFunc {
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
		door.Aside(r)
		head(h)
		conn, ctx, err := own(w, r)
		if err != nil {
			s.leave(client)
			fail(w, r, err)
			return
		}
		go s.hold(client, conn, log, func() {
			to, c := &speaker{conn: conn}, f.follow(at)
			if to.begin(answered(h), c.at) {
				f.serve(ctx, to, c, want)
			}
		})
	}
}

// hold lets a client keep its seat and connection while serve runs. A bug there ends this one alone.
func (s *seats) hold(client uint64, conn net.Conn, log *slog.Logger, serve func()) {
	defer crash.Catch(func(e *crash.Error) { log.Error("a listener was sent away", "error", e) })
	defer s.leave(client)
	defer conn.Close()
	serve()
}

// own takes the connection of a request from net/http, which would hold buffers and a stack for
// each, and write a long event in several pieces. The context ends when the client leaves, or the
// connection is closed.
func own(w http.ResponseWriter, r *http.Request) (net.Conn, context.Context, error) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	go func() {
		defer cancel()
		_, _ = conn.Read(make([]byte, 1)) // it has nothing to say but that it leaves
	}()
	return conn, ctx, nil
}

// answered is the head of the answer, whose end is that of the connection (RFC 9112, section 6.3).
func answered(h http.Header) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // into memory
	fmt.Fprintf(&b, "Date: %s\r\n\r\n", time.Now().UTC().Format(http.TimeFormat))
	return b.Bytes()
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
	timer := time.NewTimer(heartbeat)
	defer timer.Stop()
	for {
		list, gaps, changed, over := f.next(c)
		wait, failed := heartbeat, false
		if len(gaps) > 0 {
			paths, err := f.rest(ctx, gaps, want)
			if err != nil || !to.say(c.at, &event{whole: gapEvent(paths)}, nil) {
				return
			}
		}
		for _, w := range list {
			e, err := f.events.of(ctx, w)
			if failed = err != nil; failed {
				wait, changed = again, nil // it is not lost
				break
			}
			c.sent(w)
			if !to.say(c.at, e, want) {
				return
			}
		}
		if len(list) == batch && !failed {
			continue
		}
		timer.Reset(wait)
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
	}
}

// speaker writes to one listener, each event at once.
type speaker struct {
	conn   net.Conn
	buffer []byte
	last   []byte // the line of the id that was sent last
}

// begin sends the head of the answer, and where the listener begins.
func (s *speaker) begin(head []byte, at position) bool {
	s.last = appendID(nil, at)
	return s.write(slices.Concat(head, []byte("retry: 2000\n"), s.last, []byte("\n")))
}

// say sends what is wanted of an event, if anything.
func (s *speaker) say(at position, e *event, want *filter) bool {
	s.buffer = appendID(s.buffer[:0], at)
	b := e.under(s.buffer, want)
	if len(b) == 0 {
		return true
	}
	s.buffer, s.last = s.last, s.buffer
	return s.write(b)
}

// beat shows proxies that the connection lives, and the listener how far it has come.
func (s *speaker) beat(at position) bool {
	s.buffer = appendID(s.buffer[:0], at)
	if bytes.Equal(s.buffer, s.last) {
		return s.write([]byte(":\n\n"))
	}
	s.buffer, s.last = s.last, s.buffer
	return s.write(slices.Concat([]byte(":\n"), s.last, []byte("\n")))
}

func (s *speaker) write(b []byte) bool {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := s.conn.Write(b)
	return err == nil
}

// appendID appends the line of an id, which a browser remembers.
func appendID(b []byte, at position) []byte {
	if len(at) == 0 {
		return b
	}
	return append(at.append(append(b, "id: "...)), '\n')
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
