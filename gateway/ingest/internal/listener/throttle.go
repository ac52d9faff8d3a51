package listener

import (
	"container/list"
	"context"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What a wrong password costs.
const (
	guessWait     = time.Second
	guessLongWait = 5 * time.Second // where a name or an address has been wrong often
	guessOften    = 10              // times at once, and once a second
	maxThrottled  = 1024
	guessTable    = 1024
)

// throttle delays the answer to a wrong password. The right one is never delayed, not even
// while others guess at the same name or from the same address: otherwise a stranger could
// shut a sensor out by guessing badly. So every password is checked, and a guess costs the
// guesser time and a connection.
type throttle struct {
	times times
	mu    sync.Mutex
	held  list.List // of chan struct{}; the oldest first

	// Two fixed tables, by a keyed hash. Those who share a place wait longer when they
	// are wrong, which harms nobody.
	seed             maphash.Seed
	names, addresses [guessTable]*rate.Limiter
}

func newThrottle(t times) *throttle {
	b := &throttle{times: t, seed: maphash.MakeSeed()}
	for i := range guessTable {
		b.names[i], b.addresses[i] = rate.NewLimiter(1, guessOften), rate.NewLimiter(1, guessOften)
	}
	return b
}

// wait returns when a wrong answer may be given. When too many wait, who has
// waited longest is let go.
func (b *throttle) wait(ctx context.Context, name []byte, from netip.Prefix) {
	wait := b.delay(name, from)
	released := make(chan struct{})
	b.mu.Lock()
	if b.held.Len() >= maxThrottled {
		close(b.held.Remove(b.held.Front()).(chan struct{}))
	}
	at := b.held.PushBack(released)
	b.mu.Unlock()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-released:
		return
	case <-t.C:
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held.Remove(at) // or it was, meanwhile
}

func (b *throttle) delay(name []byte, from netip.Prefix) time.Duration {
	addr := from.Addr().As16()
	n := b.names[maphash.Bytes(b.seed, name)%guessTable].Allow()
	a := b.addresses[maphash.Bytes(b.seed, addr[:])%guessTable].Allow()
	if n && a {
		return b.times.guess
	}
	return b.times.longGuess
}
