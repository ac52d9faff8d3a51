package api

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/books"
	"sluice/books/union"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/store"
)

// files are books in memory; a nil file is one that cannot be read.
type files map[string][]byte

func (f files) Get(name string) ([]byte, error) {
	raw, there := f[name]
	switch {
	case !there:
		return nil, fs.ErrNotExist
	case raw == nil:
		return nil, errors.New("the mirror is away")
	}
	return raw, nil
}

// empty is a store that has nothing.
type empty struct{ query.Store }

func (empty) Observations(_ context.Context, _ store.Query) ([]store.Observation, error) {
	return nil, nil
}
func (empty) ClosedUntil(_ context.Context, _ string) (time.Time, error) { return time.Time{}, nil }

// serve is an API over books.
func serve(source books.Source) http.Handler {
	mux := http.NewServeMux()
	New(&query.Source{Store: empty{}, Books: books.Reader{Source: source, Kept: new(books.Kept)}}, httpcache.New(), "",
		slog.New(slog.DiscardHandler)).Routes(mux)
	return mux
}

// ask is the answer to a question, and its status.
func ask(h http.Handler, path string, into any) (status int) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if json.Unmarshal(w.Body.Bytes(), into) != nil {
		return 0
	}
	return w.Code
}

// TestEveryStreamOnce: whoever follows next gets every stream once, in order of the ids,
// however many there are on a page, and also when some stop meanwhile and go to the end of
// the gateway's file.
func TestEveryStreamOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z][a-z0-9-]{0,5}`), 1, 12, rapid.ID).Draw(t, "ids")
		stopped := make(map[string]bool)
		file := func() []byte {
			var running, ended []books.Stream
			for _, id := range ids {
				s := books.Stream{ID: id, Decision: "d-" + id, Every: "PT1H", Timezone: "UTC", Stopped: stopped[id]}
				if stopped[id] {
					ended = append(ended, s)
				} else {
					running = append(running, s)
				}
			}
			raw, err := books.JSON(append(running, ended...))
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		var got []string
		path := "/api/v1/streams?limit=" + strconv.Itoa(rapid.IntRange(1, 5).Draw(t, "limit"))
		for path != "" {
			var page struct {
				Streams []struct{ ID string }
				Next    string
			}
			// A new server knows nothing of before: it is a moment later.
			h := serve(files{"city.json": []byte(`{}`), "streams.json": file()})
			if status := ask(h, path, &page); status != http.StatusOK {
				t.Fatalf("%s: %d", path, status)
			}
			for _, s := range page.Streams {
				got = append(got, s.ID)
			}
			path = page.Next
			stopped[rapid.SampledFrom(ids).Draw(t, "stops")] = true
		}
		if want := slices.Sorted(slices.Values(ids)); !slices.Equal(got, want) {
			t.Fatalf("the pages have %q; want %q", got, want)
		}
	})
}

// TestOneLedgerIsAway: what the other gateways have reserved is answered, with the names
// of those whose ledger is missing; where all are, there is no answer.
func TestOneLedgerIsAway(t *testing.T) {
	gateway := func(name string) files {
		line := `{"n":1,"day":"2026-03-02","gateway":"` + name + `","kind":"reserve"}` + "\n"
		return files{"city.json": []byte(`{"id":"portalba","timezone":"UTC","gateway":"` + name + `"}`),
			"streams.json": []byte("[]"), "decisions.json": []byte("[]"), "ledger.jsonl": []byte(line)}
	}
	one, two := gateway("edge-1"), gateway("edge-2")
	h := func() http.Handler {
		return serve(union.New([]union.Book{{Where: "one", Source: one}, {Where: "two", Source: two}}))
	}
	type answer struct {
		Entries []struct{ Gateway string }
		Missing []string
		Next    string
	}
	var all, first, rest, behind answer
	if status := ask(h(), "/api/v1/ledger", &all); status != http.StatusOK || len(all.Entries) != 2 ||
		all.Missing != nil {
		t.Errorf("%d: %+v", status, all)
	}
	ask(h(), "/api/v1/ledger?limit=1", &first)
	one["ledger.jsonl"] = nil
	if status := ask(h(), "/api/v1/ledger", &rest); status != http.StatusOK || len(rest.Entries) != 1 ||
		rest.Entries[0].Gateway != "edge-2" || !slices.Equal(rest.Missing, []string{"edge-1"}) {
		t.Errorf("%d: %+v", status, rest)
	}
	// A file would be taken for all of it.
	if status := ask(h(), "/api/v1/ledger?format=csv", &behind); status != http.StatusServiceUnavailable {
		t.Errorf("as CSV: %d", status)
	}
	// A cursor behind a line that is away is no mistake of whoever asks.
	if status := ask(h(), first.Next, &behind); status != http.StatusServiceUnavailable {
		t.Errorf("behind a missing line: %d", status)
	}
	two["ledger.jsonl"] = nil
	if status := ask(h(), "/api/v1/ledger", &behind); status != http.StatusServiceUnavailable {
		t.Errorf("where none can be read: %d", status)
	}
}
