package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/news"
	"sluice/opendata/query"
)

// TestAsked: residents can follow the links that a decision names, and no others, whoever wrote the books.
func TestAsked(t *testing.T) {
	dir := books.Dir(t.TempDir())
	for name, v := range map[string]any{
		"city.json":    books.City{ID: "portalba", Name: "Portalba", Timezone: "UTC", Languages: []string{"en", "ca"}},
		"streams.json": []books.Stream{}, "register.json": books.Register{},
		"zones.geojson": json.RawMessage(`{"type":"FeatureCollection","features":[]}`),
		"decisions.json": []books.Decision{{ID: "1", State: books.InForce, Until: "2026-12-31",
			Consultation: []books.Consultation{
				{Kind: "decidim", Link: "https://decidim.example/1?a=b&c=d", From: "2026-10-01", Until: "2026-10-31"},
				{Kind: "session", Link: "https://portalba.example/ple/7", From: "2026-11-02"},
				{Kind: "other", Link: "javascript:alert(1)"}, {Kind: "other", Link: "http://plain.example/"},
				{Kind: "<b>", Link: "https://ana:secret@a.example/"}}}},
	} {
		if err := dir.PutJSON(name, v); err != nil {
			t.Fatal(err)
		}
	}
	source := &query.Source{Books: books.Reader{Source: dir}, Store: kept{}}
	w, err := New(source, httpcache.New(), news.New(source), Place{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	w.Routes(mux)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for path, want := range map[string][]string{
		"/decisions/1": {`<dt>Consultation</dt><dd><a href="https://decidim.example/1?a=b&amp;c=d" rel="external `,
			"Decidim: https://decidim.example", "(from Thursday, 1 October 2026 to Saturday, 31 October 2026)",
			"<dt>Record of the session</dt>",
			"(since Monday, 2 November 2026)"},
		"/decisions/1?lang=ca": {"<dt>Consulta</dt>",
			"(del dijous, 1 d’octubre de 2026 al dissabte, 31 d’octubre de 2026)",
			"<dt>Acta de la sessió</dt>"},
	} {
		status, body := got(t, srv, path)
		for _, x := range want {
			if status != http.StatusOK || !strings.Contains(body, x) {
				t.Errorf("%s: %d, without %q\n%s", path, status, x, body)
			}
		}
		for _, x := range []string{"javascript:", "plain.example", "secret"} {
			if strings.Contains(body, x) {
				t.Errorf("%s has %q", path, x)
			}
		}
	}
}
