package httpcache

import (
	"context"
	"sync"
	"time"

	"sluice/door"
)

// seats bounds the long answers at a time. If all seats are taken, the answer that has
// waited longest for its client to read is evicted. No client may have all seats: one that
// reads in time, and asks again and again, would keep everybody else waiting.
type seats struct {
	hash door.Hash
	per  int // a client may have; 0 where addresses do not tell clients apart

	mu    sync.Mutex
	taken map[*seat]bool // guarded by mu
	free  chan struct{}  // closed and made anew when one leaves; guarded by mu
}

type seat struct {
	of  uint64 // the client's address, hashed
	end func() // ends what waits for the client

	mu      sync.Mutex
	writing time.Time // since when a part waits for its client; zero for none; guarded by mu
	gone    bool      // it was given to somebody else; guarded by mu
}

func newSeats() *seats {
	return &seats{hash: door.NewHash(), taken: make(map[*seat]bool), free: make(chan struct{})}
}

// take waits for a seat, for patience at most; nil if there is none.
func (s *seats) take(ctx context.Context, address string, end func()) *seat {
	of := s.hash.Of(address)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		s.mu.Lock()
		switch {
		case s.full(of):
			s.evict(time.Now(), func(x *seat) bool { return x.of == of })
		case len(s.taken) >= maxLong:
			s.evict(time.Now(), func(*seat) bool { return true })
		}
		if len(s.taken) < maxLong && !s.full(of) {
			x := &seat{of: of, end: end}
			s.taken[x] = true
			s.mu.Unlock()
			return x
		}
		free := s.free
		s.mu.Unlock()
		poll := time.NewTimer(50 * time.Millisecond) // who begins to wait for a client does not say so
		select {
		case <-free:
		case <-poll.C:
		case <-ctx.Done():
			poll.Stop()
			return nil
		}
		poll.Stop()
	}
}

// full reports whether a client has as many seats as it may. The caller holds mu.
func (s *seats) full(of uint64) bool {
	n := 0
	for x := range s.taken {
		if x.of == of {
			n++
		}
	}
	return s.per > 0 && n >= s.per
}

// evict takes the seat, of those that may be taken, whose client has kept a part waiting
// for longest; none if all clients read. The caller holds mu.
func (s *seats) evict(now time.Time, from func(*seat) bool) {
	var out *seat
	var longest time.Duration
	for x := range s.taken {
		if waited := x.waited(now); waited >= slow && waited > longest && from(x) {
			out, longest = x, waited
		}
	}
	if out != nil {
		delete(s.taken, out)
		out.lose()
	}
}

// leave gives a seat back.
func (s *seats) leave(x *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.taken, x)
	close(s.free)
	s.free = make(chan struct{})
}

func (x *seat) since(t time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.writing = t
}

func (x *seat) waited(now time.Time) time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.writing.IsZero() {
		return 0
	}
	return now.Sub(x.writing)
}

func (x *seat) lose() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.gone = true
	x.end()
}

func (x *seat) lost() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.gone
}
