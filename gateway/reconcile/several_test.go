package reconcile

import (
	"path/filepath"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/sqlite"
)

func put(t *testing.T, s *sqlite.Store, gateway string, at time.Time) {
	t.Helper()
	if err := s.Write(t.Context(),
		[]store.Observation{{Gateway: gateway, Stream: "s", Start: at, End: at.Add(15 * time.Minute), Cell: "a",
			Zone: "a", Measure: "m", Status: store.Withheld}}); err != nil {
		t.Fatal(err)
	}
}

// TestAnothersNumbers: what another gateway has released of a zone that is ours now does
// not stand for what the store has lost of ours, and is not withdrawn with ours; what names
// us does, under whatever name we had.
func TestAnothersNumbers(t *testing.T) {
	ctx := t.Context()
	r, _ := delivering(t, 3)
	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	keepNone(t, r.file)
	r.store = s
	start := comparedFrom.Add(15 * time.Minute)
	put(t, s, "edge-2", start)
	if lacks, _, err := r.missing(ctx, "s", start); err != nil || !lacks {
		t.Errorf("the store has lost our window, and another's stands for it (%v)", err)
	}
	names, err := r.ledger.Names(ctx)
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	put(t, s, "edge-1", start)
	rows, err := withdrawn(ctx, s, names, books.Withdrawal{Stream: "s", Start: start})
	if err != nil || len(rows) != 1 || rows[0].Gateway != "edge-1" {
		t.Errorf("we withdraw %+v, %v", rows, err)
	}
	if lacks, _, err := r.missing(ctx, "s", start); err != nil || lacks {
		t.Errorf("our window is there and is missed (%v)", err)
	}
}
