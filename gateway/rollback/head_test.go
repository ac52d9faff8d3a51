package rollback

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/config"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
	"sluice/internal/retry"
)

// edge is as much of a gateway as its trust needs.
func edge(t *testing.T, windows int) (*Guard, *bytes.Buffer) {
	t.Helper()
	dir, ctx := t.TempDir(), context.Background()
	l, err := ledger.Open(ctx, filepath.Join(dir, "ledger.db"), "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for hour := range windows {
		at := time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC)
		key := release.Key{Stream: "s", Start: at}
		c := release.Commit{Key: key, End: at.Add(time.Hour), Policy: "p", Plan: "q"}
		if err := l.Commit(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	g := New(State{
		Config: &config.Config{Gateway: "edge-1", Dir: dir}, Ledger: l, Keys: t.TempDir(),
		Public: books.Dir(filepath.Join(dir, "public")), Policy: city{},
	}, new(retry.Once), func() {}, slog.New(slog.NewTextHandler(&log, nil)))
	return g, &log
}

// city is a policy that gives streams cells, in a place; the zero value knows of none.
type city struct {
	cells map[string][]string
	place *time.Location
}

func (c city) SomeCells(int) map[string][]string { return c.cells }
func (c city) Location() *time.Location          { return c.place }

// TestDamagedHead: a head that is damaged is none, and is said once; it neither stops
// the gateway for ever nor passes for one that agrees.
func TestDamagedHead(t *testing.T) {
	for what, harm := range map[string]func([]byte) []byte{
		"empty": func([]byte) []byte { return nil }, "cut": func(b []byte) []byte { return b[:len(b)/2] },
		"{}": func([]byte) []byte { return []byte("{}") }, "null": func([]byte) []byte { return []byte("null") },
		"garbled":       func(b []byte) []byte { clear(b); return b },
		"another digit": func(b []byte) []byte { return bytes.Replace(b, []byte(`"n":3`), []byte(`"n":4`), 1) },
		"another hash": func(b []byte) []byte {
			b[bytes.Index(b, []byte(`"n":3`))+20] ^= 1
			return b
		},
	} {
		g, log := edge(t, 3)
		g.SaveHead(context.Background())
		if h, known, err := g.head.read(); !known || err != nil || h.Releases.N != 3 ||
			g.ledger.Recovery.Extends(context.Background(), h) != nil {
			t.Fatalf("a sound head is %v, %v, %v", h, known, err)
		}
		raw, err := os.ReadFile(g.head.path())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(g.head.path(), harm(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, known, err := g.head.read(); known || err != nil {
				t.Errorf("%s: it is known: %v, %v", what, known, err)
			}
		}
		if n := strings.Count(log.String(), g.head.path()); n != 1 {
			t.Errorf("%s: it is said %d times:\n%s", what, n, log)
		}
	}
}

// TestHeadOfAnother: a head of another gateway is named.
func TestHeadOfAnother(t *testing.T) {
	g, _ := edge(t, 1)
	g.SaveHead(context.Background())
	g.head.gateway = "edge-2"
	if _, _, err := g.head.read(); err == nil || !strings.Contains(err.Error(), g.head.path()) ||
		!strings.Contains(err.Error(), "edge-1") {
		t.Errorf("it gives %v", err)
	}
	if err := os.WriteFile(g.head.path(),
		[]byte(`{"ledger":{"n":0,"sha256":""},"releases":{"n":1,"sha256":"x"},"streams":{"s":"2026-03-02T01:00:00Z"}}`),
		0o600); err != nil {
		t.Fatal(err)
	}
	if h, known, err := g.head.read(); !known || err != nil || h.Releases.N != 1 {
		t.Errorf("an earlier version's head is %v, %v, %v", h, known, err)
	}
}

// TestCopies: our own copy of the books speaks only where it goes on from the ledger
// or is whole; the witness always, unless it is damaged and has no more.
func TestCopies(t *testing.T) {
	const quiet, behind, damaged = "", "older than what was released", "witness is damaged, and may"
	lines := func(g *Guard) string {
		list, _, err := g.ledger.Page(context.Background(), "releases.jsonl", 0)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(list, "\n") + "\n"
	}
	longer, _ := edge(t, 6)
	long := lines(longer)
	upTo := func(n int) string { return strings.Join(strings.SplitAfter(long, "\n")[:n], "") }
	other := strings.Replace(upTo(1), `"rows":0`, `"rows":7`, 1)
	for what, c := range map[string]struct{ text, own, outside string }{
		"none":                  {"", quiet, quiet},
		"the same":              {upTo(3), quiet, quiet},
		"an older one":          {upTo(2), quiet, quiet},
		"half a line":           {upTo(3) + `{"n":4`, quiet, quiet},
		"further":               {upTo(5), behind, behind},
		"further, early damage": {strings.Replace(upTo(5), `"n":1,`, `"n":9,`, 1), behind, behind},
		"further, late damage": {upTo(4) + strings.Replace(upTo(5)[len(upTo(4)):], `"n":5`, `"n":6`, 1), behind,
			behind},
		"longer by rubbish":      {upTo(3) + "rubbish\n", quiet, quiet},
		"longer by a false line": {upTo(3) + "{\"n\":4}\n", quiet, damaged},
		"last line changed": {upTo(2) + strings.Replace(upTo(3)[len(upTo(2)):], `"rows":0`, `"rows":1`, 1), quiet,
			behind},
		"another way, shorter":    {other, quiet, behind},
		"a hole":                  {strings.Repeat("\x00", 400) + upTo(3)[400:], quiet, quiet},
		"a hole at the end":       {upTo(2) + strings.Repeat("\x00", 200) + "\n", quiet, quiet},
		"without line 4, further": {upTo(3) + long[len(upTo(4)):len(upTo(5))], quiet, damaged},
	} {
		for where, want := range map[string]string{"own": c.own, "outside": c.outside} {
			g, _ := edge(t, 3)
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "releases.jsonl"), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			err := g.ask(context.Background(), copyOf{books.Dir(dir), dir, where == "own"})
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s: %v; want %q", what, where, err, want)
			}
			if err != nil && !strings.Contains(err.Error(), dir) {
				t.Errorf("%s, %s: no file is named: %v", what, where, err)
			}
		}
	}
}
