package books_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"sluice/gateway/cluster/books"
	"sluice/gateway/cluster/engine"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
	"sluice/test/nats"
)

var _ ledger.Log = (*books.Books)(nil)

func open(t *testing.T, s *nats.Servers) *engine.Log {
	t.Helper()
	conn, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data,
		Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	log, err := conn.Open(t.Context(), books.Spec(3))
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// read are the transactions behind a place.
func read(t *testing.T, b *books.Books, after uint64) (ends []uint64, bodies [][]byte) {
	t.Helper()
	err := b.Each(t.Context(), after, func(end uint64, body []byte) error {
		ends, bodies = append(ends, end), append(bodies, body)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ends, bodies
}

// TestTransactions: what is longer than an entry is whole or not there; who has not read the last one writes nothing;
// what somebody left half written stops nobody.
func TestTransactions(t *testing.T) {
	s := nats.Start(t)
	ctx := t.Context()
	log := open(t, s)
	a, b := books.Of(log), books.Of(open(t, s))
	long := bytes.Repeat([]byte("0123456789"), 250_000)
	var ends []uint64
	after := uint64(0)
	for _, body := range [][]byte{[]byte("one"), long, {}, long[:engine.MaxEntry]} {
		var err error
		if after, err = a.Append(ctx, after, body); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, after)
	}
	if _, err := b.Append(ctx, ends[2], []byte("x")); !errors.Is(err, ledger.ErrOvertaken) {
		t.Fatalf("who has not read the last writes: %v", err)
	}
	got, bodies := read(t, b, 0)
	if fmt.Sprint(got) != fmt.Sprint(ends) || string(bodies[0]) != "one" || !bytes.Equal(bodies[1], long) ||
		len(bodies[2]) != 0 || len(bodies[3]) != engine.MaxEntry {
		t.Fatalf("transactions end at %v, and were written to %v", got, ends)
	}
	if got, _ := read(t, b, ends[1]); fmt.Sprint(got) != fmt.Sprint(ends[2:]) {
		t.Errorf("behind %d there are %v", ends[1], got)
	}
	// Somebody dies after two parts of three, and somebody else writes what is none of ours.
	last := after
	for i, id := range []string{"other-1 1/3", "other-1 2/3", "nonsense", "other-1 3/3", "b-1 2/2", "b-1 1/1000"} {
		var err error
		if last, err = log.Append(ctx, "books", last, id, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := read(t, a, after); len(got) != 0 {
		t.Fatalf("half a transaction is one, which ends at %v", got)
	}
	end, err := a.Append(ctx, after, []byte("goes on"))
	if err != nil || end <= last {
		t.Fatalf("half a transaction stops others: %v", err)
	}
	if got, bodies := read(t, b, after); len(got) != 1 || got[0] != end || string(bodies[0]) != "goes on" {
		t.Errorf("behind it there are %v, %q", got, bodies)
	}
	if _, err := a.Append(ctx, end, make([]byte, 65*engine.MaxEntry)); err == nil {
		t.Error("a transaction without an end is written")
	}
}

// pay reserves a budget, and looks again where another machine was faster.
func pay(t *testing.T, l *ledger.Ledger, n int) int64 {
	t.Helper()
	for {
		paid, err := l.Reserve(t.Context(), release.Reservation{Day: "2026-03-02", Decision: fmt.Sprint("d", n),
			Plan: "p", Unit: "device", Epsilon: 0.01, Delta: 1e-9, Cap: 1})
		if err == nil {
			return paid.Line
		}
		if !errors.Is(err, ledger.ErrOvertaken) {
			t.Fatal(err)
		}
	}
}

// TestLedgers: two machines' ledgers pay from one budget, line by line, while the leader of their log is killed; a
// third that comes later has the same.
func TestLedgers(t *testing.T) {
	s := nats.Start(t)
	ctx := t.Context()
	ledgers := make([]*ledger.Ledger, 3)
	join := func(i int) {
		l, err := ledger.Open(ctx, filepath.Join(t.TempDir(), "ledger.db"), "city", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		if err := l.Share(ctx, books.Of(open(t, s)), false); err != nil {
			t.Fatal(err)
		}
		ledgers[i] = l
	}
	join(0)
	join(1)
	for n := range 10 {
		if n == 5 {
			s.Leader("BOOKS").Kill()
		}
		line := pay(t, ledgers[n%2], n)
		if line != int64(n+1) {
			t.Fatalf("payment %d is line %d", n, line)
		}
	}
	join(2)
	if line := pay(t, ledgers[2], 10); line != 11 {
		t.Errorf("who came later pays by line %d", line)
	}
}
