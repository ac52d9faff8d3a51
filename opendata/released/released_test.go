package released

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/test/raced"

	"sluice/books"
	"sluice/store"
	"sluice/test/entered"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// shelf is a store in memory.
type shelf struct {
	mu   sync.Mutex
	rows []store.Observation // guarded by mu
}

func (s *shelf) Observations(_ context.Context, q store.Query) (out []store.Observation, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.rows {
		if o.Stream != q.Stream || o.Start.Before(q.From) || !o.Start.Before(q.To) ||
			len(q.Cells) > 0 && !slices.Contains(q.Cells, o.Cell) || len(out) == q.Limit {
			continue
		}
		if q.After != nil && !behind(o, *q.After) {
			continue
		}
		out = append(out, o)
	}
	return out, nil
}

func behind(o store.Observation, p store.Position) bool {
	if !o.Start.Equal(p.Start) {
		return o.Start.After(p.Start)
	}
	return o.Cell+"\x00"+o.Measure > p.Cell+"\x00"+p.Measure
}

func (s *shelf) ClosedUntil(_ context.Context, stream string) (until time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.rows {
		if o.Stream == stream && o.End.After(until) {
			until = o.End
		}
	}
	return until, nil
}

func (s *shelf) put(rows ...store.Observation) {
	s.rows = append(s.rows, rows...)
	slices.SortFunc(s.rows, func(a, b store.Observation) int {
		return strings.Compare(fmt.Sprint(a.Stream, a.Start.UnixNano(), a.Cell, a.Measure),
			fmt.Sprint(b.Stream, b.Start.UnixNano(), b.Cell, b.Measure))
	})
}

// row is one number of the hour that begins so many hours after noon.
func row(hour int, cell string, v float64) store.Observation {
	at := noon.Add(time.Duration(hour) * time.Hour)
	return store.Observation{Stream: "s", Start: at, End: at.Add(time.Hour), Cell: cell, Zone: cell, Measure: "m",
		Status: store.Published, Value: &v, Low: &v, High: &v}
}

// hours are numbers of some hours in two places.
func hours(from, to int) (list []store.Observation) {
	for h := from; h < to; h++ {
		list = append(list, row(h, "a", 1), row(h, "b", 2))
	}
	return list
}

func enter(t *testing.T, dir books.Dir, rows []store.Observation) {
	t.Helper()
	if err := entered.Enter(dir, rows); err != nil {
		t.Fatal(err)
	}
}

func all(t *testing.T, s *Filter, limit int) []store.Observation {
	t.Helper()
	list, err := s.Observations(t.Context(),
		store.Query{Stream: "s", From: time.Unix(0, 0), To: noon.AddDate(100, 0, 0), Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func newFilter(t *testing.T) (*Filter, *shelf, books.Dir) {
	t.Helper()
	dir, in := books.Dir(t.TempDir()), &shelf{}
	s := New(in, dir, slog.New(slog.DiscardHandler))
	s.fresh, s.grace = 0, 0
	return s, in, dir
}

// TestOnlyWhatHasALine puts rows into the store of which the books know nothing: around
// all that there is, between, in another place, of another length.
func TestOnlyWhatHasALine(t *testing.T) {
	longer := row(2, "a", 9)
	longer.End = longer.End.Add(time.Hour)
	measure := row(2, "a", 9)
	measure.Measure = "other"
	other := row(2, "a", 9)
	other.Stream = "another"
	half := row(2, "a", 9)
	half.Start, half.End = half.Start.Add(time.Minute), half.End.Add(time.Minute)
	for what, forged := range map[string]store.Observation{
		"years before": row(-24*365, "a", 9), "just before": row(-1, "a", 9), "just after": row(6, "a", 9),
		"years after": row(24*365, "a", 9),
		"in a hole":   row(3, "a", 9), "another place": row(2, "c", 9), "another measure": measure,
		"another end":     longer,
		"beside the hour": half,
	} {
		s, in, dir := newFilter(t)
		right := slices.Concat(hours(0, 3), hours(4, 6))
		in.put(right...)
		enter(t, dir, right)
		in.put(forged, other)
		for _, limit := range []int{1000, len(right), 3, 1} {
			want := right[:min(limit, len(right))]
			if got := all(t, s, limit); !slices.EqualFunc(got, want, func(a, b store.Observation) bool {
				return a.Start.Equal(b.Start) && a.Cell == b.Cell && *a.Value == *b.Value
			}) {
				t.Errorf("%s: of %d it shows %v; want %d rows that were released", what, limit, got, len(want))
			}
		}
		if s.LeftOut() == 0 || s.Hint() == "" {
			t.Errorf("%s: nothing is said: %d, %q", what, s.LeftOut(), s.Hint())
		}
		if until, err := s.ClosedUntil(t.Context(), "s"); err != nil || !until.Equal(noon.Add(6*time.Hour)) {
			t.Errorf("%s: it is final until %s (%v)", what, until, err)
		}
		if list, err := s.Observations(t.Context(),
			store.Query{Stream: "another", To: noon.AddDate(1, 0, 0), Limit: 10}); err != nil || len(list) > 0 {
			t.Errorf("%s: of a stream without lines it shows %v (%v)", what, list, err)
		}
	}
}

// TestTheLineComesLater: what is in the store before its line is shown when it is there,
// and was never called wrong.
func TestTheLineComesLater(t *testing.T) {
	s, in, dir := newFilter(t)
	s.grace = time.Hour
	in.put(hours(0, 2)...)
	enter(t, dir, hours(0, 1))
	if got := all(t, s, 100); len(got) != 2 {
		t.Errorf("%d rows are shown; want those with a line", len(got))
	}
	enter(t, dir, hours(1, 2))
	if got := all(t, s, 100); len(got) != 4 {
		t.Errorf("%d rows are shown; want all", len(got))
	}
	if s.LeftOut() != 0 || s.Hint() != "" || len(s.strays) != 0 {
		t.Errorf("it says %d, %q", s.LeftOut(), s.Hint())
	}
	if until, err := s.ClosedUntil(t.Context(), "s"); err != nil || !until.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("it is final until %s (%v)", until, err)
	}
}

// TestNoBooks: what cannot be compared is not shown.
func TestNoBooks(t *testing.T) {
	in := &shelf{}
	in.put(hours(0, 2)...)
	s := New(in, broken{}, slog.New(slog.DiscardHandler))
	q := store.Query{Stream: "s", To: noon.AddDate(1, 0, 0), Limit: 10}
	if list, err := s.Observations(t.Context(), q); !errors.Is(err, errBooks) {
		t.Errorf("without books it shows %v (%v)", list, err)
	}
	if _, err := s.ClosedUntil(t.Context(), "s"); !errors.Is(err, errBooks) {
		t.Errorf("without books something is final (%v)", err)
	}
	s, _, _ = newFilter(t)
	s.store = in
	if got := all(t, s, 10); len(got) > 0 {
		t.Errorf("a city that has released nothing shows %v", got)
	}
}

type broken struct{}

func (broken) Get(string) ([]byte, error) { return nil, errors.New("no") }

// TestAnotherNumber changes numbers of released windows: they are left out when they
// have been compared, and shown again when they are right. A withdrawal is no change.
func TestAnotherNumber(t *testing.T) {
	raced.Also(t)
	dir := books.Dir(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		in := &shelf{}
		s := New(in, dir, slog.New(slog.DiscardHandler))
		right := hours(0, 400)
		in.put(right...)
		enter(t, dir, right)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go s.Watch(ctx)
		time.Sleep(2 * time.Second)
		if got := all(t, s, 10_000); len(got) != len(right) || s.Hint() != "" {
			t.Fatalf("%d of %d are shown, and it says %q", len(got), len(right), s.Hint())
		}
		at := func(hour int) *store.Observation {
			return &in.rows[slices.IndexFunc(in.rows, func(o store.Observation) bool {
				return o.Start.Equal(noon.Add(time.Duration(hour) * time.Hour))
			})]
		}
		lie, withdrawn := 777.0, *at(398)
		in.mu.Lock()
		newest, oldest := *at(399), *at(0)
		at(399).Value, at(0).Value = &lie, &lie
		*at(398) = withdrawn.Withdraw("a mistake")
		in.mu.Unlock()
		if err := dir.Put("withdrawals.jsonl",
			[]byte(`{"n":1,"stream":"s","start":"`+withdrawn.Start.Format(time.RFC3339)+
				`","cell":"a","reason":"a mistake"}`+"\n")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(compareNewest + again + time.Second)
		shown := all(t, s, 10_000)
		if len(shown) != len(right)-2 || shown[len(shown)-1].Start.After(noon.Add(398*time.Hour)) {
			t.Errorf("a minute later %d of %d are shown; want all but the newest window", len(shown), len(right))
		}
		if !strings.Contains(s.Hint(), "1 windows that are not what was released") {
			t.Errorf("it says %q", s.Hint())
		}
		time.Sleep(2 * restDir)
		if shown = all(t, s, 10_000); len(shown) != len(right)-4 || !shown[0].Start.Equal(noon.Add(time.Hour)) {
			t.Errorf("hours later %d of %d are shown; want all but two windows", len(shown), len(right))
		}
		in.mu.Lock()
		*at(399), *at(0) = newest, oldest
		in.mu.Unlock()
		time.Sleep(2 * compareNewest)
		if shown = all(t, s, 10_000); len(shown) != len(right) || s.Hint() != "" {
			t.Errorf("when they are right again %d of %d are shown, and it says %q", len(shown), len(right), s.Hint())
		}
		stop()
		synctest.Wait()
	})
}

// TestYearsAreSmall: five years of hours in ten streams are a few runs, and lines in
// another order or twice are the same.
func TestYearsAreSmall(t *testing.T) {
	x := newIndex()
	for n := range 5 * 365 * 24 {
		at := noon.Add(time.Duration(n) * time.Hour)
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
			x.add(line{"g", id, "p", at.UnixNano(), at.Add(time.Hour).UnixNano()})
		}
	}
	for id, runs := range x.streams {
		if len(runs) != 1 {
			t.Errorf("%s has %d runs", id, len(runs))
		}
	}
	y := newIndex()
	for _, n := range []int{5, 1, 3, 3, 2, 9, 0, 7, 9} {
		at := noon.Add(time.Duration(n) * time.Hour)
		y.add(line{"g", "a", "p", at.UnixNano(), at.Add(time.Hour).UnixNano()})
	}
	for n := range 12 {
		o := row(n, "a", 1)
		o.Stream = "a"
		if want := slices.Contains([]int{0, 1, 2, 3, 5, 7, 9}, n); (y.of(&o) != nil) != want {
			t.Errorf("hour %d has a line: %v", n, !want)
		}
	}
}

// TestRemovedIsNotShown: what the books say was removed is not shown, although the store
// has it again; what another decision released is.
func TestRemovedIsNotShown(t *testing.T) {
	s, in, dir := newFilter(t)
	in.put(hours(0, 6)...)
	enter(t, dir, hours(0, 6))
	if got := all(t, s, 100); len(got) != 12 {
		t.Fatalf("%d rows are shown", len(got))
	}
	line := func(stream, decision string, until int) string {
		return fmt.Sprintf(`{"n":1,"stream":%q,"decision":%q,"until":%q}`+"\n", stream, decision,
			noon.Add(time.Duration(until)*time.Hour).Format(time.RFC3339))
	}
	for _, c := range []struct {
		lines string
		want  int
	}{{line("s", "another", 6), 12}, {line("another", "", 6), 12}, {line("s", "", 2), 8},
		{line("s", "", 2) + line("s", "", 3), 6}} {
		if err := dir.Put("removals.jsonl", []byte(c.lines)); err != nil {
			t.Fatal(err)
		}
		if err := s.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := all(t, s, 100)
		if len(got) != c.want || got[len(got)-1].Start.Before(noon.Add(5*time.Hour)) {
			t.Errorf("after %s%d rows are shown; want %d", c.lines, len(got), c.want)
		}
	}
}

// TestParse reads a line in both ways, and takes no text for a key.
func TestParse(t *testing.T) {
	const good = `{"n":1,"gateway":"g","stream":"s","start":"2026-03-02T12:00:00Z","end":"2026-03-02T13:00:00Z","policy":"p","plan":"q","ledger":0,"rows":1,"sha256":"x","prev_sha256":""}`
	want := line{"g", "s", "q", noon.UnixNano(), noon.Add(time.Hour).UnixNano()}
	for _, text := range []string{
		good, strings.ReplaceAll(good, `":`, `": `), strings.Replace(good, `"s"`, `"\u0073"`, 1),
		`{"plan":"q","end":"2026-03-02T13:00:00Z","stream":"s","gateway":"g","start":"2026-03-02T13:00:00+01:00"}`,
	} {
		if got, ok := parse(text); !ok || got != want {
			t.Errorf("%s is read as %+v, %v", text, got, ok)
		}
	}
	tricky := strings.Replace(good, `"g"`, `"\"stream\":\"t"`, 1)
	want.gateway = `"stream":"t`
	if got, ok := parse(tricky); !ok || got != want {
		t.Errorf("%s is read as %+v, %v", tricky, got, ok)
	}
	for _, text := range []string{
		"", "{}", "x", strings.Replace(good, "13:00", "12:00", 1),
		strings.Replace(good, "2026-03-02T12", "9999-03-02T12", 1), strings.Replace(good, `"s"`, `""`, 1),
		strings.Replace(good, "12:00:00Z", "noon", 1),
	} {
		if got, ok := parse(text); ok {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
}

// TestBegins: the first window that has a line, whatever else the store has; none where there
// is none.
func TestBegins(t *testing.T) {
	s, in, dir := newFilter(t)
	if at := s.Begins(t.Context(), "s"); !at.IsZero() {
		t.Errorf("before anything it begins at %s", at)
	}
	in.put(hours(-3, 6)...)
	enter(t, dir, hours(4, 6))
	enter(t, dir, hours(1, 2)) // entered later
	all(t, s, 1000)            // the books are read anew
	if at := s.Begins(t.Context(), "s"); !at.Equal(noon.Add(time.Hour)) {
		t.Errorf("it begins at %s", at)
	}
	if at := s.Begins(t.Context(), "another"); !at.IsZero() {
		t.Errorf("another begins at %s", at)
	}
}

// TestUnitOfTwo: of two plans with other units the same one is told each time.
func TestUnitOfTwo(t *testing.T) {
	plan := func(unit string) *closed {
		return &closed{possible: possible{every: "PT1H", zones: []string{"z"}, values: []string{""},
			measures: [][2]string{{"m", unit}}}}
	}
	one, two := plan("dB"), plan("dB(A)")
	for _, order := range [][]*closed{{one, two}, {two, one}} {
		all := make(map[store.Series]store.Series)
		for _, p := range order {
			p.series("s", all)
		}
		for _, s := range all {
			if s.Unit != "dB(A)" {
				t.Errorf("the unit is %s", s.Unit)
			}
		}
	}
}
