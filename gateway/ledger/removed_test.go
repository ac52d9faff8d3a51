package ledger

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sluice/books"
)

// TestRemove enters removals, each further than the one before of its stream and
// decision, as a chain; what was delivered of them is not kept to be sent again.
func TestRemove(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, 1<<30)
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for n := range 4 {
		start := at.Add(time.Duration(n) * time.Hour)
		if _, err := l.db.ExecContext(ctx,
			"INSERT INTO journal (stream, start, stop, policy, digest) VALUES ('s', ?, ?, 'p', '')", start.UnixNano(),
			start.Add(time.Hour).UnixNano()); err != nil {
			t.Fatal(err)
		}
		decision := []string{"1", "1", "2", "1"}[n]
		if _, err := l.db.ExecContext(ctx, "INSERT INTO sent (seq, stream, start, rows) VALUES (?, 's', ?, ?)", n,
			start.UnixNano(), `[{"decision":"`+decision+`"}]`); err != nil {
			t.Fatal(err)
		}
	}
	r := books.Removal{At: at.AddDate(1, 0, 0), Stream: "s", Decision: "1", Retain: "P1D", Until: at.Add(3 * time.Hour),
		Policy: "p"}
	for what, bad := range map[string]func(r books.Removal) books.Removal{
		"no stream":       func(r books.Removal) books.Removal { r.Stream = ""; return r },
		"no decision":     func(r books.Removal) books.Removal { r.Decision = ""; return r },
		"no time to keep": func(r books.Removal) books.Removal { r.Retain = ""; return r },
		"what is to come": func(r books.Removal) books.Removal { r.Until = r.At; return r },
	} {
		if err := l.Removals.Enter(ctx, bad(r)); !errors.Is(err, ErrRemoval) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := l.Removals.Enter(ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := l.Removals.Enter(ctx, r); !errors.Is(err, ErrRemoval) {
		t.Errorf("twice: %v", err)
	}
	again := r
	again.Until = again.Until.Add(time.Minute)
	if err := l.Removals.Enter(ctx, again); err != nil {
		t.Fatal(err)
	}
	if kept := count(t, l, "SELECT count(*) FROM sent WHERE start < ?", at.Add(2*time.Hour).UnixNano()); kept != 0 {
		t.Errorf("%d parcels that were removed are kept", kept)
	}
	if kept := count(t, l, "SELECT count(*) FROM sent"); kept != 2 {
		t.Errorf("%d parcels are kept; want that of another decision, and the one that is not over", kept)
	}
	list := lines(t, l, "removals.jsonl")
	if n, err := books.Chain("removals.jsonl", list); n != 2 || err != nil {
		t.Errorf("%d lines (%v): %q", n, err, list)
	}
	gone, err := l.Removals.Gone(ctx)
	if err != nil || !gone["s"].Equal(again.Until) {
		t.Errorf("%v, %v", gone, err)
	}
	other := open(t, filepath.Join(t.TempDir(), "ledger.db"), 1<<30)
	if n, err := other.Recovery.Import(ctx, removalsOnly(list)); n != 2 || err != nil {
		t.Errorf("a recovery takes over %d lines (%v)", n, err)
	}
	if got, err := other.Removals.List(ctx); err != nil || len(got) != 2 || !got[1].Until.Equal(again.Until) {
		t.Errorf("after a recovery there are %+v (%v)", got, err)
	}
}

func count(t *testing.T, l *Ledger, ask string, args ...any) (n int) {
	t.Helper()
	if err := l.db.QueryRowContext(t.Context(), ask, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// removalsOnly is a copy of the books that has removals only.
type removalsOnly []string

func (r removalsOnly) Each(name string, f func(string) error) error {
	if name != "removals.jsonl" {
		return nil
	}
	for _, line := range r {
		if err := f(line); err != nil {
			return err
		}
	}
	return nil
}
