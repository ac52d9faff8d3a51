package overview_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/cluster/duty"
	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/logs"
	"sluice/gateway/cluster/overview"
	"sluice/gateway/cluster/parts"
	"sluice/test/harness"
	"sluice/test/members"
	"sluice/test/nats"
)

// TestCity: who is there, who owns what, what waits and for whom is seen without a key; with one server away as well,
// and with two away that nothing can be known.
func TestCity(t *testing.T) {
	s := nats.Start(t)
	city := members.Found(t, s, "front-1: front", "count-1: worker", "count-2: worker", "hall: releaser")
	r, _, err := city.Config("hall").Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data,
		Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	see := func() overview.City { return overview.Of(t.Context(), conn, r, 4) }
	if c := see(); !c.Majority || len(c.Members) != 4 || len(c.Partitions) != 4 || c.Releaser != "" {
		t.Errorf("before anything is there: %+v", c)
	}

	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	live(ctx, t, conn, &running)
	fill(t, conn)
	var c overview.City
	harness.Await(t, time.Minute, "all to be there", func() bool {
		c = see()
		return c.Majority && c.Releaser == "hall" && c.Members[0].There && len(c.Members[1].Owns) > 0 &&
			len(c.Members[1].Owns)+len(c.Members[2].Owns) == 4
	})
	if p := c.Partitions[2]; p.Batches != 2 || p.Behind < 0.001 || p.Owner == "" {
		t.Errorf("a partition that nobody has counted of: %+v", p)
	}
	if p := c.Partitions[1]; p.Batches != 1 || p.Behind != 0 || p.Parts != 1 {
		t.Errorf("a partition that is through: %+v", p)
	}
	if !slices.Equal(c.Missing, []int{2, 3}) {
		t.Errorf("windows wait for %v, want 2 and 3", c.Missing)
	}
	s.Nodes[1].Kill()
	harness.Await(t, time.Minute, "a city with one server away", func() bool { return see().Majority })
	s.Nodes[2].Kill()
	harness.Await(t, time.Minute, "two servers away", func() bool {
		c = see()
		return !c.Majority && strings.Contains(c.Problem, "no majority of the servers answers")
	})
}

// live has a front, two workers and a releaser there until ctx ends.
func live(ctx context.Context, t *testing.T, conn *engine.Conn, running *sync.WaitGroup) {
	t.Helper()
	bucket, err := conn.Bucket(ctx, duty.Bucket, 15*time.Second, 3)
	if err != nil {
		t.Fatal(err)
	}
	of := func(name string) *duty.Member { return duty.New(bucket, name, slog.New(slog.DiscardHandler)) }
	running.Go(func() { of("front-1").Here(ctx) })
	for _, name := range []string{"count-1", "count-2"} {
		running.Go(func() {
			of(name).Share(ctx, 4, func(ctx context.Context, _ int) error { <-ctx.Done(); return nil })
		})
	}
	running.Go(func() {
		of("hall").Alone(ctx, "releaser", func(ctx context.Context) error { <-ctx.Done(); return nil })
	})
}

// fill writes what fronts and owners would: partition 1 is through, 2 has two batches of which nobody has counted one,
// and 0 and 1 have said what they have of a window.
func fill(t *testing.T, conn *engine.Conn) {
	t.Helper()
	open := func(spec engine.Spec) *engine.Log {
		log, err := conn.Open(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return log
	}
	in, state, part := open(logs.InSpec(3)), open(logs.StateSpec(3)), open(parts.Spec(3))
	for _, one := range []struct {
		log     *engine.Log
		subject string
		after   uint64
	}{
		{in, "in.20784.1", 0}, {state, "state.1", 0}, {state, "state.2", 0}, {in, "in.20784.2", 0},
		{in, "in.20785.2", 0}, {part, "part.20784.0.aa", 0}, {part, "part.20784.1.bb", 0},
	} {
		if _, err := one.log.Append(t.Context(), one.subject, one.after, one.subject, []byte("sealed")); err != nil {
			t.Fatal(err)
		}
	}
}
