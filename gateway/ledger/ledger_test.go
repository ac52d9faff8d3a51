package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/release"
	"sluice/policy/mechanism"
)

func open(t *testing.T, path string, most int64) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), path, "edge-1", most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func reservation(decision, plan, day string, epsilon float64) release.Reservation {
	return release.Reservation{Day: day, Decision: decision, Plan: plan, Unit: "device", Epsilon: epsilon, Delta: 1e-6,
		Cap: 1}
}

func TestReserve(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, 1<<20)
	for i, c := range []struct {
		r    release.Reservation
		n    int64
		want error
	}{
		{reservation("a", "p", "2026-03-02", 0.5), 1, nil},
		{reservation("a", "p", "2026-03-02", 0.5), 1, nil}, // the same again
		{reservation("b", "p", "2026-03-02", 0.5), 2, nil},
		{reservation("a", "q", "2026-03-02", 0.1), 3, release.ErrSpent}, // a changed plan pays again
		{reservation("a", "q", "2026-03-02", 0.1), 3, release.ErrSpent},
		{reservation("a", "q", "2026-03-03", 0.1), 4, nil},
	} {
		n, err := l.Reserve(ctx, c.r)
		if n.Line != c.n || n.Method != 1 || !errors.Is(err, c.want) {
			t.Errorf("%d: line %d, %v; want %d, %v", i, n.Line, err, c.n, c.want)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path, 1<<20) // the book is durable
	if n, err := l.Reserve(ctx, reservation("b", "p", "2026-03-02", 0.5)); n.Line != 2 || err != nil {
		t.Errorf("after a restart it is line %d, %v; want 2", n.Line, err)
	}
	checkChain(t, l)
}

// TestADayHasOneMethod: a day that an earlier version has entered keeps the method
// of then; the next one has that of now, and its line says so.
func TestADayHasOneMethod(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, 1<<20)
	if _, err := l.Reserve(ctx, reservation("a", "p", "2026-03-02", 0.5)); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path, 1<<20)
	for day, want := range map[string]int{"2026-03-02": 1, "2026-03-03": mechanism.Method} {
		for range 2 {
			r := reservation("a", "p", day, 0.5)
			r.Method = mechanism.Method
			if paid, err := l.Reserve(ctx, r); err != nil || paid.Method != want {
				t.Errorf("%s is of method %d, %v; want %d", day, paid.Method, err, want)
			}
		}
	}
	var methods []int
	for _, line := range lines(t, l, "ledger.jsonl") {
		var e books.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "method") != (e.Method > 1) {
			t.Errorf("a line of method %d: %s", e.Method, line)
		}
		methods = append(methods, e.Method)
	}
	if !slices.Equal(methods, []int{0, mechanism.Method}) {
		t.Errorf("the lines are of methods %v", methods)
	}
}

// checkChain recomputes what each line says of the ones before.
func checkChain(t *testing.T, l *Ledger) {
	t.Helper()
	lines := lines(t, l, "ledger.jsonl")
	if len(lines) != 4 {
		t.Fatalf("%d lines; want 4", len(lines))
	}
	prev, spent := "", map[string]float64{}
	for i, line := range lines {
		var e books.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind == "reserve" {
			spent[e.Day] += e.Epsilon
		}
		if e.N != int64(i+1) || e.PrevSHA256 != books.Hash(prev) || math.Abs(e.Left-(e.Cap-spent[e.Day])) > 1e-9 ||
			spent[e.Day] > e.Cap {
			t.Errorf("line %d does not follow from those before: %s", i+1, line)
		}
		prev = line
	}
}

func TestRefusedAmounts(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), 1<<20)
	for _, amount := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		for _, r := range []release.Reservation{
			{Decision: "a", Epsilon: amount, Cap: 1}, {Decision: "a", Delta: amount, Cap: 1},
			{Decision: "a", Cap: amount},
		} {
			if _, err := l.Reserve(context.Background(), r); err == nil || errors.Is(err, release.ErrSpent) {
				t.Errorf("%+v gives %v; want it refused", r, err)
			}
		}
	}
}

func TestCommitOnce(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), 1<<20)
	at := time.Unix(3600, 0).UTC()
	c := release.Commit{Key: release.Key{Stream: "s", Start: at}, End: at.Add(time.Hour),
		Releases: make([]release.Release, 2), Gap: "gateway_down"}
	for range 3 {
		if err := l.Commit(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	rows, bytes, err := l.Outbox.Waiting(ctx)
	if rows != 1 || bytes == 0 || err != nil {
		t.Errorf("%d parcels of %d bytes wait (%v); want one", rows, bytes, err)
	}
	if gaps := lines(t, l, "gaps.jsonl"); len(gaps) != 1 {
		t.Errorf("gaps %v; want one", gaps)
	}
	resume, err := l.Journal.Resume(ctx)
	if err != nil || !resume["s"].Equal(at.Add(time.Hour)) {
		t.Errorf("the stream goes on at %v (%v)", resume["s"], err)
	}
	parcels, err := l.Outbox.Next(ctx, 10)
	if err != nil || len(parcels) != 1 || len(parcels[0].Rows) != 2 {
		t.Fatalf("parcels %v (%v)", parcels, err)
	}
	if err := l.Outbox.Delivered(ctx, parcels[0].Seq); err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(ctx, c); err != nil {
		t.Fatal(err)
	}
	if rows, _, _ := l.Outbox.Waiting(ctx); rows != 0 {
		t.Error("a window that was delivered waits again")
	}
}

func TestOutboxIsBounded(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), 2000)
	full := false
	for n := range 20 {
		err := l.Commit(ctx,
			release.Commit{Key: release.Key{Stream: "s", Start: time.Unix(int64(n), 0)},
				Releases: make([]release.Release, 1)})
		full = full || errors.Is(err, ErrFull)
	}
	_, bytes, err := l.Outbox.Waiting(ctx)
	if !full || bytes > 2000 || err != nil {
		t.Errorf("%d bytes wait (%v), full: %v; want at most 2000", bytes, err, full)
	}
	parcels, err := l.Outbox.Next(ctx, 100)
	if err != nil || l.Outbox.Delivered(ctx, parcels[len(parcels)-1].Seq) != nil {
		t.Fatal(err)
	}
	key := release.Key{Stream: "s", Start: time.Unix(999, 0)}
	if err := l.Commit(ctx, release.Commit{Key: key, Releases: make([]release.Release, 1)}); err != nil {
		t.Errorf("with room again a commit fails: %v", err)
	}
}
