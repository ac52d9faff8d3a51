package duty_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/gateway/cluster/duty"
	"sluice/gateway/cluster/engine"
	"sluice/test/harness"
	"sluice/test/nats"
)

const (
	ttl        = 2 * time.Second
	partitions = 8
)

// board is who does what at the moment.
type board struct {
	mu    sync.Mutex
	doing map[int][]string // by partition; -1: alone
	began map[string]int
}

func (b *board) begin(p int, who string) (end func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doing[p] = append(b.doing[p], who)
	b.began[who]++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		i := slices.Index(b.doing[p], who)
		b.doing[p] = slices.Delete(b.doing[p], i, i+1)
	}
}

// shared reports whether each partition is done by just one of these, and each of them has one.
func (b *board) shared(by ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	has := map[string]bool{}
	for p := range partitions {
		if len(b.doing[p]) != 1 || !slices.Contains(by, b.doing[p][0]) {
			return false
		}
		has[b.doing[p][0]] = true
	}
	return len(has) == len(by)
}

func (b *board) alone() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.doing[-1])
}

// member is one process.
type member struct {
	*duty.Member
	conn *engine.Conn
	stop func()
}

func (b *board) join(t *testing.T, s *nats.Servers, name string) *member {
	t.Helper()
	return b.joinFor(t, s, name, ttl)
}

// joinFor is join with leases that live for so long.
func (b *board) joinFor(t *testing.T, s *nats.Servers, name string, ttl time.Duration) *member {
	t.Helper()
	conn, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data, Name: name,
		Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := conn.Bucket(t.Context(), "leases", ttl, 3)
	if err != nil {
		t.Fatal(err)
	}
	m := &member{Member: duty.New(bucket, name, slog.New(slog.DiscardHandler)), conn: conn}
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	until := func(ctx context.Context, p int) error {
		defer b.begin(p, name)()
		if p == 0 && m.first() {
			return errors.New("it ends by itself")
		}
		<-ctx.Done()
		return nil
	}
	both.Go(func() { m.Share(ctx, partitions, until) })
	both.Go(func() { m.Alone(ctx, "releaser", func(ctx context.Context) error { return until(ctx, -1) }) })
	m.stop = func() {
		cancel()
		both.Wait()
		conn.Close()
	}
	t.Cleanup(m.stop)
	return m
}

var once sync.Map

func (m *member) first() bool {
	_, again := once.LoadOrStore(m, true)
	return !again
}

// TestDuty: partitions are shared by those who are there, one does what one does, and who goes or loses its connection
// is relieved; what ends by itself is begun again.
func TestDuty(t *testing.T) {
	s := nats.Start(t)
	b := &board{doing: map[int][]string{}, began: map[string]int{}}
	one := b.join(t, s, "one")
	harness.Await(t, time.Minute, "one to do all", func() bool { return b.shared("one") })
	two := b.join(t, s, "two")
	three := b.join(t, s, "three")
	harness.Await(t, time.Minute, "three to share", func() bool { return b.shared("one", "two", "three") })
	harness.Await(t, time.Minute, "the one who does it alone", func() bool {
		return slices.Equal(b.alone(), []string{"one"})
	})
	harness.Await(t, time.Minute, "two to know what is whose", func() bool {
		n := 0
		for p := range partitions {
			for _, m := range []string{"one", "two", "three"} {
				if two.Owns(m, p) {
					n++
				}
			}
		}
		return n == partitions
	})
	one.stop() // it gives its leases back
	harness.Await(t, time.Minute, "two to be left", func() bool {
		return b.shared("two", "three") && len(b.alone()) == 1
	})
	three.conn.Close() // it is cut off for good, and knows it
	harness.Await(t, time.Minute, "one to be left", func() bool {
		return b.shared("two") && slices.Equal(b.alone(), []string{"two"})
	})
	three.stop()
	four := b.join(t, s, "one") // it comes back by its name
	harness.Await(t, time.Minute, "two to share again", func() bool { return b.shared("one", "two") })
	four.stop()
	two.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for p, who := range b.doing {
		if len(who) > 0 {
			t.Errorf("%d is still done by %v", p, who)
		}
	}
}

// TestAtOnce: who starts again under a dead one's name does not wait until its leases expire, and nobody waits for
// those of one that has stopped.
func TestAtOnce(t *testing.T) {
	s := nats.Start(t)
	b := &board{doing: map[int][]string{}, began: map[string]int{}}
	const ttl = 40 * time.Second
	one := b.joinFor(t, s, "one", ttl)
	harness.Await(t, time.Minute, "one to do all", func() bool { return b.shared("one") && len(b.alone()) == 1 })
	b.joinFor(t, s, "two", ttl)
	harness.Await(t, time.Minute, "two to share", func() bool { return b.shared("one", "two") })
	one.conn.Close() // so that it gives nothing back, as if it were killed
	one.stop()
	at := time.Now()
	again := b.joinFor(t, s, "one", ttl)
	harness.Await(t, time.Minute, "one to be back", func() bool {
		return b.shared("one", "two") && slices.Equal(b.alone(), []string{"one"})
	})
	if took := time.Since(at); took > ttl/2 {
		t.Errorf("who starts again has its duties after %s, and leases live for %s", took, ttl)
	}
	again.stop()
	at = time.Now()
	harness.Await(t, time.Minute, "two to be left", func() bool {
		return b.shared("two") && slices.Equal(b.alone(), []string{"two"})
	})
	if took := time.Since(at); took > ttl/2 {
		t.Errorf("what somebody did who has stopped is begun after %s, and leases live for %s", took, ttl)
	}
}

// TestServersAway: while no majority answers nobody goes on for longer than its lease lives; all go on when they are
// back.
func TestServersAway(t *testing.T) {
	s := nats.Start(t)
	b := &board{doing: map[int][]string{}, began: map[string]int{}}
	b.join(t, s, "one")
	harness.Await(t, time.Minute, "one to do all", func() bool { return b.shared("one") })
	for _, n := range s.Nodes {
		n.Freeze(true)
	}
	at := time.Now()
	harness.Await(t, time.Minute, "nobody to do anything", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, who := range b.doing {
			if len(who) > 0 {
				return false
			}
		}
		return true
	})
	if took := time.Since(at); took > harness.Longer(ttl+ttl/2) {
		t.Errorf("it ends after %s, and a lease lives for %s", took, ttl)
	}
	for _, n := range s.Nodes {
		n.Freeze(false)
	}
	harness.Await(t, time.Minute, "one to do all again", func() bool {
		return b.shared("one") && slices.Equal(b.alone(), []string{"one"})
	})
}
