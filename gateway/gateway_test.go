package gateway

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/gateway/config"
)

// TestAwait: what those who speak come to is kept; who never ends is left.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gateway{log: slog.New(slog.DiscardHandler)}
		wrong := errors.New("wrong")
		var some, never errgroup.Group
		some.Go(func() error { time.Sleep(stopTimeout); return wrong })
		if err := g.await(&some); !errors.Is(err, wrong) {
			t.Errorf("an error comes back as %v", err)
		}
		end := make(chan struct{})
		never.Go(func() error { <-end; return nil })
		begun := time.Now()
		if err := g.await(&never); err != nil || time.Since(begun) > 2500*time.Millisecond {
			t.Errorf("it waited %s, %v", time.Since(begun), err)
		}
		close(end)
	})
}

// TestSettle: only where time is made up nothing is waited for before numbers are removed.
func TestSettle(t *testing.T) {
	if got := settle(&config.Config{}); got < time.Hour {
		t.Errorf("a gateway removes after %s; a machine's clock needs longer to be put right", got)
	}
	if got := settle(&config.Config{Simulation: true}); got != 0 {
		t.Errorf("a simulation waits %s", got)
	}
}
