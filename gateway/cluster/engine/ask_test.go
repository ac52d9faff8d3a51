package engine_test

import (
	"bytes"
	"testing"
	"time"

	"sluice/test/nats"
)

// TestCrowdedOut: who answers once is heard, however often another one does.
func TestCrowdedOut(t *testing.T) {
	s := nats.Start(t)
	asks, honest, enemy := dial(t, s), dial(t, s), dial(t, s)
	flood := make(chan bool)
	stop, err := enemy.Answer(t.Context(), "keys", func([]byte) []byte { <-flood; return []byte("noise") })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	stop, err = honest.Answer(t.Context(), "keys", func([]byte) []byte {
		close(flood)                       // it answers first, and again and again
		time.Sleep(100 * time.Millisecond) // which must have begun
		return []byte("key")
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for range 1000 { // each with a voice of its own
		end, err := enemy.Answer(t.Context(), "keys", func([]byte) []byte { return []byte("noise") })
		if err != nil {
			t.Fatal(err)
		}
		defer end()
	}
	heard, found := 0, false
	if err := asks.AskAll(t.Context(), "keys", []byte("?"), func(answer []byte) bool {
		heard++
		found = bytes.Equal(answer, []byte("key"))
		return found
	}); err != nil || !found || heard < 100 {
		t.Errorf("%d answers, and the one is heard: %v (%v)", heard, found, err)
	}
}
