package gateway

import (
	"path/filepath"
	"testing"
	"time"

	"sluice/books"
	"sluice/policy/compile"
	"sluice/policy/plan"
	"sluice/store"
	"sluice/store/sqlite"
)

// sharing is a gateway that has released three hours and has zone a, and a store in which
// another one has released the cell a until five, before the zone was this one's.
func sharing(t *testing.T) (*Gateway, *sqlite.Store) {
	t.Helper()
	g, _ := edge(t, 3)
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	g.store = s
	g.sets = map[string]*compile.Set{"p": {Streams: []*plan.Stream{{ID: "s", Cells: []plan.Cell{{Zone: "a"}}}}}}
	for hour := range 5 {
		put(t, s, "edge-2", hour)
	}
	return g, s
}

func put(t *testing.T, s *sqlite.Store, gateway string, hour int) {
	t.Helper()
	at := time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC)
	if err := s.Write(t.Context(), []store.Observation{{Gateway: gateway, Stream: "s", Start: at, End: at.Add(time.Hour), Cell: "a", Zone: "a", Measure: "m", Status: store.Withheld}}); err != nil {
		t.Fatal(err)
	}
}

// TestAnothersNumbers: what another gateway has released of a zone that is ours now is not
// our own future, does not stand for what the store has lost of ours, and is not withdrawn
// with ours; what names us does, under whatever name we had.
func TestAnothersNumbers(t *testing.T) {
	ctx := t.Context()
	g, s := sharing(t)
	ahead := func() int {
		t.Helper()
		resume, err := g.ledger.Resume(ctx)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := g.ahead(ctx, resume)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := ahead(); n != 0 {
		t.Error("another gateway's later numbers are taken for our own")
	}
	start := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	if lacks, _, err := g.missing(ctx, "s", start); err != nil || !lacks {
		t.Errorf("the store has lost our window, and another's stands for it (%v)", err)
	}
	names, err := g.ledger.Names(ctx)
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	put(t, s, "edge-1", 1)
	rows, err := withdrawn(ctx, s, names, books.Withdrawal{Stream: "s", Start: start})
	if err != nil || len(rows) != 1 || rows[0].Gateway != "edge-1" {
		t.Errorf("we withdraw %+v, %v", rows, err)
	}
	if lacks, _, err := g.missing(ctx, "s", start); err != nil || lacks {
		t.Errorf("our window is there and is missed (%v)", err)
	}
	put(t, s, "edge-1", 4)
	if n := ahead(); n != 1 {
		t.Error("our own later numbers are not seen")
	}
}
