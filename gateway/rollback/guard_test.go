package rollback

import (
	"errors"
	"testing"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
)

// TestSilentUntil: how long a recovery keeps a stream silent. What a clock far ahead has
// closed binds only the directory that it was closed in.
func TestSilentUntil(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, madrid)
	tomorrow, year := time.Date(2026, 3, 3, 0, 0, 0, 0, madrid), now.AddDate(1, 0, 0)
	for name, c := range map[string]struct {
		last         time.Time
		fresh, known bool
		want         time.Time
	}{
		"an older directory":                   {now.Add(-time.Hour), false, true, tomorrow},
		"one that was away":                    {now.AddDate(0, 0, -9), false, true, tomorrow},
		"one whose clock was ahead":            {year, false, true, time.Date(2027, 3, 3, 0, 0, 0, 0, madrid)},
		"a new one after that":                 {year, true, true, tomorrow},
		"a new one, and no policy":             {year, true, false, now.Add(25 * time.Hour)},
		"a new one, and a clock that is right": {now.Add(11 * time.Hour), true, true, tomorrow},
	} {
		g := &Guard{cfg: new(config.Config), fresh: c.fresh, policy: city{}}
		if c.known {
			g.policy = city{place: madrid}
		}
		if got := g.silentUntil(c.last, now); !got.Equal(c.want) {
			t.Errorf("%s: silent until %s; want %s", name, got.In(madrid), c.want)
		}
	}
}

// TestSilencesDoNotAddUp: a recovery that is made again, over the same directory or over
// an older one that was put back, keeps each stream silent until the day that the first
// one said, and not a day longer each time.
func TestSilencesDoNotAddUp(t *testing.T) {
	for name, simulation := range map[string]bool{"wall": false, "simulated": true} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			now := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
			midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
			g, _ := edge(t, 5)
			older, _ := edge(t, 2)
			for _, one := range []*Guard{g, older} {
				one.cfg.Simulation, one.policy = simulation, city{place: time.UTC}
			}
			older.head.keys = g.head.keys // what was put back finds the head of what was there
			for n, one := range []*Guard{g, g, older, older} {
				until, err := one.silences(ctx, now)
				if err != nil || len(until) != 1 || !until["s"].Equal(midnight) {
					t.Fatalf("recovery %d: silent until %v, %v; want %s", n+1, until, err, midnight)
				}
				if err := one.ledger.Recovery.Skip(ctx, until); err != nil {
					t.Fatal(err)
				}
				one.SaveHead(ctx)
			}
			// A release after it counts again.
			at := midnight.Add(3 * time.Hour)
			if err := g.ledger.Commit(ctx,
				release.Commit{Key: release.Key{Stream: "s", Start: at}, End: at.Add(time.Hour), Policy: "p",
					Plan: "q"}); err != nil {
				t.Fatal(err)
			}
			g.SaveHead(ctx)
			if until, err := g.silences(ctx, at.Add(2*time.Hour)); err != nil ||
				!until["s"].Equal(midnight.AddDate(0, 0, 1)) {
				t.Errorf("after a release: silent until %v, %v", until, err)
			}
		})
	}
}

// TestASimulationBegunAnew: the head of the one before it does not count against it, at
// its first start or at a later one before anything was released.
func TestASimulationBegunAnew(t *testing.T) {
	before, _ := edge(t, 3)
	before.SaveHead(t.Context())
	g, _ := edge(t, 0)
	g.head.keys, g.fresh, g.cfg.Simulation = before.head.keys, true, true
	if err := g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.fresh = false
	g.trusted.Store(false)
	if err := g.Check(t.Context()); err != nil {
		t.Errorf("at the second start: %v", err)
	}
	older, _ := edge(t, 1)
	older.head.keys, older.cfg.Simulation = g.head.keys, true
	before.SaveHead(t.Context())
	if err := older.Check(t.Context()); !errors.Is(err, ledger.ErrBehind) {
		t.Errorf("an older directory gives %v", err)
	}
}
