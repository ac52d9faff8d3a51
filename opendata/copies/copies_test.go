package copies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
func lines(t *testing.T, c *Copies) int {
	t.Helper()
	raw, err := c.Get(releases)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := c.Each(releases, func(string) error { n++; return nil }); err != nil || n != bytes.Count(raw, []byte("\n")) {
		t.Fatalf("%d lines, or %d: %v", n, bytes.Count(raw, []byte("\n")), err)
	}
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

// TestOneGoes: the other's answers are the same bytes, and whoever follows neither misses nor repeats a
// line.
func TestOneGoes(t *testing.T) {
	one, two := newHall(t, 5), newHall(t, 5)
	two.decides(midnight.Add(time.Hour)) // it took the motion later
	c := of(one, two)
	var seen []string
	begun := 0
	f := books.NewFollower(c, releases)
	follow := func() {
		t.Helper()
		err := f.Next(func() { begun++ }, func(text string) error { seen = append(seen, text); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	files := []string{"city.json", "streams.json", decisions, ledger, releases}
	before := make(map[string]string)
	for _, name := range files {
		raw, err := c.Get(name)
		if err != nil {
			t.Fatal(name, err)
		}
		before[name] = string(raw)
	}
	follow()
	if p := c.Problems(); len(p) > 0 {
		t.Errorf("of two that agree it is said %q", p)
	}
	one.dies()
	for _, name := range files {
		if raw, err := c.Get(name); err != nil || string(raw) != before[name] {
			t.Errorf("%s is %s, %v; it was %s", name, raw, err, before[name])
		}
	}
	if until, err := c.ClosedUntil(t.Context(), "noise"); err != nil || !until.Equal(midnight.Add(5*time.Hour)) {
		t.Errorf("the store has come to %v, %v", until, err)
	}
	if p := c.Problems(); len(p) != 1 || !strings.Contains(p[0], "hall-1 cannot be read") {
		t.Errorf("it is said %q", p)
	}
	two.releases("")
	await(t, "the next hour", func() bool { follow(); return len(seen) == 6 })
	if begun != 1 {
		t.Errorf("it was read from its beginning %d times", begun)
	}
	if _, err := c.Get("nothing.json"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is not there is %v", err)
	}
}

// TestNeverOlder: a copy that has less than was shown is not shown, in its books or in its store, and
// readers get an error meanwhile.
func TestNeverOlder(t *testing.T) {
	t.Run("books", func(t *testing.T) {
		one, two := newHall(t, 5), newHall(t, 4)
		c := of(one, two)
		if n := lines(t, c); n != 5 {
			t.Fatalf("%d are shown", n)
		}
		one.dies()
		if raw, err := c.Get(releases); !errors.Is(err, ErrNone) || raw != nil {
			t.Errorf("it is %d bytes, %v", len(raw), err)
		}
		if p := strings.Join(c.Problems(), ";"); !strings.Contains(p, "do not have yet what was shown") {
			t.Errorf("it is said %q", p)
		}
		two.releases("")
		await(t, "the other copy", func() bool { _, err := c.Get(releases); return err == nil })
		if n := lines(t, c); n != 5 {
			t.Errorf("%d are shown", n)
		}
	})
	t.Run("store", func(t *testing.T) {
		one, two := newHall(t, 5), newHall(t, 5)
		two.stores(midnight.Add(4 * time.Hour))
		c := of(one, two)
		until := func() (time.Time, error) { return c.ClosedUntil(t.Context(), "noise") }
		if at, err := until(); err != nil || !at.Equal(midnight.Add(5*time.Hour)) {
			t.Fatal(at, err)
		}
		one.dies()
		if at, err := until(); !errors.Is(err, ErrNone) {
			t.Errorf("it has come to %v, %v", at, err)
		}
		two.stores(midnight.Add(5 * time.Hour))
		await(t, "the other store", func() bool { at, err := until(); return err == nil && at.Hour() == 5 })
	})
	t.Run("rows that were removed", func(t *testing.T) {
		one, two := newHall(t, 5), newHall(t, 5)
		c := of(one, two)
		if _, err := c.Observations(t.Context(), store.Query{}); err != nil {
			t.Fatal(err)
		}
		one.stores(time.Time{})
		two.stores(time.Time{})
		if at, err := c.ClosedUntil(t.Context(), "noise"); err != nil || !at.IsZero() {
			t.Fatal(at, err)
		}
		one.dies()
		if _, err := c.ClosedUntil(t.Context(), "noise"); err != nil {
			t.Errorf("it waits for what nobody has any more: %v", err)
		}
	})
}

// TestContradiction: from the line on that two copies have differently no number is shown, whatever
// becomes of either, until they agree again.
func TestContradiction(t *testing.T) {
	one, two := newHall(t, 3), newHall(t, 3)
	c := of(one, two)
	one.releases("")
	await(t, "its fourth hour", func() bool { return lines(t, c) == 4 })
	two.releases("another")
	two.releases("another")
	await(t, "the contradiction", func() bool { return lines(t, c) == 3 })
	said := strings.Join(c.Problems(), "\n")
	if !strings.Contains(said, "hall-1 and hall-2 contradict each other in line 4 of releases.jsonl.") {
		t.Errorf("it is said %q", said)
	}
	one.dies()
	if n := lines(t, c); n != 3 {
		t.Errorf("when one of them is gone, %d lines are shown", n)
	}
	if file, err := c.From(releases, 0); err != nil {
		t.Error(err)
	} else if raw, err := io.ReadAll(file); err != nil || bytes.Count(raw, []byte("\n")) != 3 {
		t.Errorf("it goes on to %q, %v", raw, err)
	}
	if err := os.CopyFS(string(one.dir), os.DirFS(string(two.dir))); err != nil {
		t.Fatal(err)
	}
	one.mu.Lock()
	one.away, one.have = false, midnight.Add(5*time.Hour)
	one.mu.Unlock()
	await(t, "an end of it", func() bool { return lines(t, c) == 5 && len(c.Problems()) == 0 })
}

// TestLedgersContradict: what a line has paid for that copies have differently is not shown either.
func TestLedgersContradict(t *testing.T) {
	one, two := newHall(t, 3), newHall(t, 3)
	c := of(one, two)
	two.line(ledger, map[string]any{"day": "another"})
	one.releases("")
	one.releases("")
	await(t, "the contradiction", func() bool { return strings.Contains(strings.Join(c.Problems(), ";"), "line 4 of ledger") })
	if n := lines(t, c); n != 3 {
		t.Errorf("%d lines are shown", n)
	}
}

// TestNoCopy: books of another gateway, books that are damaged, and none at all are left out, and said.
func TestNoCopy(t *testing.T) {
	for want, break_ := range map[string]func(h *hall){
		"is of gateway other of city portalba": func(h *hall) {
			h.puts("city.json", books.City{ID: "portalba", Gateway: "other"})
		},
		"line 2: it does not follow": func(h *hall) {
			raw, err := h.dir.Get(releases)
			if err == nil {
				err = h.dir.Put(releases, bytes.Replace(raw, []byte(`"noise"`), []byte(`"voice"`), 1))
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"there is no city.json":     func(h *hall) { h.dies() },
		"hall-2 cannot be read: de": func(h *hall) { h.puts("decisions.json", 7) },
		"the disk is gone":          func(h *hall) { h.mu.Lock(); h.away = true; h.mu.Unlock() },
	} {
		one, two := newHall(t, 3), newHall(t, 9)
		break_(two)
		c := of(one, two)
		if n := lines(t, c); n != 3 {
			t.Errorf("%s: %d lines are shown", want, n)
		}
		if p := c.Problems(); len(p) != 1 || !strings.Contains(p[0], want) {
			t.Errorf("it is said %q; want %s", p, want)
		}
	}
	if _, err := of(newHall(t, 1)).Get("city.json"); err != nil {
		t.Error(err)
	}
}

// TestBehind: the copy that is shown is left for one that has had more for Patience, and not before; and
// one that is a line behind, now and then another one, is not.
func TestBehind(t *testing.T) {
	look := func(c *Copies) []view {
		var out []view
		for _, p := range c.list {
			out = append(out, p.look(view{where: p.Where}, nil))
		}
		return out
	}
	one, two := newHall(t, 3), newHall(t, 3)
	c, now := of(one, two), time.Now()
	x := choose(choice{}, look(c), nil, now)
	for n := range 20 { // each is behind at every look, and catches up
		two.releases("")
		if n > 0 {
			one.releases("")
		}
		now = now.Add(time.Second)
		if x = choose(x, look(c), nil, now); x.at != 0 || len(x.problems) > 0 {
			t.Fatalf("after %d seconds it is %d, %q", n, x.at, x.problems)
		}
	}
	for _, after := range []time.Duration{Patience - time.Second, Patience} {
		y := choose(x, look(c), nil, now.Add(after))
		if want := after >= Patience; (y.at == 1) != want || (len(y.problems) > 0) != want {
			t.Errorf("after %s it is %d, %q", after, y.at, y.problems)
		}
	}
}

// TestForgotten: a copy that comes back with far more than is remembered is compared with what was shown
// before it is.
func TestForgotten(t *testing.T) {
	for _, word := range []string{"", "another"} {
		one, two := newHall(t, 7), newHall(t, 6)
		two.releases(word)
		for range 2 * remembered {
			two.line(releases, map[string]any{"stream": "noise"})
		}
		c := of(one, two)
		views := func() (out []view) {
			heads := map[string]head{releases: {n: 7}, ledger: {n: 7}}
			for _, p := range c.list {
				out = append(out, p.look(view{where: p.Where}, heads))
			}
			return out
		}()
		x := choose(choice{}, views[:1], nil, time.Now())
		x = choose(x, views, nil, time.Now())
		x = choose(x, views, nil, time.Now().Add(2*Patience))
		said := strings.Join(x.problems, ";")
		if word == "" && (x.at != 1 || x.heads[releases].n != 7+2*remembered) || word != "" &&
			(x.heads[releases].n != 0 && x.heads[releases].n != 6 || !strings.Contains(said, "line 7 of releases")) {
			t.Errorf("%q: it is %d up to line %d, %s", word, x.at, x.heads[releases].n, said)
		}
	}
}

// TestOpen: a long chain is sent in parts, as far as it is shown.
func TestOpen(t *testing.T) {
	one, two := newHall(t, 3), newHall(t, 3)
	c := of(one, two)
	want, err := c.Get(releases)
	if err != nil {
		t.Fatal(err)
	}
	f, info, err := c.Open(releases)
	if err != nil || info.Size() != int64(len(want)) {
		t.Fatalf("it is %v, %v", info, err)
	}
	defer f.Close()
	for _, name := range []string{decisions, "nothing", "../x"} {
		if f, _, err := c.Open(name); err == nil {
			t.Error(name, f.Close())
		}
	}
	if !c.Near() || c.Stamp("city.json") == "" || c.Stamp("nothing") != "" {
		t.Error("directories are not known as such")
	}
	if slices.Contains(chained, decisions) {
		t.Error("decisions are no chain")
	}
}
