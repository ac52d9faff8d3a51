package sqlite

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/store"
)

// TestPagesInBothOrders: whatever is asked for, the pages in either order have each row
// once, in order, as a list in memory has it.
func TestPagesInBothOrders(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	statuses := []store.Status{store.Published, store.Withheld, store.NoData}
	var all []store.Observation
	for h := range 6 {
		for n, cell := range []string{"a", "b", "b/x"} {
			for m, measure := range []string{"m", "n"} {
				for g, gateway := range []string{"", "edge-1", "edge-2"} {
					if (h+n+m+g)%5 == 0 {
						continue // not all are there
					}
					o := from(gateway, cell, float64(h))
					o.Measure, o.Status = measure, statuses[(h+n+g)%3]
					o.Start, o.End = o.Start.Add(time.Duration(h)*time.Hour), o.End.Add(time.Duration(h)*time.Hour)
					all = append(all, o)
				}
			}
		}
	}
	if err := s.Write(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	begin := all[0].Start
	rapid.Check(t, func(t *rapid.T) {
		some := func(name string, list ...string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(list), 0, len(list), rapid.ID).Draw(t, name)
		}
		first := rapid.IntRange(-1, 6).Draw(t, "from")
		q := store.Query{
			Stream: "s", Desc: rapid.Bool().Draw(t, "desc"), Cells: some("cells", "a", "b", "b/x"),
			Measures: some("measures", "m", "n"), Gateways: some("gateways", "edge-1", "edge-2"),
			Limit: rapid.IntRange(1, 40).Draw(t, "limit"),
			From:  begin.Add(time.Duration(first) * time.Hour),
			To:    begin.Add(time.Duration(first+rapid.IntRange(0, 7).Draw(t, "hours")) * time.Hour),
		}
		for _, x := range some("statuses", "published", "withheld", "no_data") {
			q.Statuses = append(q.Statuses, store.Status(x))
		}
		has := func(list []string, x string) bool { return len(list) == 0 || slices.Contains(list, x) }
		var want []store.Position
		for i := range all {
			if o := &all[i]; has(q.Cells, o.Cell) && has(q.Measures, o.Measure) && !o.Start.Before(q.From) &&
				o.Start.Before(q.To) && (has(q.Gateways, o.Gateway) || o.Gateway == "") &&
				(len(q.Statuses) == 0 || slices.Contains(q.Statuses, o.Status)) {
				want = append(want, *store.At(o))
			}
		}
		slices.SortFunc(want, func(a, b store.Position) int {
			o := store.Observation{Start: a.Start, Cell: a.Cell, Measure: a.Measure, Gateway: a.Gateway}
			return q.Compare(&o, &b)
		})
		var got []store.Position
		for {
			list, err := s.Observations(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range list {
				got = append(got, *store.At(&list[i]))
			}
			if len(list) < q.Limit {
				break
			}
			q.After = store.At(&list[len(list)-1])
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%+v\ngot  %v\nwant %v", q, got, want)
		}
	})
}
