package web

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/news"
	"sluice/opendata/query"
	"sluice/store"
)

// kept is a store of some rows.
type kept []store.Observation

func (k kept) Observations(_ context.Context, q store.Query) (out []store.Observation, _ error) {
	for _, o := range k {
		if o.Stream == q.Stream && !o.Start.Before(q.From) && o.Start.Before(q.To) &&
			(len(q.Cells) == 0 || slices.Contains(q.Cells, o.Cell)) &&
			(len(q.Measures) == 0 || slices.Contains(q.Measures, o.Measure)) {
			out = append(out, o)
		}
	}
	return out, nil
}

func (k kept) ClosedUntil(_ context.Context, stream string) (until time.Time, _ error) {
	for _, o := range k {
		if o.Stream == stream && o.End.After(until) {
			until = o.End
		}
	}
	return until, nil
}

// TestPlacesThatAreGone: numbers of a place that a stream no longer has, and a stream that
// is not run any more of a zone that is on no map, are on pages that answer: under their
// own names, and none under another's.
func TestPlacesThatAreGone(t *testing.T) {
	at, v := time.Date(2026, 6, 14, 10, 0, 0, 0, time.UTC), 4711.0
	row := func(stream, cell string) store.Observation {
		return store.Observation{Stream: stream, Cell: cell, Zone: cell, Measure: "n", Status: store.Published,
			Value: &v, Low: &v, High: &v, Start: at, End: at.Add(time.Hour), Every: "PT1H", Decision: "1"}
	}
	stream := func(id, cell string, stopped bool) books.Stream {
		return books.Stream{
			ID: id, Title: map[string]string{"en": id}, Every: "PT1H", Timezone: "UTC", Unit: "none", Decision: "1",
			Stopped: stopped, From: "2026-01-01T00:00:00Z", Until: "2027-01-01T00:00:00Z",
			Measures: []books.Measure{{Name: "n", Of: "count()"}}, Cells: []books.Cell{{ID: cell, Zone: cell}},
		}
	}
	here, twelve := row("runs", "here"), 12.0
	here.Value, here.Low, here.High = &twelve, &twelve, &twelve
	dir := books.Dir(t.TempDir())
	for name, v := range map[string]any{
		"city.json": books.City{ID: "portalba", Name: "Portalba", Timezone: "UTC", Languages: []string{"en"}},
		"streams.json": []books.Stream{stream("runs", "here", false), stream("moved", "here", false),
			stream("ran", "gone", true)},
		"decisions.json": []books.Decision{{ID: "1", State: books.InForce, Until: "2026-12-31"}},
		"register.json":  books.Register{},
		"zones.geojson": json.RawMessage(
			`{"type":"FeatureCollection","features":[{"type":"Feature","id":"here","properties":{"name":"Here"},` +
				`"geometry":{"type":"Polygon","coordinates":[[[2,41],[2.01,41],[2.01,41.01],[2,41]]]}}]}`),
	} {
		if err := dir.PutJSON(name, v); err != nil {
			t.Fatal(err)
		}
	}
	source := &query.Source{Books: books.Reader{Source: dir},
		Store: kept{here, row("runs", "gone"), row("moved", "gone"), row("ran", "gone")}}
	w, err := New(source, httpcache.New(), news.New(source), Place{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	w.Routes(mux)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for path, want := range map[string]string{
		"/streams/runs": ">12<", "/streams/moved": "There is nothing to show here",
		"/streams/ran":                "It ended on Sunday, 14 June 2026, before its last day.",
		"/streams/ran?day=2026-06-14": "4,711", "/": "ended", "/?layer=ran/n": "4,711",
		"/data": "ran", "/decisions/1": "ran",
	} {
		resp, err := srv.Client().Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(raw), want) {
			t.Errorf("%s: %s, %v, without %q\n%s", path, resp.Status, err, want, raw)
		}
		if (path == "/streams/runs" || path == "/streams/moved") && strings.Contains(string(raw), "4,711") {
			t.Errorf("%s shows the number of another place", path)
		}
	}
}
