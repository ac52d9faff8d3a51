package copies

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
)

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
	t.Run("archive", func(t *testing.T) {
		one, two := newHall(t, 5), newHall(t, 5)
		one.line(archived, map[string]any{"month": "2026-02"})
		c := of(one, two)
		if raw, err := c.Get(archived); err != nil || len(raw) == 0 {
			t.Fatal(err)
		}
		one.dies()
		if raw, err := c.Get(archived); !errors.Is(err, ErrNone) {
			t.Errorf("a month is gone: %q, %v", raw, err)
		}
		two.line(archived, map[string]any{"month": "2026-02"})
		await(t, "the other copy", func() bool { raw, err := c.Get(archived); return err == nil && len(raw) > 0 })
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

// TestFarAway: a copy behind a URL is left when its server answers no more.
func TestFarAway(t *testing.T) {
	one, two := newHall(t, 5), newHall(t, 5)
	srv := httptest.NewServer(http.FileServer(http.Dir(one.dir)))
	defer srv.Close()
	c := New([]Copy{{"far", books.NewMirror(srv.URL), nil}, {"near", two.dir, nil}})
	var n int
	f := books.NewFollower(c, releases)
	follow := func() bool {
		err := f.Next(func() {}, func(string) error { n++; return nil })
		return err == nil
	}
	await(t, "its lines", func() bool { return follow() && n == 5 })
	if x := c.look(false); x.at != 0 || len(x.problems) > 0 || c.Near() {
		t.Fatalf("it is %d, %q", x.at, x.problems)
	}
	srv.CloseClientConnections()
	srv.Close()
	two.releases("")
	await(t, "the line that only the other has", func() bool { return follow() && n == 6 })
	if p := c.Problems(); len(p) != 1 || !strings.Contains(p[0], "the copy far cannot be read") {
		t.Errorf("it is said %q", p)
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
