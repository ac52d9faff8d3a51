package ingest

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/release"
	"sluice/plan"
)

// TestOpenKnowsTheTime: a gateway by wall time has its time before its ways are open, and
// runs by the one that it believes.
func TestOpenKnowsTheTime(t *testing.T) {
	dir := inMemory(t)
	reg := still(t).cfg.Register
	var up, jump atomic.Int64
	cfg := Config{
		Dir: filepath.Join(dir, "checkpoint"), Keys: filepath.Join(dir, "keys"), Register: reg, Future: time.Minute,
		Feedback: time.Hour,
		Now:      func() time.Time { return noon.Add(time.Duration(up.Load() + jump.Load())) },
		Uptime:   func() time.Duration { return time.Duration(up.Load()) }, Log: slog.New(slog.DiscardHandler),
	}
	i, err := Open(cfg, []Version{{Digest: "v", Location: time.UTC, Streams: []*plan.Stream{footfall(t, 2)}}})
	if err != nil {
		t.Fatal(err)
	}
	if now := i.Report().Now; !now.Equal(noon) || i.windows.streams["footfall"].next.IsZero() {
		t.Errorf("when it is open it is %s there, and the stream begins at %s", now, i.windows.streams["footfall"].next)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx, make(chan release.Batch), make(chan release.Key)) }()
	wait := func(what string, ok func() bool) {
		t.Helper()
		for begun := time.Now(); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Since(begun) > 20*time.Second {
				t.Fatal("waited 20 s for ", what)
			}
		}
	}
	up.Store(int64(time.Minute))
	wait("time to go on", func() bool { return !i.Report().Now.Before(noon.Add(time.Minute)) })
	jump.Store(int64(365 * 24 * time.Hour))
	wait("the jump to be said", func() bool { return strings.Contains(i.Clock(), "jumped ahead") })
	up.Store(int64(2 * time.Minute))
	wait("time to go on in doubt", func() bool { return !i.Report().Now.Before(noon.Add(2 * time.Minute)) })
	if now := i.Report().Now; now.After(noon.Add(time.Hour)) {
		t.Errorf("a jump is believed: it is %s", now)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestAPolicyWaitsForTheFirstTick: while windows are open and nobody knows the time, a
// policy is not taken; it would be in force from the end of the last of them.
func TestAPolicyWaitsForTheFirstTick(t *testing.T) {
	i := unborn(t, noon.AddDate(9, 0, 0))
	i.cfg.Feedback = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.run(ctx, wall{}) }()
	soon, stop := context.WithTimeout(ctx, 200*time.Millisecond)
	defer stop()
	next := i.routing.versions[0]
	if err := i.Enact(soon, next, func(time.Time) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before the first tick a policy is taken: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
