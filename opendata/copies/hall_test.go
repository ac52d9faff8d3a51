package copies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
)

// hall is a machine that releases: its books, and its store, which knows how far it has come.
type hall struct {
	t    *testing.T
	dir  books.Dir
	last map[string]string
	n    map[string]int

	mu   sync.Mutex
	have time.Time // guarded by mu
	away bool      // guarded by mu
}

var midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newHall(t *testing.T, windows int) *hall {
	t.Helper()
	h := &hall{t: t, dir: books.Dir(filepath.Join(t.TempDir(), "public")), last: make(map[string]string),
		n: make(map[string]int)}
	h.puts("city.json", books.City{ID: "portalba", Gateway: "town", Policy: "p"})
	h.puts("streams.json", []books.Stream{{ID: "noise"}})
	h.decides(midnight)
	for range windows {
		h.releases("")
	}
	return h
}

func (h *hall) puts(name string, v any) {
	h.t.Helper()
	if err := h.dir.PutJSON(name, v); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hall) decides(at time.Time) {
	h.puts("decisions.json", []books.Decision{{ID: "1", YAML: "x", Published: at,
		History: []books.Happening{{Kind: books.Decided, At: at}}}})
}

// line adds to a chain.
func (h *hall) line(name string, v map[string]any) {
	h.t.Helper()
	h.n[name]++
	v["n"], v["prev_sha256"] = h.n[name], books.Hash(h.last[name])
	raw, err := json.Marshal(v)
	if err != nil {
		h.t.Fatal(err)
	}
	h.last[name] = string(raw)
	f, err := os.OpenFile(filepath.Join(string(h.dir), name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.Write(append(raw, '\n'))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		h.t.Fatal(err)
	}
}

// releases releases an hour, for which a line of the ledger has paid; another word makes another line.
func (h *hall) releases(word string) {
	h.t.Helper()
	end := midnight.Add(time.Duration(h.n[releases]+1) * time.Hour)
	h.line(ledger, map[string]any{"day": "2026-03-01"})
	h.line(releases, map[string]any{"stream": "noise", "end": end, "ledger": h.n[ledger], "sha256": word})
	h.stores(end)
}

func (h *hall) stores(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.have = until
}

func (h *hall) ClosedUntil(context.Context, string) (time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away {
		return time.Time{}, errors.New("the disk is gone")
	}
	return h.have, nil
}

func (h *hall) Observations(ctx context.Context, _ store.Query) ([]store.Observation, error) {
	end, err := h.ClosedUntil(ctx, "")
	return []store.Observation{{Stream: "noise", End: end}}, err
}

// dies takes all away.
func (h *hall) dies() {
	h.t.Helper()
	h.mu.Lock()
	h.away = true
	h.mu.Unlock()
	if err := os.RemoveAll(string(h.dir)); err != nil {
		h.t.Fatal(err)
	}
}

func of(halls ...*hall) *Copies {
	var list []Copy
	for n, h := range halls {
		list = append(list, Copy{fmt.Sprint("hall-", n+1), h.dir, h})
	}
	return New(list)
}

// lines are how many windows are released, as readers see it.
func lines(t *testing.T, c *Copies) (n int) {
	t.Helper()
	await(t, "a file that both ways of reading have alike", func() bool {
		raw, err := c.Get(releases)
		n = 0
		err2 := c.Each(releases, func(string) error { n++; return nil })
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return n == bytes.Count(raw, []byte("\n")) // unless it has changed in between
	})
	return n
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("there never was: " + what)
		}
	}
}
