package opendata

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata"
	"sluice/store"
	"sluice/test/harness"
	"sluice/test/plaza"
)

// everyAnswer is each file and each list in each form, and the pages.
var everyAnswer = []string{
	"/api/v1/streams", "/api/v1/streams?format=csv", "/api/v1/streams/steps/observations",
	"/api/v1/streams/steps/observations?format=csv&limit=7",
	"/api/v1/streams/steps/observations?cell=a/foot&cell=b/foot&measure=devices&from=2026-03-28&to=2026-03-29" +
		"&limit=1000",
	"/api/v1/streams/noise/observations?limit=11&measure=peak",
	"/api/v1/streams/noise/observations?from=2026-03-29T06:00:00Z&to=2026-03-29T07:00:00Z&format=csv",
	"/api/v1/sensors", "/api/v1/sensors?format=csv", "/api/v1/zones", "/api/v1/zones?format=csv",
	"/api/v1/zones?stream=steps&measure=devices&category=foot",
	"/api/v1/decisions", "/api/v1/decisions?format=csv", "/api/v1/decisions/1", "/api/v1/ledger",
	"/api/v1/ledger?format=csv&limit=2", "/api/v1/ledger?day=2026-03-26",
	"/v1.1", "/v1.1/Things?$expand=Locations,Datastreams/Sensor&$count=true",
	"/v1.1/Observations?$orderby=phenomenonTime%20desc&$top=20&$expand=Datastream",
	"/v1.1/Observations?$filter=result%20gt%20100&$count=true&$resultFormat=CSV",
	"/v1.1/Datastreams?$expand=Observations($top=2;$orderby=phenomenonTime%20desc)",
	"/catalog.jsonld", "/openapi.json", "/books/ledger.jsonl", "/", "/?layer=noise/level&lang=ca", "/streams/steps",
	"/streams/steps?span=month&cell=a/foot", "/streams/noise?span=week&compare=week", "/streams/noise?span=year",
	"/streams/steps/chart.svg?cell=a/foot&cell=b/foot&compare=yesterday", "/streams/noise/chart.png?span=week&lang=ca",
	"/streams/noise?measure=peak&lang=es",
	"/sensors", "/sensors/s-1", "/decisions", "/decisions/2", "/privacy", "/docs", "/problems/parameter",
}

// TestSameBytes asks both stores, and after a restart, for everything: the same
// question has the same bytes and the same ETag.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	first := map[string]string{}
	plaza.InStores(t, func(t *testing.T, q *plaza.Plaza) {
		for round := range 2 {
			looked(t, q) // the catalogue names the archive's files
			for _, path := range everyAnswer {
				resp, body := ask(q, "GET", path, nil)
				if resp.StatusCode != http.StatusOK {
					t.Errorf("%s is %d: %.300s", path, resp.StatusCode, body)
				}
				got := resp.Header.Get("ETag") + resp.Header.Get("Link") + "\n" + string(body)
				if old, ok := first[path]; ok && old != got {
					t.Errorf("%s is not what it was (round %d)\n%s", path, round, firstDifference(old, got))
				}
				first[path] = got
			}
			q.Stop()
			q.Open(opendata.Config{URL: "https://data.portalba.example"})
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
	q := plaza.New(t)
	looked(t, q) // the catalogue names the archive's files
	for _, path := range everyAnswer {
		resp, body := ask(q, "GET", path, nil)
		etag := resp.Header.Get("ETag")
		if etag == "" || resp.Header.Get("Cache-Control") == "" ||
			resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("Set-Cookie") != "" ||
			resp.Header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s has headers %v", path, resp.Header)
		}
		if !strings.Contains(resp.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s varies by %q", path, resp.Header.Get("Vary"))
		}
		head, none := ask(q, "HEAD", path, nil)
		if head.StatusCode != http.StatusOK || len(none) != 0 || head.Header.Get("ETag") != etag ||
			head.ContentLength != int64(len(body)) {
			t.Errorf("HEAD %s is %d with %d bytes, ETag %s", path, head.StatusCode, head.ContentLength,
				head.Header.Get("ETag"))
		}
		small, packed := ask(q, "GET", path, http.Header{"Accept-Encoding": {"br, gzip;q=0.5"}})
		if len(body) > 1024 {
			z, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatalf("%s is not compressed: %v", path, err)
			}
			if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, body) {
				t.Errorf("%s is another when compressed (%v)", path, err)
			}
			if small.Header.Get("Content-Encoding") != "gzip" || small.Header.Get("ETag") == etag ||
				len(packed) >= len(body) {
				t.Errorf("%s compressed has %v", path, small.Header)
			}
		}
		if plain, raw := ask(q, "GET", path,
			http.Header{"Accept-Encoding": {"gzip;q=0, *;q=0"}}); plain.Header.Get("Content-Encoding") != "" ||
			!bytes.Equal(raw, body) {
			t.Errorf("%s is compressed for who cannot read it", path)
		}
		for _, match := range []string{etag, "W/" + etag, `"other", ` + small.Header.Get("ETag"), "*"} {
			if same, rest := ask(q, "GET", path,
				http.Header{"If-None-Match": {match}}); same.StatusCode != http.StatusNotModified || len(rest) != 0 ||
				same.Header.Get("ETag") == "" {
				t.Errorf("%s with If-None-Match %s is %d with %d bytes", path, match, same.StatusCode, len(rest))
			}
		}
		if other, _ := ask(q, "GET", path, http.Header{"If-None-Match": {`"00"`}}); other.StatusCode != http.StatusOK {
			t.Errorf("%s with another ETag is %d", path, other.StatusCode)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "TRACE", "WRITE"} {
		resp, body := ask(q, method, "/api/v1/streams", nil)
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" ||
			resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s is %d %s", method, resp.StatusCode, body)
		}
	}
	for _, path := range []string{"/api/v1/streams", "/", "/books/ledger.jsonl", "/nothing"} {
		asked := http.Header{"Origin": {"https://elsewhere.example"}, "Access-Control-Request-Method": {"GET"},
			"Access-Control-Request-Headers": {"if-none-match"}}
		resp, body := ask(q, "OPTIONS", path, asked)
		h := resp.Header
		if resp.StatusCode != http.StatusNoContent || len(body) > 0 || h.Get("Access-Control-Allow-Origin") != "*" ||
			h.Get("Access-Control-Allow-Methods") != "GET, HEAD" ||
			h.Get("Access-Control-Allow-Headers") != "*" || h.Get("Access-Control-Allow-Credentials") != "" ||
			h.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("the preflight of %s is %d with %v %s", path, resp.StatusCode, h, body)
		}
	}
}

// TestFormulas opens every CSV as a spreadsheet would: no cell begins as a formula
// does, and numbers, also negative ones, are still numbers.
func TestFormulas(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	v, low, high := -3.5, -9.5, 2.5
	at := plaza.Dusk
	q.Publish([]store.Observation{{
		Stream: "steps", Start: at, End: at.Add(time.Hour), Every: "PT1H", Cell: "a/foot", Zone: "a", Category: "foot",
		Measure: "devices", Status: store.Published,
		Value: &v, Low: &low, High: &high, Unit: "=device", Decision: "@1",
	}})
	harness.Await(t, time.Minute, "the row to be shown", func() bool { // what is kept is some seconds old
		_, body := ask(q, "GET", "/api/v1/streams/steps/observations?limit=999&format=csv", nil)
		return bytes.Contains(body, []byte("-3.5"))
	})
	seen := ""
	for _, path := range []string{
		"/api/v1/streams", "/api/v1/streams/steps/observations?limit=1000", "/api/v1/sensors", "/api/v1/zones",
		"/api/v1/decisions", "/api/v1/ledger",
		"/api/v1/streams/noise/observations",
	} {
		for _, form := range []string{"", "format=csv"} {
			address, header := path, http.Header{"Accept": {"text/csv, text/plain;q=0.5"}}
			if form != "" {
				header = nil
				address += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + form
			}
			resp, body := ask(q, "GET", address, header)
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

// TestZones looks at the map for other programs.
func TestZones(t *testing.T) {
	t.Parallel()
	plaza.InStores(t, func(t *testing.T, q *plaza.Plaza) {
		var all struct {
			Features []struct {
				ID         any
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
		harness.GetJSON(t, q.Base+"/api/v1/zones", &all)
		if len(all.Features) != 2 || len(all.Features[0].Properties.Latest) != 2 ||
			len(all.Features[1].Properties.Latest) != 3 || all.Features[1].Geometry.Type != "MultiPolygon" {
			t.Errorf("zones are %+v", all)
		}
		harness.GetJSON(t, q.Base+"/api/v1/zones?stream=steps&category=foot", &all)
		if p := all.Features[0].Properties; p.Value == nil || *p.Value != 119 || p.Status != "published" ||
			p.Category != "foot" {
			t.Errorf("zone a says %+v", p)
		}
		_, header, _ := harness.Answer(t, q.Base+"/api/v1/zones")
		if header.Get("Content-Type") != "application/geo+json" {
			t.Errorf("zones are %s", header.Get("Content-Type"))
		}
	})
}

// TestLargeBooks downloads a chain that is as long as it gets in years: whole, in
// parts, and not again while it has not grown.
func TestLargeBooks(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	raw := bytes.Repeat([]byte(strings.Repeat("x", 999)+"\n"), 3000)
	if err := q.Books.Put("releases.jsonl", raw); err != nil {
		t.Fatal(err)
	}
	resp, body := ask(q, "GET", "/books/releases.jsonl", nil)
	if resp.StatusCode != http.StatusOK || !bytes.Equal(body, raw) ||
		resp.Header.Get("Content-Type") != "application/jsonl" {
		t.Errorf("it is %d with %d bytes, %v", resp.StatusCode, len(body), resp.Header)
	}
	if part, body := ask(q, "GET", "/books/releases.jsonl",
		http.Header{"Range": {"bytes=2999000-"}}); part.StatusCode != http.StatusPartialContent || len(body) != 1000 {
		t.Errorf("the last line is %d with %d bytes", part.StatusCode, len(body))
	}
	if same, _ := ask(q, "GET", "/books/releases.jsonl",
		http.Header{"If-None-Match": {resp.Header.Get("ETag")}}); same.StatusCode != http.StatusNotModified {
		t.Errorf("again it is %d", same.StatusCode)
	}
	for _, path := range []string{"/books/decisions", "/books/nothing.json", "/books/", "/books/.."} {
		if resp, _ := ask(q, "GET", path, nil); resp.StatusCode == http.StatusOK || resp.StatusCode >= 500 {
			t.Errorf("%s is %d", path, resp.StatusCode)
		}
	}
}

// TestNothingYet looks at a city that has just begun: no zones, and a stream of which
// nothing was released. Nothing is an answer, not an error.
func TestNothingYet(t *testing.T) {
	t.Parallel()
	plaza.InStores(t, func(t *testing.T, q *plaza.Plaza) {
		if err := os.Remove(filepath.Join(string(q.Books), "zones.geojson")); err != nil {
			t.Fatal(err)
		}
		if err := q.Books.PutJSON("streams.json", []books.Stream{{
			ID: "later", Every: "PT1H", Timezone: "Europe/Madrid", Unit: "device",
			Measures: []books.Measure{{Name: "devices", Unit: "device", Of: "distinct(unit)"}},
			Cells:    []books.Cell{{ID: "a", Zone: "a"}}, Decision: "1", From: "2026-01-01", Until: "2026-12-31",
		}, {
			ID: "quick", Every: "PT1S", Timezone: "Europe/Madrid", Unit: "none",
			Measures: []books.Measure{{Name: "level", Of: "mean(level)"}},
			Cells: []books.Cell{{ID: "a", Zone: "a"}, {ID: "b", Zone: "b"}, {ID: "c", Zone: "c"},
				{ID: "d", Zone: "d"}},
			Decision: "1", From: "2026-01-01", Until: "2026-12-31",
		}}); err != nil {
			t.Fatal(err)
		}
		v := 5.0
		q.Publish(
			[]store.Observation{{Stream: "quick", Start: plaza.Dusk.Add(-time.Second), End: plaza.Dusk,
				Every: "PT1S", Cell: "a",
				Zone: "a", Measure: "level", Status: store.Published, Value: &v, Low: &v, High: &v}})
		time.Sleep(300 * time.Millisecond) // what the server knows is a quarter of a second old at most
		for _, path := range []string{
			"/streams/quick", "/streams/quick?cell=a&cell=b&cell=c&cell=d", "/", "/streams/later",
			"/streams/later?span=month", "/streams/later?day=2026-03-01", "/sensors", "/sensors/s-1", "/privacy",
			"/data", "/catalog.jsonld",
			"/api/v1/zones", "/api/v1/zones?format=csv", "/api/v1/streams", "/api/v1/streams/later/observations",
			"/api/v1/streams/later/observations?format=csv",
		} {
			if resp, body := ask(q, "GET", path, nil); resp.StatusCode != http.StatusOK {
				t.Errorf("%s is %d: %.200s", path, resp.StatusCode, body)
			}
		}
	})
}
