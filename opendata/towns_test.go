package opendata

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/store"
	"sluice/test/raced"
)

// fault is a store that answers with an error, or not at all.
type fault struct{ hangs bool }

func (f fault) Observations(ctx context.Context, _ store.Query) ([]store.Observation, error) {
	if f.hangs {
		<-ctx.Done()
	}
	return nil, errors.New("down")
}

func (f fault) ClosedUntil(ctx context.Context, _ string) (time.Time, error) {
	_, err := f.Observations(ctx, store.Query{})
	return time.Time{}, err
}

// towns serves cities of these names, each from its shelf, and returns what asks the server.
func towns(t *testing.T, names []string, shelves []Shelf) func(path string) (int, string) {
	t.Helper()
	cfg := Config{HTTP: "127.0.0.1:0"}
	for _, name := range names {
		cfg.Books.Cities = append(cfg.Books.Cities, City{City: name})
	}
	s, err := OpenSeveral(cfg, shelves, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get("http://" + s.Addr() + path) //nolint:noctx // it is over with the test
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
}

// TestTownsFailApart: a city whose books are away, or those of two cities, or whose store is
// down or hangs, stops no other; each page of all says which, and soon.
func TestTownsFailApart(t *testing.T) {
	raced.Also(t)
	s := storeOf(t)
	good := gatewayBooks(t, s, "Bona", "edge-1", "a", 3)
	other := gatewayBooks(t, storeOf(t), "Altra", "edge-2", "b", 1)
	get := towns(t, []string{"good", "gone", "mixed", "down", "hangs"}, []Shelf{
		{s, good}, {s, books.Dir(filepath.Join(t.TempDir(), "none"))}, {s, over(good, other)}, {fault{}, other},
		{fault{true}, other}})
	begun := time.Now()
	status, page := get("/")
	if took := time.Since(begun); status != http.StatusOK || took > 8*time.Second ||
		!strings.Contains(page, ">Bona</a>") || strings.Count(page, "cannot be read just now") != 3 ||
		!strings.Contains(page, `href="/c/good/streams/noise?`) {
		t.Errorf("after %s the first page is %d %s", took, status, page)
	}
	for path, want := range map[string]string{
		"/c/good/": "Bona", "/c/good/api/v1/streams/noise/observations": `"value":5`,
		"/search?q=noise": "/c/good/streams/noise",
		"/catalog.jsonld": `"/c/good/streams/noise`, "/c/good/readyz": `"ready":true`,
	} {
		if status, body := get(path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s is %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/c/mixed/", "/c/mixed/api/v1/streams", "/c/down/api/v1/streams"} {
		if status, body := get(path); status != http.StatusServiceUnavailable {
			t.Errorf("%s is %d %s", path, status, body)
		}
	}
	var ready struct {
		Ready  bool
		Cities map[string]struct{ Ready bool }
	}
	status, body := get("/readyz")
	if err := json.Unmarshal([]byte(body), &ready); err != nil || status != http.StatusOK || !ready.Ready {
		t.Errorf("readyz is %d %s: %v", status, body, err)
	}
	for name, want := range map[string]bool{"good": true, "mixed": false, "down": false, "hangs": false} {
		if ready.Cities[name].Ready != want {
			t.Errorf("%s is ready: %t; %s", name, !want, body)
		}
	}
}

// TestTownsCannotBeOpened: what is wrong with the configuration of one is told at the start.
func TestTownsCannotBeOpened(t *testing.T) {
	cfg := Config{HTTP: "127.0.0.1:0", Books: Books{Cities: []City{{City: "a", Streets: "none.geojson"}}}}
	_, err := OpenSeveral(cfg, []Shelf{{query.Store(fault{}), books.Dir(t.TempDir())}}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "none.geojson") {
		t.Errorf("it says %v", err)
	}
}

// TestCopiesOfBooks: where several machines have a gateway's books, each place stands with its store, or
// all with one; so it does in a city beside others.
func TestCopiesOfBooks(t *testing.T) {
	const own = "[{books: a, store: {sqlite: {path: a.db}}}, {books: \"https://b.example/books\", store: " +
		"{sqlite: {path: b.db}}}]"
	for text, stores := range map[string]bool{
		"books: " + own + "\n": true,
		"books: [{books: a}, {books: \"https://b.example/books\"}]\nstore: {sqlite: {path: x}}\n": false,
		"books: [{city: x, books: " + own + "}]\n":                                                true,
	} {
		path := filepath.Join(t.TempDir(), "opendata.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := ReadConfig(path)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		b := cfg.Books
		if len(b.Cities) > 0 {
			b = b.Cities[0].Books
		}
		if len(b.Copies) != 2 || b.ownStores() != stores || !filepath.IsAbs(b.Copies[0].Books) ||
			b.Copies[1].Books != "https://b.example/books" || stores && !filepath.IsAbs(b.Copies[1].Store.SQLite.Path) {
			t.Errorf("%s: it is %+v", text, b)
		}
	}
}

// TestBooksOfCities: both forms of books, and what is wrong with the other one, with the line.
func TestBooksOfCities(t *testing.T) {
	read := func(text string) (Config, error) {
		path := filepath.Join(t.TempDir(), "opendata.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadConfig(path)
	}
	const x = "store: {sqlite: {path: x}}"
	const a = "books:\n  - {city: a, books: a/public, store: {sqlite: {path: a.db}}, archive: a/archive}\n"
	const b = "  - city: b\n    books: [b/public, \"https://b.example/books\"]\n    store: {sqlite: {path: b.db}}\n"
	cfg, err := read(a + b + "url: https://x.example/\n")
	if err != nil || len(cfg.Books.Cities) != 2 || !filepath.IsAbs(cfg.Books.Cities[0].Books.Places[0]) ||
		!filepath.IsAbs(cfg.Books.Cities[1].Store.SQLite.Path) || !filepath.IsAbs(cfg.Books.Cities[0].Archive.Dir) ||
		cfg.of(1).URL != "https://x.example/c/b" {
		t.Errorf("it is %+v, %v", cfg, err)
	}
	for text, want := range map[string]string{
		a + "  - {city: A, books: x, " + x + "}\n":                       "[3:|small letters",
		a + "  - {books: x, " + x + "}\n":                                "|copies beside others|city: NAME",
		a + "  - {books: x, archive: y, " + x + "}\n":                    "[3:|/c/NAME",
		"books: [{books: x, " + x + "}]\n":                               "|without a city",
		"books: [{books: x}, y]\n" + x:                                   "|copies beside others",
		"books: [{books: x}, {books: x/}]\n" + x:                         "|x twice",
		"books: [{books: x}, {books: y, " + x + "}]\n":                   "|the store that its machine writes",
		"books: [{books: x}, {books: y}]\n":                              "|store is one of",
		"books: [{books: x, " + x + "}, {books: y, " + x + "}]\n" + x:    "|in one of these places",
		"books: [" + strings.Repeat("{books: x},", 9) + "]\n" + x:        "|at most 8",
		a + "  - {city: x, " + x + "}\n":                                 "[3:|books is missing",
		a + "  - {city: x, books: x}\n":                                  "[3:|store is one of",
		a + "  - {city: x, books: x, " + x + ", colour: red}\n":          "[3:|colour",
		a + "  - x/public\n":                                             "|both places and cities",
		a + "  - {city: a, books: x, " + x + "}\n":                       "|a and a have both the name a",
		a + "  - {city: x, books: a/public/, " + x + "}\n":               "|both the books a/public",
		a + "  - {city: x, books: x, store: {sqlite: {path: ./a.db}}}\n": "|both the store a.db",
		a + b + x + "\n": "|into each one's entry",
		a + b + "mqtt: {listen: \"127.0.0.1:1\"}\n": "|mqtt is of one city",
		"books: []\n" + x: "|empty list",
		a + strings.Repeat("  - {city: c, books: x, "+x+"}\n", 32): "|at most 32",
	} {
		_, err := read(text)
		for part := range strings.SplitSeq(want, "|") {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s\nit says %v; want %q", text, err, part)
			}
		}
	}
}
