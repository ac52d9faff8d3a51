package opendata

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/test/entered"
)

// square is a city whose gateways release hours of the stream noise, one zone each.
type square struct {
	t     *testing.T
	store *sqlite.Store
	dirs  []books.Dir
	hours []int // that each gateway has released
	base  string
	mqtt  string // address
	stop  func()
}

func newSquare(t *testing.T, gateways int) *square {
	t.Helper()
	q := &square{t: t, store: storeOf(t)}
	for n := range gateways {
		q.dirs = append(q.dirs, gatewayBooks(t, q.store, "portalba", q.name(n), q.zone(n), 0))
		q.hours = append(q.hours, 0)
	}
	return q
}

func (q *square) name(n int) string { return fmt.Sprintf("edge-%d", n+1) }
func (q *square) zone(n int) string { return string(rune('a' + n)) }

// open serves, again after close.
func (q *square) open(cfg Config) {
	q.t.Helper()
	cfg.HTTP = "127.0.0.1:0"
	var source books.Source = q.dirs[0]
	if len(q.dirs) > 1 {
		source = over(q.dirs...)
	}
	srv, err := Open(cfg, q.store, source, slog.New(slog.DiscardHandler))
	if err != nil {
		q.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(q.t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	q.base, q.mqtt = "http://"+srv.Addr(), srv.MQTT()
	q.stop = func() {
		cancel()
		if err := <-done; err != nil {
			q.t.Error(err)
		}
	}
}

// rows are those of a gateway's next hour.
func (q *square) rows(n int) []store.Observation {
	at, v := noon.Add(time.Duration(q.hours[n])*time.Hour), float64(q.hours[n])
	q.hours[n]++
	o := store.Observation{Gateway: q.name(n), Stream: "noise", Start: at, End: at.Add(time.Hour), Every: "PT1H",
		Cell: q.zone(n), Zone: q.zone(n), Measure: "level", Status: store.Published, Value: &v, Low: &v, High: &v}
	if q.hours[n]%3 == 0 {
		o.Status, o.Reason, o.Value, o.Low, o.High = store.Withheld, "few", nil, nil, nil
	}
	return []store.Observation{o}
}

func (q *square) write(rows []store.Observation) {
	q.t.Helper()
	if err := q.store.Write(q.t.Context(), rows); err != nil {
		q.t.Fatal(err)
	}
}

func (q *square) enter(n int, rows []store.Observation) {
	q.t.Helper()
	if err := entered.EnterAs(q.name(n), q.dirs[n], rows); err != nil {
		q.t.Fatal(err)
	}
}

func (q *square) release(n int) {
	q.t.Helper()
	rows := q.rows(n)
	q.write(rows)
	q.enter(n, rows)
}

// heard is an event, or the comment of a heartbeat.
type heard struct {
	id, kind, data string
}

// listener reads events.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	end   func()
	last  string // id
}

func (q *square) listen(query, last string) *listener {
	q.t.Helper()
	ctx, cancel := context.WithTimeout(q.t.Context(), 30*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, q.base+"/api/v1/live"+query, nil)
	if err != nil {
		q.t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		q.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		q.t.Fatalf("it is %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	l := &listener{t: q.t, lines: bufio.NewScanner(resp.Body), last: last,
		end: func() { cancel(); _ = resp.Body.Close() }}
	l.lines.Buffer(nil, 8<<20)
	q.t.Cleanup(l.end)
	return l
}

// next is the next event that has data; false at the end of the answer.
func (l *listener) next() (e heard, ok bool) {
	for l.lines.Scan() {
		line := l.lines.Text()
		if line == "" && e.data != "" {
			return e, true
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "id":
			e.id, l.last = value, value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		}
	}
	return e, false
}

func (l *listener) must() heard {
	l.t.Helper()
	e, ok := l.next()
	if !ok {
		l.t.Fatal("the answer ended")
	}
	return e
}

// told is a window as an event tells it.
type told struct {
	Stream string
	Start  time.Time
	End    time.Time
	Items  []json.RawMessage
}

func (e heard) told(t *testing.T) (w told) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.data), &w); err != nil || e.kind != "window" {
		t.Fatalf("%q: %v", e, err)
	}
	return w
}
