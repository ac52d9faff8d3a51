package live

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"sluice/opendata/api"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/store"
)

const (
	// fresh is how long an event that was made is sent to others: what was withdrawn or
	// left out since must not come for long.
	fresh = 2 * time.Second
	// maxKept bounds the bytes of events that are kept so long, and maxRows the rows of one;
	// what has more is a file to fetch.
	maxKept = 16 << 20
	maxRows = 5000
	making  = 4 // at a time
)

// event is a window as it is sent, without its id. It is immutable but for what it has framed.
type event struct {
	stream string
	whole  []byte // all of it; empty where there is nothing to show
	head   int    // length of what is before the items
	items  []span
	made   time.Time
	large  bool // whole says where it is

	once   sync.Once
	framed []byte // below the id that was first; guarded by once
}

// span is where an item is in an event.
type span struct {
	cell, measure string
	from, to      int
}

const tail = "]}\n\n"

// under is the event below the line of its id, as it is sent: for all who want all of it the same
// bytes, in one piece. It is empty where nothing is wanted.
func (e *event) under(id []byte, want *filter) []byte {
	if len(e.whole) == 0 || !want.hasStream(e.stream) {
		return nil
	}
	if want != nil && !want.all(e.stream) && !e.large {
		return e.only(id, want)
	}
	e.once.Do(func() { e.framed = slices.Concat(id, e.whole) })
	if bytes.HasPrefix(e.framed, id) { // an id is a whole line
		return e.framed
	}
	return slices.Concat(id, e.whole) // of a listener that has come as far in another order
}

// only is the event with the items that a filter wants; nothing if there are none. Every listener
// may hold one of these, so it is no larger than it must be.
func (e *event) only(id []byte, want *filter) []byte {
	size := 0
	for i := range e.items {
		if s := &e.items[i]; want.has(e.stream, s.cell, s.measure) {
			size += s.to - s.from + len(",")
		}
	}
	if size == 0 {
		return nil
	}
	b := append(make([]byte, 0, len(id)+e.head+size-len(",")+len(tail)), id...)
	b = append(b, e.whole[:e.head]...)
	for i, first := 0, true; i < len(e.items); i++ {
		if s := &e.items[i]; want.has(e.stream, s.cell, s.measure) {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(b, e.whole[s.from:s.to]...)
		}
	}
	return append(b, tail...)
}

// events makes each event once for all who want it at the moment.
type events struct {
	source *query.Source
	slots  chan struct{}
	flight singleflight.Group

	mu    sync.RWMutex
	kept  map[*window]*event // guarded by mu
	bytes int                // of those; guarded by mu
}

func newEvents(source *query.Source) *events {
	return &events{source: source, slots: make(chan struct{}, making), kept: make(map[*window]*event)}
}

// of returns the event of a window.
func (x *events) of(ctx context.Context, w *window) (*event, error) {
	x.mu.RLock()
	e := x.kept[w]
	x.mu.RUnlock()
	if e != nil && time.Since(e.made) < fresh {
		return e, nil
	}
	made, err, _ := x.flight.Do(w.lane.name+":"+strconv.FormatInt(w.n, 10), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience) // the first of them may leave
		defer cancel()
		select {
		case x.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		defer func() { <-x.slots }()
		e, err := x.build(ctx, w)
		if err == nil {
			x.keep(w, e)
		}
		return e, err
	})
	if err != nil {
		return nil, err
	}
	e, _ = made.(*event)
	return e, nil
}

// patience is how long an event may take to be made.
const patience = 10 * time.Second

func (x *events) keep(w *window, e *event) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.kept[w]; old != nil {
		x.bytes -= old.size()
		delete(x.kept, w)
	}
	for k, old := range x.kept {
		if time.Since(old.made) >= fresh || x.bytes+e.size() > maxKept {
			x.bytes -= old.size()
			delete(x.kept, k)
		}
	}
	x.kept[w] = e
	x.bytes += e.size()
}

// size is how many bytes it has, framed too.
func (e *event) size() int { return 2 * len(e.whole) }

// build asks the store, as the API does.
func (x *events) build(ctx context.Context, w *window) (*event, error) {
	e := &event{stream: w.stream, made: time.Now()}
	if w.rows > maxRows {
		e.large = true
		e.whole = gapEvent([]string{address(ctx, w.stream, w.start, w.start.Add(time.Second))})
		return e, nil
	}
	list, err := x.source.Store.Observations(ctx, w.query(maxRows))
	if err != nil {
		return nil, err
	}
	if list = slices.DeleteFunc(list, w.strange); len(list) == 0 {
		return e, nil
	}
	b := make([]byte, 0, 128+512*len(list))
	b = api.AppendText(append(b, "event: window\ndata: {\"stream\":"...), w.stream)
	b = w.start.AppendFormat(append(b, `,"start":"`...), time.RFC3339Nano)
	b = w.end.AppendFormat(append(b, `","end":"`...), time.RFC3339Nano)
	b = append(b, `","items":[`...)
	e.head = len(b)
	for i := range list {
		o := &list[i]
		if i > 0 {
			b = append(b, ',')
		}
		from := len(b)
		b = api.AppendItem(b, o)
		e.items = append(e.items, span{o.Cell, o.Measure, from, len(b)})
	}
	e.whole = append(b, tail...)
	return e, nil
}

// query asks for a window's rows.
func (w *window) query(limit int) store.Query {
	return store.Query{Gateways: []string{w.gateway}, Stream: w.stream, From: w.start, To: w.start.Add(1), Limit: limit}
}

// strange reports whether a row is not of the window.
func (w *window) strange(o store.Observation) bool { return !o.End.Equal(w.end) }

// complete reports of some windows whether all their rows are in the store: where it says so of none, that
// may be for an error too.
func (x *events) complete(ctx context.Context, list []*window) []bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	windows, all := make([]store.Window, len(list)), make([]bool, len(list))
	for i, w := range list {
		windows[i] = store.Window{Gateway: w.gateway, Stream: w.stream, Start: w.start, End: w.end, Rows: w.rows}
	}
	_ = store.EachWindow(ctx, x.source.Store.Observations, windows, func(i int, rows []store.Observation) error {
		all[i] = len(rows) >= list[i].rows
		return nil
	})
	return all
}

// stored returns how many rows of a window are in the store, and whether later ones of its
// gateway are.
func (x *events) stored(ctx context.Context, w *window) (have int, passed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	q := w.query(max(1, w.rows))
	q.Which = store.Both
	list, err := x.source.Store.Observations(ctx, q)
	if err != nil || len(list) >= w.rows {
		return len(list), false, err
	}
	q.From, q.To, q.Limit = w.start.Add(1), w.start.AddDate(100, 0, 0), 1
	later, err := x.source.Store.Observations(ctx, q)
	return len(list), len(later) > 0, err
}

// gapEvent says where windows are that do not come.
func gapEvent(rest []string) []byte {
	b := []byte("event: gap\ndata: {\"rest\":[")
	for i, path := range rest {
		if i > 0 {
			b = append(b, ',')
		}
		b = api.AppendText(b, path)
	}
	return append(b, tail...)
}

// address is where the observations of a span are.
func address(ctx context.Context, stream string, from, to time.Time) string {
	v := url.Values{"from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Format(time.RFC3339)}}
	return httpcache.At(ctx, "/api/v1/streams/"+url.PathEscape(stream)+"/observations?") + v.Encode()
}
