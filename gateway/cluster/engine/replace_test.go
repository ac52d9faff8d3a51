package engine_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/nats"
)

// TestAnEmptyServer: one that takes the place of a server that was lost, with its name and an empty store, gets from
// the other two what they have: afterwards another one may be away, and all that was acknowledged is there.
func TestAnEmptyServer(t *testing.T) {
	t.Parallel()
	s := nats.Start(t)
	conn := dial(t, s)
	l := books(t, conn)
	const entries = 200
	var last uint64
	for n := range entries {
		var err error
		if last, err = l.Append(t.Context(), "books.0", last, fmt.Sprint(n), fmt.Append(nil, n)); err != nil {
			t.Fatal(err)
		}
	}
	lost := s.Nodes[2]
	lost.Kill()
	if err := os.RemoveAll(lost.Store); err != nil {
		t.Fatal(err)
	}
	lost.Start()
	s.Whole()
	harness.Await(t, time.Minute, "an entry, with the empty server there", func() bool {
		seq, err := l.Append(t.Context(), "books.0", last, "more", []byte(fmt.Sprint(entries)))
		last = max(last, seq)
		return err == nil
	})
	s.Nodes[0].Kill()
	harness.Await(t, time.Minute, "an entry with another server away", func() bool {
		seq, err := l.Append(t.Context(), "books.0", last, "and more", []byte(fmt.Sprint(entries+1)))
		last = max(last, seq)
		return err == nil
	})
	_, texts := bodies(t, l, "books.0")
	if len(texts) != entries+2 {
		t.Fatalf("%d entries, want %d", len(texts), entries+2)
	}
	for i, text := range texts {
		if text != fmt.Sprint(i) {
			t.Fatalf("entry %d is %q", i, text)
		}
	}
}
