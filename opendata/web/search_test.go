package web

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/news"
	"sluice/opendata/query"
	"sluice/opendata/streets"
	"sluice/store"
)

// TestHomeMapAndSearch opens the pages of a small city with a street, a sensor that has a
// place, and homes: these are on no map and in no search.
func TestHomeMapAndSearch(t *testing.T) {
	at := time.Date(2026, 6, 14, 10, 0, 0, 0, time.UTC)
	lat, lon, silent := 41.002, 2.008, false
	row := func(stream string, hour int, v float64) store.Observation {
		return store.Observation{Stream: stream, Cell: "here", Zone: "here", Measure: "n", Status: store.Published,
			Value: &v, Low: &v, High: &v, Start: at.Add(time.Duration(hour) * time.Hour),
			End: at.Add(time.Duration(hour+1) * time.Hour), Every: "PT1H", Decision: "1"}
	}
	stream := func(id, unit string) books.Stream {
		return books.Stream{ID: id, Title: map[string]string{"en": "Stream " + id}, Every: "PT1H", Timezone: "UTC",
			Unit: unit, Decision: "1", Measures: []books.Measure{{Name: "n", Of: "count()",
				Limits: []books.Limit{{Value: 70, Title: map[string]string{"en": "the limit"}}}}},
			Cells: []books.Cell{{ID: "here", Zone: "here"}}}
	}
	dir := books.Dir(t.TempDir())
	for name, v := range map[string]any{
		"city.json":      books.City{ID: "portalba", Name: "Portalba", Timezone: "UTC", Languages: []string{"en"}},
		"streams.json":   []books.Stream{stream("air", "none"), stream("late", "device"), stream("older", "device")},
		"decisions.json": []books.Decision{{ID: "1", State: books.InForce, Until: "2026-12-31"}},
		"register.json": books.Register{
			Sensors: []books.Sensor{{ID: "post-1", Kind: "counter", Zone: "here", Lat: &lat, Lon: &lon, Alive: &silent,
				Purpose: map[string]string{"en": "To count"}}, {ID: "post-2", Kind: "meter", Zone: "here"}},
			Homes: []books.Homes{{Kind: "home-meter", Zone: "here", Number: 4242}}},
		"zones.geojson": json.RawMessage(
			`{"type":"FeatureCollection","features":[{"type":"Feature","id":"here","properties":{"name":"L'Estació"},` +
				`"geometry":{"type":"Polygon","coordinates":[[[2,41],[2.01,41],[2.01,41.01],[2,41]]]}}]}`),
	} {
		if err := dir.PutJSON(name, v); err != nil {
			t.Fatal(err)
		}
	}
	ground, err := streets.Parse([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":` +
		`{"kind":"street","name":"Carrer d'en <Ros>"},"geometry":{"type":"LineString","coordinates":[[2.003,41.001],` +
		`[2.009,41.002]]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	source := &query.Source{Books: books.Reader{Source: dir}, Store: kept{row("air", 5, 11), row("air", 6, 11.5),
		row("older", 3, 33), row("late", 2, 21), row("late", 4, 780)}}
	w, err := New(source, httpcache.New(), news.New(source), Place{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w.On(func() *streets.Ground { return ground }, "© us")
	mux := http.NewServeMux()
	w.Routes(mux)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for path, want := range map[string][]string{
		// the newest about somebody, though air is newer and older is first by age
		"/":                 {`<strong>780</strong>`, `name="q"`, "the limit", "© us", "What is new"},
		"/map?layer=late/n": {`zone c6"`, `class="post"`, "600 – 800", `data-steps="1781438400 1781445600"`},
		"/map?layer=late/n&at=2026-06-14T12:00:00Z": {`zone c0"`, "600 – 800", "12:00 to 13:00"},
		"/map?layer=late/n&at=2026-05-01T00:00:00Z": {"nothing yet"},
		"/search?q=ESTACIO": {"What is measured at L&#39;Estació", "<strong>780</strong>", "/decisions/1",
			"2 sensors"},
		"/search?q=carrer+de+ros":         {"Carrer d&#39;en &lt;Ros&gt;", "<strong>780</strong>"},
		"/search?q=post":                  {"/sensors/post-1", "/sensors/post-2"},
		"/search?q=home-meter":            {"Nothing here is called that"},
		"/search?q=4242":                  {"Nothing here is called that"},
		"/search?q=<script>&lang=ca":      {`value="&lt;script&gt;"`},
		"/search":                         {"Places"},
		"/sensors?zone=here&kind=counter": {"post-1", `class="post"`, "of 2 in all"},
		"/sensors?silent=1":               {"post-1", "of 2 in all"},
		"/news":                           {"Atom"},
		"/zones/here": {"<h1>L&#39;Estació</h1>", "<strong>780</strong>", `class="here"`, "2 sensors", "/sensors/post-1",
			"/decisions/1", "/feed/zones/here.atom", "What is new here"},
		"/search?q=Estació": {`<a href="/zones/here">`},
		"/sensors/post-1":   {`<a href="/zones/here">`},
		"/sitemap.xml":      {"/zones/here"},
	} {
		status, body := got(t, srv, path)
		for _, x := range want {
			if status != http.StatusOK || !strings.Contains(body, x) {
				t.Errorf("%s: %d, without %q", path, status, x)
			}
		}
		home := strings.Contains(body, "home-meter") && !strings.HasPrefix(path, "/sensors") &&
			path != "/search?q=home-meter"
		if home || strings.Contains(body, "<Ros>") {
			t.Errorf("%s has a home, or what is not escaped", path)
		}
	}
	if status, _ := got(t, srv, "/zones/nowhere"); status != http.StatusNotFound {
		t.Errorf("a zone that is not there is %d", status)
	}
	for _, path := range []string{"/map?at=noon", "/map?layer=x", "/search?q=" + strings.Repeat("x", 101),
		"/sensors?kind=x", "/sensors?zone=x"} {
		if status, _ := got(t, srv, path); status != http.StatusBadRequest {
			t.Errorf("%s is %d", path, status)
		}
	}
}

func got(t *testing.T, srv *httptest.Server, path string) (int, string) {
	t.Helper()
	resp, err := srv.Client().Get(srv.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}
