package reconcile

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
	"sluice/store"
	"sluice/store/sqlite"
)

var comparedFrom = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// delivering is a gateway that has released n windows of a quarter of an hour, and has
// delivered them to a store, of which it has the path.
func delivering(t *testing.T, n int) (r *Reconciler, path string) {
	t.Helper()
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"), "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	path = filepath.Join(dir, "store.db")
	r = &Reconciler{ledger: l, file: path, log: slog.New(slog.DiscardHandler),
		cells: func() map[string]map[string]bool { return nil }}
	for i := range n {
		commitAt(t, r, comparedFrom.Add(time.Duration(i)*15*time.Minute))
	}
	if err := l.Outbox.Delivered(t.Context(), int64(n)); err != nil {
		t.Fatal(err)
	}
	keepIn(t, r, path, n)
	return r, path
}

func commitAt(t *testing.T, r *Reconciler, at time.Time) {
	t.Helper()
	if err := r.ledger.Commit(t.Context(),
		release.Commit{Key: release.Key{Stream: "s", Start: at}, End: at.Add(15 * time.Minute), Policy: "p",
			Plan: "q"}); err != nil {
		t.Fatal(err)
	}
}

// keepNone forgets what was delivered, as after some 64 MiB more.
func keepNone(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(filepath.Dir(path), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "DELETE FROM sent"); err != nil {
		t.Fatal(err)
	}
}

// keepIn gives the gateway the store at path, with the first n windows.
func keepIn(t *testing.T, r *Reconciler, path string, n int) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var rows []store.Observation
	for i := range n {
		at := comparedFrom.Add(time.Duration(i) * 15 * time.Minute)
		rows = append(rows,
			store.Observation{Stream: "s", Start: at, End: at.Add(15 * time.Minute), Cell: "c", Measure: "m",
				Status: store.NoData})
	}
	if err := s.Write(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	r.store = s
}

// TestTheStoreIsCompared: a store that is not as it was left is said, and is over when
// it is mended.
func TestTheStoreIsCompared(t *testing.T) {
	const n = 600 // more than two pages, less than a week
	r, path := delivering(t, n)
	keepNone(t, path)
	elsewhere := func() string { return filepath.Join(t.TempDir(), "store.db") }
	for _, c := range []struct {
		what, path string
		has        int
		want       string
	}{
		{"all is there", path, n, ""},
		{"an empty one", elsewhere(), 0,
			"600 windows of 1 stream, which start between 2026-03-02T00:00:00Z and 2026-03-08T05:45:00Z"},
		{"an older copy", elsewhere(), 590,
			"10 windows of 1 stream, which start between 2026-03-08T03:30:00Z and 2026-03-08T05:45:00Z"},
		{"a backup with all", elsewhere(), n, ""},
	} {
		keepIn(t, r, c.path, c.has)
		if !r.compareOnce(t.Context()) {
			t.Fatalf("%s: it could not be told", c.what)
		}
		if said := r.Problem(); (said == "") != (c.want == "") || !strings.HasPrefix(said, c.want) {
			t.Errorf("%s: it says %q; want %q", c.what, said, c.want)
		}
	}
}

// TestWhatIsNotCompared: windows on their way, skipped ones, those before the last week,
// and those for which there was no time are no reason to call the store wrong.
func TestWhatIsNotCompared(t *testing.T) {
	ctx := t.Context()
	r, path := delivering(t, 4)
	late := comparedFrom.Add(time.Hour)
	commitAt(t, r, late)
	if r.compareOnce(ctx) || r.Problem() != "" {
		t.Errorf("a window waits in the outbox, and it says %q", r.Problem())
	}
	if err := r.ledger.Outbox.Delivered(ctx, 5); err != nil {
		t.Fatal(err)
	}
	keepNone(t, path)
	if err := r.ledger.Recovery.Skip(ctx, map[string]time.Time{"s": late.Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if lost, settled, err := r.compared(ctx, time.Now().Add(time.Minute)); lost.windows != 1 || !settled || err != nil {
		t.Errorf("%+v (%v, %v); want the late one only", lost, settled, err)
	}
	if lost, _, _ := r.compared(ctx, time.Now().Add(-time.Second)); lost.windows != 0 || !lost.short {
		t.Errorf("%+v; want nothing in no time", lost)
	}
	commitAt(t, r, late.Add(30*24*time.Hour)) // the others are older than a week now
	if err := r.ledger.Outbox.Delivered(ctx, 6); err != nil {
		t.Fatal(err)
	}
	keepNone(t, path)
	if lost, settled, err := r.compared(ctx, time.Now().Add(time.Minute)); lost.windows != 1 || !settled || err != nil {
		t.Errorf("%+v (%v, %v); want the latest only", lost, settled, err)
	}
}

// TestWhatIsKeptIsSentAgain: a store that has lost windows gets those that are kept, in
// their order; the rest is said as lost, once, and then is no reason to say anything.
func TestWhatIsKeptIsSentAgain(t *testing.T) {
	ctx := t.Context()
	r, path := delivering(t, 8)
	keepIn(t, r, filepath.Join(t.TempDir(), "store.db"), 3)
	if r.compareOnce(ctx) {
		t.Error("it could be told although windows were sent again")
	}
	list, err := r.ledger.Outbox.Next(ctx, 100)
	if err != nil || len(list) != 5 {
		t.Fatalf("%d parcels are sent again, %v; want 5", len(list), err)
	}
	if err := r.ledger.Outbox.Delivered(ctx, list[4].Seq); err != nil { // and the store has lost them again
		t.Fatal(err)
	}
	keepNone(t, path)
	if n, err := r.SayLost(ctx); n != 5 || err != nil {
		t.Errorf("%d windows are said, %v; want 5", n, err)
	}
	said, err := r.ledger.Journal.Lost(ctx)
	if err != nil || len(said) != 1 || !said[0].Start.Equal(comparedFrom.Add(45*time.Minute)) ||
		!said[0].End.Equal(comparedFrom.Add(2*time.Hour)) {
		t.Errorf("the gaps say %+v, %v; want one line", said, err)
	}
	if n, err := r.SayLost(ctx); n != 0 || err != nil {
		t.Errorf("%d windows are said again, %v", n, err)
	}
	if !r.compareOnce(ctx) || r.Problem() != "" {
		t.Errorf("it goes on to say %q", r.Problem())
	}
}

// TestADamagedStore is said with its file's name.
func TestADamagedStore(t *testing.T) {
	r, path := delivering(t, 600)
	if err := r.store.(*sqlite.Store).Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(raw) / 4; i < len(raw); i++ {
		raw[i] = 0xff
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + "-wal"); err != nil { // it has all pages, and mends them
		t.Fatal(err)
	}
	s, err := sqlite.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r.store = s
	if r.compareOnce(t.Context()); !strings.Contains(r.Problem(), path+" is damaged") {
		t.Errorf("it says %q", r.Problem())
	}
}

// TestWhatTheStoreHasMore: windows that were never released are found wherever they are,
// said, and forgotten when they are gone; what is another gateway's is left alone.
func TestWhatTheStoreHasMore(t *testing.T) {
	ctx := t.Context()
	r, _ := delivering(t, 50)
	w, ok := r.store.(*sqlite.Store)
	if !ok {
		t.Fatal("it is another store")
	}
	look := func() extra {
		t.Helper()
		walk := new(extraWalk)
		for turn := range 1000 { // some milliseconds at a time
			whole, err := r.lookForExtra(ctx, walk, time.Now().Add(time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			if whole {
				t.Logf("%d turns", turn+1)
				break
			}
		}
		r.noteExtra(walk.found)
		return walk.found
	}
	if x := look(); x.windows != 0 || r.Notes() != nil {
		t.Fatalf("of a store as it was left it says %q", x)
	}
	first, last := comparedFrom.AddDate(-20, 0, 0), comparedFrom.AddDate(20, 0, 0)
	for _, at := range []time.Time{first, comparedFrom.Add(time.Minute), last} {
		if err := w.Write(ctx,
			[]store.Observation{{Stream: "s", Start: at, End: at.Add(15 * time.Minute), Cell: "c", Measure: "m",
				Status: store.NoData}}); err != nil {
			t.Fatal(err)
		}
	}
	if x := look(); x != (extra{3, 1, first, last}) {
		t.Errorf("it finds %+v; want three windows", x)
	}
	if notes := r.Notes(); len(notes) != 1 ||
		!strings.HasPrefix(notes[0],
			"the store has 3 windows of 1 stream, which start between 2006-03-02T00:00:00Z and 2046-03-02T00:00:00Z") {
		t.Errorf("it notes %q", notes)
	}
	if r.Problem() != "" {
		t.Errorf("it is not ready: %q", r.Problem())
	}
	if isOurs([]store.Observation{{Start: first, Cell: "theirs"}, {Start: last, Cell: "ours"}},
		map[string]bool{"ours": true}) {
		t.Error("another gateway's window is called wrong")
	}
	keepIn(t, r, filepath.Join(t.TempDir(), "store.db"), 50)
	if x := look(); x.windows != 0 || r.Notes() != nil {
		t.Errorf("when they are gone it says %q", x)
	}
}

// TestWhatIsAsideIsNotMissing: what the store has refused, and what was removed on time, is
// neither sent again nor called lost.
func TestWhatIsAsideIsNotMissing(t *testing.T) {
	ctx := t.Context()
	r, _ := delivering(t, 8)
	refused := comparedFrom.Add(7 * 15 * time.Minute)
	rows := []store.Observation{{Stream: "s", Start: refused, End: refused.Add(15 * time.Minute), Cell: "c",
		Measure: "m"}}
	if err := r.ledger.Outbox.SetAside(ctx, 8, [][]store.Observation{rows}, "no"); err != nil {
		t.Fatal(err)
	}
	until := comparedFrom.Add(45 * time.Minute)
	over := books.Removal{At: until.AddDate(1, 0, 0), Stream: "s", Decision: "1", Retain: "P1D", Until: until}
	if err := r.ledger.Removals.Enter(ctx, over); err != nil {
		t.Fatal(err)
	}
	keepIn(t, r, filepath.Join(t.TempDir(), "store.db"), 0)
	w, ok := r.store.(*sqlite.Store)
	if !ok {
		t.Fatal("it is another store")
	}
	for n := 3; n < 7; n++ {
		at := comparedFrom.Add(time.Duration(n) * 15 * time.Minute)
		if err := w.Write(ctx,
			[]store.Observation{{Stream: "s", Start: at, End: at.Add(15 * time.Minute), Cell: "c", Measure: "m",
				Status: store.NoData}}); err != nil {
			t.Fatal(err)
		}
	}
	if !r.compareOnce(ctx) || r.Problem() != "" {
		t.Errorf("it says %q", r.Problem())
	}
	if n, err := r.SayLost(ctx); n != 0 || err != nil {
		t.Errorf("%d windows are called lost (%v)", n, err)
	}
	if said := r.AsideProblem(ctx); !strings.Contains(said, "refused 1 released number of 1 window") {
		t.Errorf("of what is aside it says %q", said)
	}
	if list, err := r.ledger.Outbox.Next(ctx, 10); err != nil || len(list) != 0 {
		t.Errorf("%d parcels are sent again (%v)", len(list), err)
	}
}
