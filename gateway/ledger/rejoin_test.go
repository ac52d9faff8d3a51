package ledger

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/release"
	"sluice/store"
)

// shareIn opens a ledger that follows a log.
func shareIn(t *testing.T, path string, log Log) *Ledger {
	t.Helper()
	l := open(t, path, 1<<20)
	if _, err := l.db.ExecContext(t.Context(), "PRAGMA synchronous = OFF"); err != nil {
		t.Fatal(err)
	}
	if err := l.Share(t.Context(), log, false); err != nil {
		t.Fatal(err)
	}
	return l
}

// window pays for an hour and releases it.
func window(t *testing.T, l *Ledger, h int) {
	t.Helper()
	if err := tryWindow(t.Context(), l, h); err != nil {
		t.Fatal(err)
	}
}

func tryWindow(ctx context.Context, l *Ledger, h int) error {
	at := time.Date(2026, 3, 2, h, 0, 0, 0, time.UTC)
	if _, err := l.Reserve(ctx, reservation(fmt.Sprint("d", h), "p", "2026-03-02", 0.01)); err != nil {
		return err
	}
	return l.Commit(ctx, release.Commit{Key: release.Key{Stream: "s", Start: at}, End: at.Add(time.Hour), Policy: "p"})
}

// TestLogComesBackShorter: nobody writes any more, not even who has no more than the log; what the log lacks is put
// back from the ledger that has come furthest; and all have the same books again and go on.
func TestLogComesBackShorter(t *testing.T) {
	ctx, log, dir := t.Context(), &memoryLog{}, t.TempDir()
	most := shareIn(t, filepath.Join(dir, "most.db"), log)
	same := shareIn(t, filepath.Join(dir, "same.db"), log)
	window(t, most, 1)
	behind := shareIn(t, filepath.Join(dir, "behind.db"), log)
	was := len(log.bodies)
	window(t, most, 2)
	if err := most.Files.Put(ctx, "motions/1.txt", []byte("x")); err != nil {
		t.Fatal(err)
	}
	w := books.Withdrawal{Stream: "s", Start: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC), Reason: "a wasp"}
	if err := most.Withdraw(ctx, w, []store.Observation{{Stream: "s", Start: w.Start}}); err != nil {
		t.Fatal(err)
	}
	window(t, most, 3)
	if err := same.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	log.bodies = log.bodies[:was]

	for _, l := range []*Ledger{most, same} {
		if err := l.Follow(ctx); !errors.Is(err, ErrHeld) {
			t.Fatal(err)
		}
		if err := tryWindow(ctx, l, 4); !errors.Is(err, ErrHeld) {
			t.Errorf("it writes: %v", err)
		}
	}
	if err := behind.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	if err := tryWindow(ctx, behind, 4); !errors.Is(err, ErrHalted) {
		t.Errorf("who has no more than the log writes: %v", err)
	}
	if said := behind.Recovery.Held(ctx); !strings.Contains(said, "sluice ledger recover") {
		t.Errorf("it says %q", said)
	}
	if list, err := behind.Outbox.Next(ctx, 1); err != nil || len(list) == 0 || behind.Outbox.Delivered(ctx,
		list[0].Seq) != nil {
		t.Errorf("what was released before does not go to the store: %v", err)
	}
	if err := most.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "most.db.shared*")); len(left) > 0 || err != nil {
		t.Errorf("it leaves %v, %v", left, err)
	}
	most = shareIn(t, filepath.Join(dir, "most.db"), log) // held, as before
	for range 5 {                                         // an answer may be lost on the way
		log.behind = true
		if _, err := most.Recovery.Restore(ctx); err == nil {
			break
		}
	}
	log.behind = false
	if _, err := most.Recovery.Restore(ctx); err != nil {
		t.Fatal(err)
	}
	until := map[string]time.Time{"s": time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)}
	if err := behind.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	if err := tryWindow(ctx, behind, 5); !errors.Is(err, ErrHalted) {
		t.Errorf("it writes before the recovery has ended: %v", err)
	}
	if err := most.Recovery.Skip(ctx, until); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Ledger{most, same, behind} {
		if err := l.Follow(ctx); err != nil {
			t.Fatal(err)
		}
		if l.Recovery.Held(ctx) != "" {
			t.Error("it is held")
		}
	}
	want := dump(t, most)
	for _, l := range []*Ledger{same, behind, shareIn(t, filepath.Join(dir, "new.db"), log)} {
		if got := dump(t, l); got != want {
			t.Errorf("one has\n%s\nthe other\n%s", want, got)
		}
		if err := l.Check(ctx); err != nil {
			t.Error(err)
		}
	}
	starts := []int{}
	list, err := behind.Outbox.Next(ctx, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		for _, row := range p.Rows {
			starts = append(starts, row.Start.Hour())
		}
	}
	if !slices.Contains(starts, 1) { // the withdrawn ones
		t.Errorf("of the windows that it lacked, %v go to its store", starts)
	}
	if err := tryWindow(ctx, same, 4); err != nil {
		t.Fatal(err)
	}
	key := release.Key{Stream: "s", Start: time.Date(2026, 3, 2, 20, 0, 0, 0, time.UTC)}
	if done, err := same.Released(ctx, key); !done || err != nil {
		t.Errorf("a window before the silence's end can be released: %v", err)
	}
	if err := most.Follow(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestRecoveryKilled: a recovery that dies behind or before any of its entries is run again, and comes to the same.
func TestRecoveryKilled(t *testing.T) {
	ctx := t.Context()
	for _, behind := range []bool{false, true} {
		for n, again := 0, true; again; n++ {
			log, path := &memoryLog{}, filepath.Join(t.TempDir(), "l.db")
			l := shareIn(t, path, log)
			window(t, l, 1)
			window(t, l, 2)
			if err := l.Files.Put(ctx, "x", []byte("x")); err != nil {
				t.Fatal(err)
			}
			want := strings.Split(dump(t, l), "shared ")[0]
			log.bodies = nil
			if err := l.Follow(ctx); !errors.Is(err, ErrHeld) {
				t.Fatal(err)
			}
			log.after, log.dies, log.diesBehind = n, true, behind
			_, err := l.Recovery.Restore(ctx)
			again, log.dies = err != nil, false
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = shareIn(t, path, log)
			if _, err := l.Recovery.Restore(ctx); err != nil {
				t.Fatal(err)
			}
			if half, err := l.Recovery.Unfinished(ctx); !half || err != nil {
				t.Errorf("entry %d: it has ended by itself, %v", n, err)
			}
			if err := l.Recovery.Skip(ctx, nil); err != nil {
				t.Fatal(err)
			}
			for _, one := range []*Ledger{l, shareIn(t, filepath.Join(t.TempDir(), "new.db"), log)} {
				if got := strings.Split(dump(t, one), "shared ")[0]; got != want {
					t.Errorf("entry %d: it has\n%s\nand had\n%s", n, got, want)
				}
				if err := one.Check(ctx); err != nil {
					t.Error(err)
				}
			}
			if n > 20 {
				t.Fatal("it never ends")
			}
		}
	}
}

// TestLogRecoveredWithout: whose ledger has what a recovery has decided without is left out, and halts nobody again.
func TestLogRecoveredWithout(t *testing.T) {
	ctx, log, dir := t.Context(), &memoryLog{}, t.TempDir()
	most := shareIn(t, filepath.Join(dir, "most.db"), log)
	window(t, most, 1)
	behind := shareIn(t, filepath.Join(dir, "behind.db"), log)
	was := len(log.bodies)
	window(t, most, 2)
	log.bodies = log.bodies[:was]
	window(t, behind, 3) // before anybody could say that it was there
	if err := most.Follow(ctx); !errors.Is(err, ErrHeld) {
		t.Fatal(err)
	}
	if _, err := most.Recovery.Restore(ctx); !errors.Is(err, ErrApart) {
		t.Errorf("it recovers: %v", err)
	}
	if err := behind.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	behind.recovering = true
	until := map[string]time.Time{"s": time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)}
	if err := behind.Recovery.Skip(ctx, until); err != nil {
		t.Fatal(err)
	}
	behind.recovering = false
	n := len(log.bodies)
	for range 3 {
		if err := most.Follow(ctx); !errors.Is(err, ErrLeft) {
			t.Fatal(err)
		}
	}
	if len(log.bodies) != n {
		t.Error("who was left out has written into the books")
	}
	if err := behind.Follow(ctx); err != nil || behind.Recovery.Held(ctx) != "" {
		t.Errorf("it halts the others: %v", err)
	}
}
