package ledger

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMove: whatever a ledger has, and however often its move into a log ends in the middle, a machine whose ledger is
// empty has the same books afterwards, goes on with them, and so does the ledger itself; meanwhile nobody writes into
// either. What must be there before policies is called for until they are.
func TestMove(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		dir := tempDir(rt)
		alone, err := Open(ctx, filepath.Join(dir, "alone.db"), "town", 1<<20)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = alone.Close() }()
		if _, err := alone.db.ExecContext(ctx, "PRAGMA synchronous = OFF"); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 15).Draw(rt, "writes") {
			if _, err := write(rt, alone); err != nil && !errors.Is(err, errAnotherPolicy) {
				rt.Fatal(err)
			}
		}
		if _, err := alone.db.ExecContext(ctx, endRecovery); err != nil {
			rt.Fatal(err)
		}
		log := &memoryLog{}
		called := 0
		windows := func(context.Context) error {
			if called++; called < 3 && rapid.Bool().Draw(rt, "dies") {
				return errAway
			}
			return nil
		}
		for range 20 {
			log.before, log.behind = rapid.Bool().Draw(rt, "before"), rapid.Bool().Draw(rt, "behind")
			if err = alone.Recovery.Move(ctx, log, windows); err == nil {
				break
			}
			if !errors.Is(err, errAway) {
				rt.Fatal(err)
			}
			if err := alone.Recovery.Alone(ctx); !errors.Is(err, ErrMoving) {
				rt.Fatalf("on its way it is %v", err)
			}
			if _, err := alone.Reserve(ctx, reservation("late", "p", "2026-03-02", 0.01)); !errors.Is(err, ErrMoving) {
				rt.Fatalf("on its way it takes a reservation: %v", err)
			}
		}
		log.before, log.behind = false, false
		if err != nil {
			if err = alone.Recovery.Move(ctx, log, windows); err != nil && !errors.Is(err, errAway) {
				rt.Fatal(err)
			}
			called = max(called, 3)
			if err = alone.Recovery.Move(ctx, log, windows); err != nil {
				rt.Fatal(err)
			}
		}
		if called == 0 {
			rt.Fatal("windows were not asked for")
		}
		if err := alone.Recovery.Alone(ctx); !errors.Is(err, ErrShared) {
			rt.Fatal(err)
		}
		if err := alone.Share(ctx, log, false); err != nil {
			rt.Fatal(err)
		}
		other := shareAt(rt, filepath.Join(dir, "other.db"), log, false)
		defer func() { _ = other.Close() }()
		if _, err := write(rt, other); err != nil && !errors.Is(err, errAnotherPolicy) {
			rt.Fatal(err)
		}
		if err := alone.Follow(ctx); err != nil {
			rt.Fatal(err)
		}
		if first, second := numberless(dump(t, alone)), numberless(dump(t, other)); first != second {
			rt.Fatalf("it has\n%s\nand a machine that comes\n%s", first, second)
		}
		for _, l := range []*Ledger{alone, other} {
			if err := l.Check(ctx); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// numberless leaves out the numbers of rows that nobody refers to: those of gaps and policies, which one that has been
// refused leaves out.
func numberless(dump string) string {
	var out []string
	for line := range strings.Lines(dump) {
		if f := strings.SplitN(line, " ", 3); len(f) == 3 && (f[0] == "gap" || f[0] == "policy") {
			line = f[0] + " " + f[2]
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// TestAMoveOntoOtherBooks: what others have written is not gone over, and the ledger stays as it was.
func TestAMoveOntoOtherBooks(t *testing.T) {
	ctx := t.Context()
	log := &memoryLog{}
	other := open(t, filepath.Join(t.TempDir(), "other.db"), 1<<20)
	if err := other.Share(ctx, log, false); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Reserve(ctx, reservation("d", "p", "2026-03-02", 0.01)); err != nil {
		t.Fatal(err)
	}
	alone := open(t, filepath.Join(t.TempDir(), "alone.db"), 1<<20)
	if err := alone.Recovery.Move(ctx, log, nil); !errors.Is(err, ErrOccupied) {
		t.Error(err)
	}
	if err := alone.Recovery.Alone(ctx); err != nil {
		t.Errorf("afterwards it is %v", err)
	}
}

// TestHalfMoved: a machine that comes while books are on their way takes none of them for whole.
func TestHalfMoved(t *testing.T) {
	ctx := t.Context()
	log := &memoryLog{}
	alone := open(t, filepath.Join(t.TempDir(), "alone.db"), 1<<20)
	if _, err := alone.Reserve(ctx, reservation("d", "p", "2026-03-02", 0.01)); err != nil {
		t.Fatal(err)
	}
	if err := alone.Recovery.Move(ctx, log, func(context.Context) error { return errAway }); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	other := open(t, filepath.Join(t.TempDir(), "other.db"), 1<<20)
	if err := other.Share(ctx, log, false); !errors.Is(err, ErrMoving) {
		t.Error(err)
	}
	if err := alone.Recovery.Move(ctx, log, func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := other.Share(ctx, log, false); err != nil {
		t.Error(err)
	}
}
