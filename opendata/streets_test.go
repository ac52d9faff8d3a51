package opendata

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/books"
)

// TestStreetsOnTheMap: a city's own streets are under the zones, and who made them is named
// there; a file that cannot be read stops the server before it listens.
func TestStreetsOnTheMap(t *testing.T) {
	dir := t.TempDir()
	where := books.Dir(filepath.Join(dir, "public"))
	for name, v := range map[string]any{
		"city.json":      books.City{ID: "portalba", Name: "Portalba", Timezone: "UTC", Languages: []string{"en"}},
		"decisions.json": []books.Decision{{ID: "1", State: books.InForce, Until: "2026-12-31"}},
		"streams.json": []books.Stream{{ID: "noise", Title: map[string]string{"en": "Noise"}, Every: "PT1H",
			Timezone: "UTC", Unit: "none", Decision: "1", Measures: []books.Measure{{Name: "level", Of: "leq(l)"}},
			Cells: []books.Cell{{ID: "a", Zone: "a"}}}},
		"zones.geojson": json.RawMessage(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a",` +
			`"properties":{},"geometry":{"type":"Polygon","coordinates":[[[2,41],[2.01,41],[2.01,41.01],[2,41]]]}}]}`),
	} {
		if err := where.PutJSON(name, v); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "opendata.yaml")
	err := errors.Join(
		os.WriteFile(config, []byte("http: 127.0.0.1:0\nbooks: public\nstore: {sqlite: {path: store.db}}\n"+
			"streets: streets.geojson\nstreets_credit: © The <city>\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "streets.geojson"), []byte(`{"type":"FeatureCollection","features":[`+
			`{"type":"Feature","properties":{"kind":"street"},"geometry":{"type":"LineString","coordinates":`+
			`[[2,41],[2.01,41.01]]}}]}`), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := ReadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	store := storeOf(t)
	s, err := Open(cfg, store, where, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.http.Close()
	go func() { _ = s.http.Serve(s.listener) }()
	for _, path := range []string{"/", "/map"} {
		_, body := fetch(t, "http://"+s.Addr()+path)
		for _, want := range []string{`<path class="street"`, "© The &lt;city&gt;"} {
			if !strings.Contains(string(body), want) {
				t.Errorf("%s has no %q", path, want)
			}
		}
	}
	cfg.Streets += ".none"
	if _, err := Open(cfg, store, where, slog.New(slog.DiscardHandler)); err == nil ||
		!strings.Contains(err.Error(), "leave streets out") {
		t.Errorf("streets that are not there: %v", err)
	}
}
