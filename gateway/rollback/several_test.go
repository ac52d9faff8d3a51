package rollback

import (
	"path/filepath"
	"testing"
	"time"

	"sluice/store"
	"sluice/store/sqlite"
)

// TestAnothersNumbers: what another gateway has released of a zone that is ours now is not
// our own future; what names us is.
func TestAnothersNumbers(t *testing.T) {
	ctx := t.Context()
	g, _ := edge(t, 3)
	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	g.store, g.policy = s, city{cells: map[string][]string{"s": {"a"}}}
	put := func(gateway string, hour int) {
		t.Helper()
		at := time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC)
		if err := s.Write(ctx,
			[]store.Observation{{Gateway: gateway, Stream: "s", Start: at, End: at.Add(time.Hour), Cell: "a", Zone: "a",
				Measure: "m", Status: store.Withheld}}); err != nil {
			t.Fatal(err)
		}
	}
	ahead := func() int {
		t.Helper()
		resume, err := g.ledger.Journal.Resume(ctx)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := g.ahead(ctx, resume)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	for hour := range 5 {
		put("edge-2", hour)
	}
	if n := ahead(); n != 0 {
		t.Error("another gateway's later numbers are taken for our own")
	}
	put("edge-1", 4)
	if n := ahead(); n != 1 {
		t.Error("our own later numbers are not seen")
	}
}
