package ledger

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/release"
)

func commit(hour int) release.Commit {
	at := time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC)
	return release.Commit{Key: release.Key{Stream: "s", Start: at}, End: at.Add(time.Hour), Policy: "p", Plan: "q",
		Ledger: 1}
}

func life(t *testing.T, l *Ledger, hours ...int) {
	t.Helper()
	ctx := context.Background()
	for _, h := range hours {
		if _, err := l.Reserve(ctx, reservation("a", "q", "2026-03-02", 0.5)); err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(ctx, commit(h)); err != nil {
			t.Fatal(err)
		}
	}
}

// copied is a copy of the books.
type copied map[string][]string

func (c copied) Each(name string, f func(string) error) error {
	for _, line := range c[name] {
		if err := f(line); err != nil {
			return err
		}
	}
	return nil
}

// lines are all of a book.
func lines(t *testing.T, l *Ledger, name string) (all []string) {
	t.Helper()
	at := int64(0)
	for {
		list, next, err := l.Page(context.Background(), name, at)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return all
		}
		all, at = append(all, list...), next
	}
}

// TestImport: a ledger that fell behind takes over what a copy has, once, and
// refuses one that went another way.
func TestImport(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	latest, old, other := open(t, filepath.Join(dir, "a.db"), 1<<20), open(t, filepath.Join(dir, "b.db"), 1<<20),
		open(t, filepath.Join(dir, "c.db"), 1<<20)
	life(t, latest, 1, 2, 3)
	life(t, old, 1)
	life(t, other, 2)
	head, err := latest.Recovery.Head(ctx)
	if err != nil || head.Ledger.N != 1 || head.Releases.N != 3 || !head.Streams["s"].Equal(commit(3).End) {
		t.Fatalf("the head is %+v, %v", head, err)
	}
	if err := latest.Recovery.Extends(ctx, head); err != nil {
		t.Errorf("a ledger does not extend its own head: %v", err)
	}
	for _, l := range []*Ledger{old, other} {
		if err := l.Recovery.Extends(ctx, head); !errors.Is(err, ErrBehind) {
			t.Errorf("a ledger with fewer or other lines gives %v", err)
		}
	}
	full := copied{"ledger.jsonl": lines(t, latest, "ledger.jsonl"),
		"releases.jsonl": lines(t, latest, "releases.jsonl")}
	if _, err := other.Recovery.Import(ctx, full); !errors.Is(err, ErrForked) {
		t.Errorf("another history was imported: %v", err)
	}
	if _, err := old.Recovery.Import(ctx,
		copied{"ledger.jsonl": full["ledger.jsonl"], "releases.jsonl": full["releases.jsonl"][1:]}); err == nil {
		t.Error("a copy with a line gone was imported")
	}
	for _, want := range []int{2, 0} {
		if n, err := old.Recovery.Import(ctx, full); n != want || err != nil {
			t.Errorf("imported %d lines, %v; want %d", n, err, want)
		}
	}
	if err := old.Recovery.Extends(ctx, head); err != nil {
		t.Errorf("after the import: %v", err)
	}
	if done, err := old.Released(ctx, commit(3).Key); !done || err != nil {
		t.Errorf("an imported window counts as released: %v, %v", done, err)
	}
	life(t, old, 4)
	if all := lines(t, old, "releases.jsonl"); len(all) != 4 {
		t.Fatal(all)
	} else if _, err := books.Chain("releases.jsonl", all); err != nil {
		t.Errorf("the chain does not go on: %v", err)
	}
}

// TestSkip: what lies before is released for good, what lies after is not.
func TestSkip(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "l.db"), 1<<20)
	life(t, l, 1)
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	for range 2 {
		if err := l.Recovery.Skip(ctx, map[string]time.Time{"s": midnight, "t": midnight}); err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[time.Time]bool{midnight.Add(-time.Hour): true, midnight: false} {
		for _, stream := range []string{"s", "t"} {
			if done, err := l.Released(ctx, release.Key{Stream: stream, Start: at}); done != want || err != nil {
				t.Errorf("%s at %s is released: %v, %v; want %v", stream, at, done, err, want)
			}
		}
	}
	if resume, err := l.Journal.Resume(ctx); err != nil || !resume["s"].Equal(midnight) {
		t.Errorf("the stream goes on at %v, %v", resume["s"], err)
	}
	if gaps := lines(t, l, "gaps.jsonl"); len(gaps) != 2 {
		t.Errorf("the gaps are %v", gaps)
	}
}

// TestARecoveryIsFinished: a recovery that ends between its two steps is seen.
func TestARecoveryIsFinished(t *testing.T) {
	dir := t.TempDir()
	latest, old := open(t, filepath.Join(dir, "a.db"), 1<<20), open(t, filepath.Join(dir, "b.db"), 1<<20)
	life(t, latest, 1, 2)
	unfinished := func() bool {
		yes, err := old.Recovery.Unfinished(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if unfinished() {
		t.Error("a new ledger is in the middle of a recovery")
	}
	ours := copied{}
	for _, name := range []string{"ledger.jsonl", "releases.jsonl"} {
		ours[name] = lines(t, latest, name)
	}
	if _, err := old.Recovery.Import(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	if !unfinished() {
		t.Error("the half of a recovery is taken for all of it")
	}
	if err := old.Recovery.Skip(t.Context(), map[string]time.Time{"s": commit(9).End}); err != nil {
		t.Fatal(err)
	}
	if unfinished() {
		t.Error("a recovery never ends")
	}
}
