// Package query defines what residents can ask, for pages, API and files alike: parameters,
// bounds and defaults. It sees released observations and the public books only.
package query

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/books"
	"sluice/store"
)

// Store is where released observations are read.
type Store interface {
	Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
	ClosedUntil(ctx context.Context, stream string) (time.Time, error)
}

// Source answers from one store and its books.
type Source struct {
	Store Store
	Books books.Reader

	mu      sync.Mutex
	raw     []byte            // streams.json as last parsed; guarded by mu
	streams []books.Stream    // what it says; guarded by mu
	read    time.Time         // when it was last read; guarded by mu
	closed  map[string]closed // how far each series is final; guarded by mu

	standings standings
	names     vocabulary
	extents   extents
}

// closed caches how far a stream is final, and its last epochs.
type closed struct {
	reach
	asked  time.Time
	epochs []Epoch
}

// fresh is how long the source uses what it knows of streams and decisions without asking
// again.
const fresh = 250 * time.Millisecond

// Bounds of one page. DefaultLimit holds for a page with a cursor and without a limit.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
	maxQuery     = 8192
)

// Stream is a published series and how far it has come.
type Stream struct {
	books.Stream
	reach
	Epochs   []Epoch        // the latest that has ended, of each gateway that has any
	Standing books.Standing // its decision's; empty where it is not known
}

// Among is the measure of a number, where the stream has several and the number alone does
// not say of which it is; else nil.
func (st Stream) Among(measure string) *books.Measure {
	at := slices.IndexFunc(st.Measures, func(m books.Measure) bool { return m.Name == measure })
	if at < 0 || len(st.Measures) == 1 {
		return nil
	}
	return &st.Measures[at]
}

// EpochsOf returns the stream's latest epochs at a gateway; all of them if gateway is
// empty.
func (st Stream) EpochsOf(gateway string) (list []Epoch) {
	for _, e := range st.Epochs {
		if own := e.Gateway(); gateway == "" || own == "" || own == gateway {
			list = append(list, e)
		}
	}
	return list
}

// Streams lists all series, by id.
func (s *Source) Streams(ctx context.Context) ([]Stream, error) {
	list, by, err := s.now()
	if err != nil {
		return nil, err
	}
	out := make([]Stream, len(list))
	for i, b := range list {
		if out[i], err = s.of(ctx, b); err != nil {
			return nil, err
		}
		out[i].Standing = out[i].standing(by)
	}
	return out, nil
}

// now returns the streams, each once, and the states of the decisions.
func (s *Source) now() ([]books.Stream, map[string]books.Standing, error) {
	list, err := s.listed()
	if err != nil {
		return nil, nil, err
	}
	by, err := s.Standings()
	return once(list, by), by, err
}

// listed returns the streams of the books, parsed again only when the file has changed.
func (s *Source) listed() ([]books.Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) < fresh {
		return s.streams, nil
	}
	begun := time.Now()
	raw, err := s.Books.Source.Get("streams.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s.raw == nil || !bytes.Equal(raw, s.raw) {
		list, err := s.Books.Streams()
		if err != nil {
			return nil, err
		}
		s.raw, s.streams = raw, list
	}
	s.read = begun
	return s.streams, nil
}

func (s *Source) of(ctx context.Context, b books.Stream) (Stream, error) {
	s.mu.Lock()
	known := s.closed[b.ID]
	s.mu.Unlock()
	if time.Since(known.asked) < fresh {
		return Stream{Stream: b, reach: known.reach, Epochs: known.epochs}, nil
	}
	begun := time.Now()
	far, err := s.reach(ctx, b.ID)
	if err != nil {
		return Stream{}, err
	}
	epochs, err := s.lastEpochs(ctx, Stream{Stream: b, reach: far})
	if err != nil {
		return Stream{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		s.closed = make(map[string]closed)
	}
	s.closed[b.ID] = closed{far, begun, epochs}
	return Stream{Stream: b, reach: far, Epochs: epochs}, nil
}

// ErrUnknown means that there is no such thing.
var ErrUnknown = errors.New("unknown")

// Stream returns one stream, or ErrUnknown.
func (s *Source) Stream(ctx context.Context, id string) (Stream, error) {
	list, by, err := s.now()
	if err != nil {
		return Stream{}, err
	}
	for _, b := range list {
		if b.ID == id {
			st, err := s.of(ctx, b)
			st.Standing = st.standing(by)
			return st, err
		}
	}
	return Stream{}, ErrUnknown
}

// Latest is the end of the last released window of any stream: the gateway's time as far as
// the public can know it.
func (s *Source) Latest(ctx context.Context) (time.Time, error) {
	list, err := s.Streams(ctx)
	latest := time.Unix(0, 0).UTC()
	for _, st := range list {
		if st.Through.After(latest) {
			latest = st.Through
		}
	}
	return latest, err
}

// Invalid is an unusable parameter. It has the parameter's name, never its value.
type Invalid struct{ Parameter, Hint string }

func (e *Invalid) Error() string { return e.Parameter + ": " + e.Hint }

// Values parses a raw query string and refuses unknown parameters.
func Values(raw string, known ...string) (url.Values, error) {
	if len(raw) > maxQuery {
		return nil, &Invalid{"query", "is longer than 8 KiB"}
	}
	// url.ParseQuery drops parameters with semicolons silently.
	if strings.Contains(raw, ";") {
		return nil, &Invalid{"query", "separate parameters with &, and write a semicolon as %3B"}
	}
	v, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &Invalid{"query", "is not well formed"}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(known, name) {
			return nil, &Invalid{"query", "holds an unknown parameter" + quoted(name) + "; known are " +
				strings.Join(known, ", ")}
		}
		if name != "cell" && name != "measure" && name != "status" && len(v[name]) > 1 {
			return nil, &Invalid{name, "is there more than once"}
		}
	}
	return v, nil
}

// quoted is the name of a parameter, which the asker has made up, if it is short and plain.
func quoted(name string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$"
	if name == "" || len(name) > maxName || strings.Trim(name, plain) != "" {
		return ""
	}
	return ", " + name
}

// maxName bounds the name of a parameter that an error repeats.
const maxName = 40

// Parameters of observations.
var Parameters = []string{"from", "to", "cell", "measure", "status", "order", "limit", "cursor", "format"}

// Parse reads the query for observations of a stream: from inclusive, to exclusive, on
// start; by default the 24 hours before latest. The limit is 0, for everything, if there is
// neither a limit nor a cursor.
func Parse(v url.Values, st Stream, latest time.Time) (store.Query, error) {
	q := store.Query{Stream: st.ID}
	var err error
	if q.From, q.To, err = spanOf(v, latest, Place(st.Timezone)); err != nil {
		return q, err
	}
	if !v.Has("from") && !v.Has("to") {
		q.From = reachBack(q.From, st)
	}
	only, err := Select(v, st)
	if err != nil {
		return q, err
	}
	q.Cells, q.Measures, q.Statuses = only.Cells, only.Measures, only.Statuses
	if q.Desc, err = descending(v); err != nil {
		return q, err
	}
	if v.Has("limit") || v.Has("cursor") {
		if q.Limit, err = Limit(v, DefaultLimit); err != nil {
			return q, err
		}
	}
	if v.Has("cursor") {
		if q.After, err = decodeCursor(v.Get("cursor")); err != nil {
			return q, err
		}
	}
	return q, nil
}

func spanOf(v url.Values, latest time.Time, loc *time.Location) (from, to time.Time, err error) {
	to = latest
	if v.Has("to") {
		if to, err = instant("to", v.Get("to"), loc); err != nil {
			return from, to, err
		}
	} else if v.Has("from") {
		to = lastInstant
	}
	from = to.Add(-24 * time.Hour)
	if v.Has("from") {
		if from, err = instant("from", v.Get("from"), loc); err != nil {
			return from, to, err
		}
	}
	if from.After(to) {
		return from, to, &Invalid{"from", "is after to"}
	}
	return from, to, nil
}

// lastInstant is the end of time; instant reads it back from a page's link.
var lastInstant = time.Date(2200, 12, 31, 0, 0, 0, 0, time.UTC)

// reachBack extends the last 24 hours to the newest window of a stream of daily windows,
// which ended in them but did not start in them.
func reachBack(from time.Time, st Stream) time.Time {
	newest := st.ClosedUntil
	if st.Through.After(newest) { // another gateway is behind
		newest = st.Through
	}
	if length := Length(st.Every); length >= 24*time.Hour && !newest.Before(from) {
		if start := newest.Add(-length); start.Before(from) {
			return start
		}
	}
	return from
}

// instant reads RFC 3339, or a local day.
func instant(name, text string, loc *time.Location) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.ParseInLocation(time.DateOnly, text, loc)
	}
	known := func(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 2200 }
	if err != nil || !known(t.UTC()) && !known(t.In(loc)) { // a local day's instant is taken again
		return time.Time{}, &Invalid{name,
			"is an instant such as 2026-11-23T10:00:00Z (write + as %2B) or a day such as 2026-11-23"}
	}
	return t.UTC(), nil
}

// Zones returns the zones as voted, in GeoJSON; nil if there are none yet.
func (s *Source) Zones() ([]byte, error) {
	raw, err := s.Books.Zones()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}
