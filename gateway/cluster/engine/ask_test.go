package engine_test

import (
	"bytes"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/test/nats"
)

// TestCrowdedOut: who answers once is heard, however often another one does.
func TestCrowdedOut(t *testing.T) {
	s := nats.Start(t)
	asks, honest, enemy := dial(t, s), dial(t, s), dial(t, s)
	flood, begun := make(chan bool), make(chan bool)
	stop, err := enemy.Answer(t.Context(), "keys", func([]byte) []byte { <-flood; return []byte("noise") })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	stop, err = honest.Answer(t.Context(), "keys", func([]byte) []byte {
		close(flood) // it answers first, and again and again
		select {
		case <-begun:
		case <-time.After(time.Minute):
		}
		return []byte("key")
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	reachable(t, asks, honest)
	for range 1000 { // each with a voice of its own
		end, err := enemy.Answer(t.Context(), "keys", func([]byte) []byte { return []byte("noise") })
		if err != nil {
			t.Fatal(err)
		}
		defer end()
	}
	heard, found := 0, false
	if err := asks.AskAll(t.Context(), "keys", []byte("?"), func(answer []byte) bool {
		if heard++; heard == 100 {
			close(begun)
		}
		found = bytes.Equal(answer, []byte("key"))
		return found
	}); err != nil || !found || heard < 100 {
		t.Errorf("%d answers, and the one is heard: %v (%v)", heard, found, err)
	}
}

// reachable waits until what one answers is asked of the other's server: servers tell each other in
// the order in which it was said.
func reachable(t *testing.T, asks, answers *engine.Conn) {
	t.Helper()
	stop, err := answers.Answer(t.Context(), "there", func([]byte) []byte { return []byte("yes") })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		_, err := asks.Ask(t.Context(), "there", nil)
		if err == nil {
			return
		}
		if time.Since(begun) > time.Minute {
			t.Fatal(err)
		}
	}
}
