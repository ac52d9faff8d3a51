package listener

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of unauthenticated connections. One costs some 5 KiB, or 25 within a TLS handshake;
// so all together cost 25 MiB at most. One that queues costs a file.
const (
	maxPreAuth          = 1024
	maxPreAuthOfAddress = 512  // from one address: a city's sensors may be behind one
	maxQueued           = 1024 // for a place
	// How long one may keep us waiting when others need room. To send a byte costs a sensor
	// nothing; a handshake takes time on a slow processor and network.
	silentPatience = 500 * time.Millisecond
	talkerPatience = 3 * time.Second
	pollQueued     = 50 * time.Millisecond // how often the queue looks whether somebody has
)

// preAuth holds the connections that are not authenticated yet. When it is full, the one that
// has kept us waiting longest is evicted, if that was longer than it may: so a crowd that
// sends nothing makes room, while sensors that all come back at once, and whose handshakes
// take long, get through one after the other. Until there is a place the next ones queue.
// They are not refused, since they would only come again.
//
// An address that has used up its places keeps no other waiting; and when no place is left,
// an address that has more than another gives it one at once.
type preAuth struct {
	mu      sync.Mutex
	all     map[*peer]bool
	of      map[netip.Prefix]int
	queue   []*peer // in the order of their coming
	queued  map[netip.Prefix]int
	closed  bool
	changed chan struct{} // signalled when one leaves, or queues
	tally   *tally
}

func newPreAuth(t *tally) *preAuth {
	return &preAuth{
		all: make(map[*peer]bool), of: make(map[netip.Prefix]int), queued: make(map[netip.Prefix]int),
		changed: make(chan struct{}, 1), tally: t,
	}
}

// enter reports whether there is room for one at once. Otherwise it queues, and admitQueued
// brings it in, or it is closed. It never waits.
func (p *preAuth) enter(one *peer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		_ = one.Close()
		return false
	case p.queued[one.from] == 0 && p.room(one.from):
		p.add(one)
		return true
	}
	if len(p.queue) >= maxQueued && !p.evictQueued(one.from) {
		p.evict(one)
		return false
	}
	p.queue = append(p.queue, one)
	p.queued[one.from]++
	p.signal()
	return false
}

// admitQueued brings in those who queue, until ctx ends.
func (p *preAuth) admitQueued(ctx context.Context, begin func(*peer)) {
	for {
		var again <-chan time.Time
		if p.waiting() {
			again = time.After(pollQueued)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		case <-again:
		}
		for one := p.next(); one != nil; one = p.next() {
			begin(one)
		}
	}
}

func (p *preAuth) waiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue) > 0
}

// next takes in the first in the queue for whom there is room.
func (p *preAuth) next() *peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var no map[netip.Prefix]bool // those for whom there is none
	for i, one := range p.queue {
		if no[one.from] {
			continue
		}
		if p.room(one.from) {
			p.dequeue(i)
			p.add(one)
			return one
		}
		if no == nil {
			no = make(map[netip.Prefix]bool)
		}
		no[one.from] = true
	}
	return nil
}

// room reports whether there is room for one more of an address, after somebody had to
// go perhaps.
func (p *preAuth) room(from netip.Prefix) bool {
	crowded := p.of[from] >= maxPreAuthOfAddress
	if !crowded && len(p.all) < maxPreAuth {
		return true
	}
	among, fair := from, crowded // whether only those of an address have to go
	over := time.Duration(0)
	if !crowded {
		if most, n := largest(p.of); n > p.of[from]+1 {
			among, fair, over = most, true, -talkerPatience // patience or not
		}
	}
	var worst *peer
	for other := range p.all {
		if fair && other.from != among {
			continue
		}
		if t := other.overdue(); t >= over {
			worst, over = other, t
		}
	}
	if worst == nil {
		return false
	}
	p.forget(worst)
	p.evict(worst)
	return true
}

// evictQueued sends the last in the queue away of the address that has most there, if that
// has more than another one.
func (p *preAuth) evictQueued(from netip.Prefix) bool {
	most, n := largest(p.queued)
	if n <= p.queued[from]+1 {
		return false
	}
	for i, one := range slices.Backward(p.queue) {
		if one.from == most {
			p.dequeue(i)
			p.evict(one)
			return true
		}
	}
	return false
}

func largest(of map[netip.Prefix]int) (most netip.Prefix, n int) {
	for from, k := range of {
		if k > n {
			most, n = from, k
		}
	}
	return most, n
}

func (p *preAuth) evict(one *peer) {
	_ = one.Close() // its reader sees that
	p.tally.add(crowdedOut)
}

func (p *preAuth) add(one *peer) {
	p.all[one] = true
	p.of[one.from]++
}

func (p *preAuth) dequeue(i int) {
	fewer(p.queued, p.queue[i].from)
	p.queue = slices.Delete(p.queue, i, i+1)
}

func fewer(of map[netip.Prefix]int, from netip.Prefix) {
	if of[from]--; of[from] == 0 {
		delete(of, from)
	}
}

// leave is for who is known now, or gone.
func (p *preAuth) leave(one *peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(one)
}

func (p *preAuth) forget(one *peer) {
	if !p.all[one] {
		return
	}
	delete(p.all, one)
	fewer(p.of, one.from)
	p.signal()
}

func (p *preAuth) signal() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// clear sends everybody away, also who comes later.
func (p *preAuth) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for one := range p.all {
		_ = one.Close()
	}
	for _, one := range p.queue {
		_ = one.Close()
	}
	p.queue = nil
	clear(p.queued)
}
