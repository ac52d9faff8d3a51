package released

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"sluice/test/raced"

	"sluice/books"
	"sluice/store"
	"sluice/test/entered"
	"sluice/test/stalls"
)

// rowOf is a row that says whose it is.
func rowOf(gateway string, hour int, cell string, v float64) store.Observation {
	o := row(hour, cell, v)
	o.Gateway = gateway
	return o
}

// fickle are books that are away for a while.
type fickle struct {
	dir  books.Dir
	away atomic.Bool
}

func (f *fickle) Get(name string) ([]byte, error) {
	if f.away.Load() {
		return nil, errors.New("out of reach")
	}
	raw, err := f.dir.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	return raw, err
}

// two are two gateways with a place each, of which the first has come further.
func two(t *testing.T) (*CityFilter, *shelf, books.Dir, *fickle) {
	t.Helper()
	in, one, other := &shelf{}, books.Dir(t.TempDir()), &fickle{dir: books.Dir(t.TempDir())}
	for h := range 4 {
		rows := []store.Observation{rowOf("edge-1", h, "a", 1)}
		in.put(rows...)
		if err := entered.EnterAs("edge-1", one, rows); err != nil {
			t.Fatal(err)
		}
		if rows = []store.Observation{rowOf("edge-2", h, "b", 2)}; h < 3 {
			in.put(rows...)
			if err := entered.EnterAs("edge-2", other.dir, rows); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := NewCityFilter(in, []Named{{Where: "one", Source: one}, {Where: "other", Source: other}}, func() []string {
		return []string{"edge-1", "edge-2"}
	}, slog.New(slog.DiscardHandler))
	for _, p := range append(s.parts, s.stray) {
		p.fresh, p.grace = 0, 0
	}
	return s, in, one, other
}

func shownBy(t *testing.T, s *CityFilter) (n int) {
	t.Helper()
	list, err := s.Observations(t.Context(),
		store.Query{Stream: "s", From: time.Unix(0, 0), To: noon.AddDate(1, 0, 0), Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestSeveral: what any of the books has a line of is shown, each gateway's alone: a row
// under another's name, in another's place or of nobody is left out.
func TestSeveral(t *testing.T) {
	s, in, _, _ := two(t)
	if n := shownBy(t, s); n != 7 || s.LeftOut() != 0 || s.Hint() != "" {
		t.Errorf("%d are shown, %d left out, %q", n, s.LeftOut(), s.Hint())
	}
	each, err := s.ClosedEach(t.Context(), "s")
	if err != nil || !each[0].Equal(noon.Add(4*time.Hour)) || !each[1].Equal(noon.Add(3*time.Hour)) {
		t.Errorf("they have come to %v, %v", each, err)
	}
	in.put(rowOf("edge-2", 0, "a", 9), rowOf("edge-1", 1, "b", 9), rowOf("edge-3", 1, "c", 9),
		rowOf("edge-2", 3, "b", 9), rowOf("", 1, "c", 9))
	if n := shownBy(t, s); n != 7 || s.LeftOut() != 5 || s.Hint() == "" {
		t.Errorf("%d are shown, %d left out, %q", n, s.LeftOut(), s.Hint())
	}
}

// TestForgedAtOne: a number that one gateway did not release takes that gateway's window
// out, and no other's.
func TestForgedAtOne(t *testing.T) {
	s, in, _, _ := two(t)
	for i := range in.rows {
		if o := &in.rows[i]; o.Gateway == "edge-2" && o.Start.Equal(noon.Add(time.Hour)) {
			v := 77.0
			o.Value = &v
		}
	}
	shownBy(t, s) // the books are read
	for _, p := range s.parts {
		p.compareNewest(t.Context())
	}
	if n := shownBy(t, s); n != 6 {
		t.Errorf("%d are shown; want 6", n)
	}
	if h := s.Hint(); h == "" || h[:5] != "other" {
		t.Errorf("it is said %q", h)
	}
}

// TestAnothersLines: what one gateway's books say that another has released is not shown; of a
// gateway that has no books here, as one that was renamed, it is.
func TestAnothersLines(t *testing.T) {
	s, in, one, _ := two(t)
	for n, gateway := range []string{"edge-2", "edge-0"} {
		rows := []store.Observation{rowOf(gateway, 5, "a", 9)}
		in.put(rows...)
		if err := entered.EnterAs(gateway, one, rows); err != nil {
			t.Fatal(err)
		}
		if got := shownBy(t, s); got != 7+n {
			t.Errorf("%s: %d are shown; want %d", gateway, got, 7+n)
		}
	}
	if s.Hint() == "" {
		t.Error("nothing is said")
	}
}

// picky is a store that, as InfluxDB's, takes plain names alone, and few of them.
type picky struct{ *shelf }

func (p picky) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	for _, name := range q.Gateways {
		if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`).MatchString(name) || len(q.Gateways) > 100 {
			return nil, errors.New("an id holds letters that none has")
		}
	}
	return p.shelf.Observations(ctx, q)
}

// TestOddNames: lines of gateways that nobody can be called, or of very many, keep nobody
// from the others' numbers.
func TestOddNames(t *testing.T) {
	s, in, one, _ := two(t)
	for _, p := range s.parts {
		p.store = picky{in}
	}
	s.store = picky{in}
	for n := range 200 {
		for _, name := range []string{fmt.Sprint("edge-1\" or \"", n), fmt.Sprint("many-", n)} {
			if err := entered.EnterAs(name, one, []store.Observation{rowOf(name, 4, "a", 1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if each, err := s.ClosedEach(t.Context(), "s"); err != nil || each[1] != noon.Add(3*time.Hour) {
		t.Errorf("they have come to %v, %v", each, err)
	}
	if n := shownBy(t, s); n != 7 {
		t.Errorf("%d are shown", n)
	}
}

// TestOneIsAway: while one gateway's books cannot be read, the others' numbers are shown,
// and its own as far as is known; nothing of it is called wrong.
func TestOneIsAway(t *testing.T) {
	s, in, _, other := two(t)
	other.away.Store(true)
	if n := shownBy(t, s); n != 4 || s.LeftOut() != 0 {
		t.Errorf("away from the first: %d are shown, %d left out", n, s.LeftOut())
	}
	other.away.Store(false)
	for deadline := time.Now().Add(10 * time.Second); shownBy(t, s) != 7; {
		if time.Now().After(deadline) {
			t.Fatal("when it is back, its numbers are not shown")
		}
		time.Sleep(10 * time.Millisecond)
	}
	other.away.Store(true)
	in.put(rowOf("edge-2", 3, "b", 2)) // whose line nobody can read
	if n := shownBy(t, s); n != 7 || s.LeftOut() != 0 {
		t.Errorf("away again: %d are shown, %d left out", n, s.LeftOut())
	}
	if s.Hint() == "" {
		t.Error("nothing is said")
	}
}

// TestRowsOfBefore: rows that do not say whose they are are shown as the plans have them.
func TestRowsOfBefore(t *testing.T) {
	s, in, _, _ := two(t)
	for i := range in.rows {
		in.rows[i].Gateway = ""
	}
	if n := shownBy(t, s); n != 7 || s.LeftOut() != 0 {
		t.Errorf("%d are shown, %d left out", n, s.LeftOut())
	}
	for _, p := range s.parts {
		p.compareNewest(t.Context())
	}
	if n := shownBy(t, s); n != 7 || s.Hint() != "" {
		t.Errorf("after comparing %d are shown; %q", n, s.Hint())
	}
}

func await(t *testing.T, ok func() bool) {
	t.Helper()
	stalls.Until(t, 30*time.Second, "it to happen", ok)
}

// TestAStuckMirror: a gateway whose books do not answer holds nobody for longer than
// patience lasts, and soon nobody at all.
func TestAStuckMirror(t *testing.T) {
	raced.Also(t)
	stuck := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(stuck)
	_, in, one, _ := two(t)
	s := NewCityFilter(in, []Named{{Where: "one", Source: one}, {Where: "other", Source: books.NewMirror(srv.URL)}},
		func() []string { return make([]string, 2) }, slog.New(slog.DiscardHandler))
	begun := time.Now()
	for range 20 {
		if n := shownBy(t, s); n != 4 {
			t.Fatalf("%d are shown; want 4", n)
		}
	}
	if took := time.Since(begun); took > 4*patience {
		t.Errorf("twenty questions took %s", took)
	}
	if s.LeftOut() != 0 {
		t.Error("rows of a gateway whose books do not answer are called wrong")
	}
	p := s.parts[1] // once it has failed, it is asked again for nobody who waits
	await(t, func() bool { p.mu.RLock(); defer p.mu.RUnlock(); return p.reading == nil && p.problem != nil })
	begun = time.Now()
	if p.fresh = 0; shownBy(t, s) != 4 || time.Since(begun) > patience/2 {
		t.Errorf("after a failure a question took %s", time.Since(begun))
	}
}
