package query

import (
	"context"
	"slices"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
)

// TestAllEpochs: what is read a month at a time is what is read at once, each epoch once,
// wherever the months meet.
func TestAllEpochs(t *testing.T) {
	st := footfall
	st.Stream = books.Stream{ID: "footfall", Timezone: "Europe/Madrid", ShareFrom: 100}
	s := &Source{Store: ended(200, 1000, 190, 10)}
	for _, hour := range []int{0, 1, 12, 22, 23} {
		from := time.Date(2026, 3, 5, hour, 0, 0, 0, time.UTC)
		for _, to := range []time.Time{from, from.Add(time.Hour), from.Add(30 * 24 * time.Hour),
			from.Add(31 * 24 * time.Hour), from.Add(170*24*time.Hour + 5*time.Hour)} {
			want, err := s.Epochs(t.Context(), st, from, to)
			if err != nil {
				t.Fatal(err)
			}
			if days := int(to.Sub(from).Hours() / 24); len(want) < days {
				t.Errorf("from %s to %s there are %d epochs", from, to, len(want))
			}
			var got []Epoch
			for e, err := range s.AllEpochs(t.Context(), st, from, to) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, *e)
			}
			if !slices.EqualFunc(got, want, func(a, b Epoch) bool {
				return a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.Known() && b.Known()
			}) {
				t.Errorf("from %s to %s: %d epochs in parts, %d at once", from, to, len(got), len(want))
			}
		}
	}
}

// late is a store whose first window starts at an instant, and that is asked for rows.
type late struct {
	Store
	begins time.Time
	asked  []store.Query
}

func (l *late) Begins(context.Context, string) time.Time { return l.begins }

func (l *late) Observations(_ context.Context, q store.Query) ([]store.Observation, error) {
	if l.asked = append(l.asked, q); !q.From.After(l.begins) && l.begins.Before(q.To) {
		return []store.Observation{{Start: l.begins, End: l.begins.Add(time.Hour)}}, nil
	}
	return nil, nil
}

// TestPartsBegin: what is before the first window is not looked through, in either order, and
// nothing that is asked for is left out.
func TestPartsBegin(t *testing.T) {
	begins := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	st := At(books.Stream{ID: "s", Every: "PT1H", Measures: []books.Measure{{}}, Cells: []books.Cell{{}}},
		begins.Add(24*time.Hour))
	for _, desc := range []bool{false, true} {
		from := &late{begins: begins}
		s, rows := &Source{Store: from}, 0
		for list, err := range s.Parts(t.Context(), st, store.Query{Stream: "s", From: time.Unix(0, 0),
			To: begins.Add(24 * time.Hour), Desc: desc}) {
			if err != nil {
				t.Fatal(err)
			}
			rows += len(list)
		}
		if rows != 1 || len(from.asked) != 1 || from.asked[0].From.Before(begins) {
			t.Errorf("newest first %t: %d rows of %+v", desc, rows, from.asked)
		}
	}
}

// few is a store of some published rows.
type few []store.Observation

func (f few) ClosedUntil(context.Context, string) (time.Time, error) { return time.Time{}, nil }

func (f few) Observations(_ context.Context, q store.Query) (out []store.Observation, _ error) {
	for _, o := range f {
		if !o.Start.Before(q.From) && o.Start.Before(q.To) && o.Status == store.Published {
			out = append(out, o)
		}
	}
	return out, nil
}

// TestExtentForgets: a number that was taken back bounds nothing any more.
func TestExtentForgets(t *testing.T) {
	at, low, high := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 5.0, 9999.0
	dir := books.Dir(t.TempDir())
	row := func(n int, v *float64) store.Observation {
		return store.Observation{Stream: "x", Start: at.Add(time.Duration(n) * time.Hour), Measure: "m",
			Status: store.Published, Value: v, Low: v, High: v}
	}
	rows := few{row(0, &low), row(1, &high)}
	st, s := At(books.Stream{ID: "x"}, at.Add(2*time.Hour)), &Source{Store: rows, Books: books.Reader{Source: dir}}
	if e, some, err := s.Extent(t.Context(), st, "m", ""); err != nil || !some || e != (Extent{5, 9999}) {
		t.Fatal(e, some, err)
	}
	rows[1] = rows[1].Withdraw("a slip")
	if err := dir.Put("withdrawals.jsonl", []byte("{\"n\":1}\n")); err != nil {
		t.Fatal(err)
	}
	if e, some, err := s.Extent(t.Context(), st, "m", ""); err != nil || !some || e != (Extent{5, 5}) {
		t.Errorf("it is %v, %t, %v", e, some, err)
	}
}

// TestExtentOfCopies: a server that has looked before says what one says that has just begun,
// also when a gateway is behind another, and when a series is longer than what is looked at.
func TestExtentOfCopies(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var rows few
	b := books.Stream{ID: "x", Every: "PT1H", Cells: make([]books.Cell, 20), Measures: make([]books.Measure, 200)}
	old := &Source{Books: books.Reader{Source: books.Dir(t.TempDir())}}
	row := func(hour int, v float64) store.Observation {
		start := at.Add(time.Duration(hour) * time.Hour)
		return store.Observation{Stream: "x", Start: start, End: start.Add(time.Hour), Measure: "m",
			Status: store.Published, Value: &v, Low: &v, High: &v}
	}
	for n, x := range []struct {
		row      store.Observation
		one, two int // hours that the gateways have come
		want     Extent
	}{
		{row(9, 50), 10, 10, Extent{50, 50}},
		{row(12, 60), 13, 10, Extent{50, 60}},
		{row(10, 5), 13, 11, Extent{5, 60}}, // the other one, behind it
		{row(11, 99), 13, 12, Extent{5, 99}},
		{row(40, 70), 41, 41, Extent{5, 99}},
		{row(60, 71), 61, 61, Extent{70, 71}}, // the days before are too many
	} {
		rows = append(rows, x.row)
		one, two := at.Add(time.Duration(x.one)*time.Hour), at.Add(time.Duration(x.two)*time.Hour)
		st := Stream{Stream: b, reach: reach{two, one, []share{{nil, one}, {nil, two}}}}
		old.Store = rows
		for name, s := range map[string]*Source{"old": old, "new": {Store: rows, Books: old.Books}} {
			if e, some, err := s.Extent(t.Context(), st, "m", ""); err != nil || !some || e != x.want {
				t.Errorf("%d: the %s one says %v, %t, %v; want %v", n, name, e, some, err, x.want)
			}
		}
	}
}
