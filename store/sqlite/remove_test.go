package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/store"
)

// TestRemove: what is removed is of the stream, the decision, the gateway and the time that were
// named, a few rows at a time, and its text is in the file no more; a second time nothing is.
func TestRemove(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "store.db")
	s, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	row := func(stream, decision, gateway string, hour int) store.Observation {
		o := from(gateway, "a", 1)
		o.Stream, o.Decision, o.Reason = stream, decision, "because of "+decision
		o.Start, o.End = o.Start.Add(time.Duration(hour)*time.Hour), o.End.Add(time.Duration(hour)*time.Hour)
		return o
	}
	var gone []store.Observation
	for hour := range 7 {
		gone = append(gone, row("s", "1", "edge-1", hour))
	}
	stay := []store.Observation{row("s", "1", "edge-1", 7), row("s", "1", "edge-2", 0), row("s", "2", "edge-1", 8),
		row("s", "2", "edge-3", 1), row("t", "1", "edge-1", 0)}
	if err := s.Write(ctx, append(gone, stay...)); err != nil {
		t.Fatal(err)
	}
	until := gone[6].End
	for _, want := range []int{3, 3, 1, 0} {
		n, err := s.Remove(ctx, "s", "1", []string{"edge-0", "edge-1"}, until, 3)
		if err != nil || n != want {
			t.Fatalf("%d rows were removed (%v); want %d", n, err, want)
		}
	}
	var have int
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM released").Scan(&have); err != nil || have != len(stay) {
		t.Errorf("%d rows are left (%v); want %d", have, err, len(stay))
	}
	if _, err := s.Remove(ctx, "s", "1", []string{"edge-2"}, until, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(ctx, "s", "1", []string{"edge-1"}, until.Add(time.Hour), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(ctx, "t", "1", []string{"edge-1"}, until.Add(time.Hour), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("because of 1")) || !bytes.Contains(raw, []byte("because of 2")) {
		t.Error("what was removed is still in the file")
	}
}
