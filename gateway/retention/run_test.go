package retention

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRunWaits: a gateway removes nothing in the first hour after its start, nor from a state
// directory that may not be the latest.
func TestRunWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		untrusted := Gateway{Trusted: func() bool { asked.Add(1); return false }}
		r := New(nil, nil, untrusted, Settle, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx, Every) }()
		time.Sleep(Settle)
		if asked.Load() != 0 {
			t.Error("it looks before the clock can be put right")
		}
		time.Sleep(2 * Every) // without a ledger or a store, to which it would not survive to go
		cancel()
		if err := <-done; err != nil || asked.Load() == 0 {
			t.Errorf("it has looked %d times, %v", asked.Load(), err)
		}
	})
}
