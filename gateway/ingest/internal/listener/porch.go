package listener

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of those who have not said who they are. One costs some 5 KiB, or 25 within
// a TLS handshake; so all together cost 25 MiB at most. Who waits before the porch
// costs a file.
const (
	strangers      = 1024
	strangersOfOne = 512  // from one address: a city's sensors may be behind one
	queuers        = 1024 // before the porch
	// How long one may keep us waiting, when others need room: a word costs a sensor
	// nothing, a handshake its slow processor and network.
	silentPatient = 500 * time.Millisecond
	talkerPatient = 3 * time.Second
	lookAgain     = 50 * time.Millisecond // whether somebody has by now, while others queue
)

// porch is where connections are until it is known whose they are. When it is full,
// who has kept us waiting longest has to go, if that was longer than one may: so a
// crowd that says nothing makes room, while sensors that all come back at once, and
// whose handshakes take us long, are let through one after the other. Until somebody
// goes, the next queue and are not refused: they would only come again.
//
// One address that has all its places keeps nobody else waiting; and when the porch is
// full, an address that has more places than another gives it one at once.
type porch struct {
	mu     sync.Mutex
	all    map[*peer]bool
	of     map[netip.Prefix]int
	queue  []*peer // in the order of their coming
	queued map[netip.Prefix]int
	closed bool
	stir   chan struct{} // somebody went, or queues
	tally  *tally
}

func newPorch(t *tally) *porch {
	return &porch{
		all: make(map[*peer]bool), of: make(map[netip.Prefix]int), queued: make(map[netip.Prefix]int),
		stir: make(chan struct{}, 1), tally: t,
	}
}

// enter reports whether there is room for one at once. Otherwise it queues, and usher
// brings it in, or it is closed. It never waits.
func (p *porch) enter(one *peer) bool {
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
	if len(p.queue) >= queuers && !p.shorten(one.from) {
		p.crowdOut(one)
		return false
	}
	p.queue = append(p.queue, one)
	p.queued[one.from]++
	p.wake()
	return false
}

// usher brings in those who queue, until ctx ends.
func (p *porch) usher(ctx context.Context, begin func(*peer)) {
	for {
		var again <-chan time.Time
		if p.waiting() {
			again = time.After(lookAgain)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.stir:
		case <-again:
		}
		for one := p.next(); one != nil; one = p.next() {
			begin(one)
		}
	}
}

func (p *porch) waiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue) > 0
}

// next takes in the first in the queue for whom there is room.
func (p *porch) next() *peer {
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
func (p *porch) room(from netip.Prefix) bool {
	crowded := p.of[from] >= strangersOfOne
	if !crowded && len(p.all) < strangers {
		return true
	}
	among, fair := from, crowded // whether only those of an address have to go
	over := time.Duration(0)
	if !crowded {
		if most, n := largest(p.of); n > p.of[from]+1 {
			among, fair, over = most, true, -talkerPatient // patience or not
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
	p.crowdOut(worst)
	return true
}

// shorten sends the last in the queue away of the address that has most there, if that
// has more than another one.
func (p *porch) shorten(from netip.Prefix) bool {
	most, n := largest(p.queued)
	if n <= p.queued[from]+1 {
		return false
	}
	for i, one := range slices.Backward(p.queue) {
		if one.from == most {
			p.dequeue(i)
			p.crowdOut(one)
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

func (p *porch) crowdOut(one *peer) {
	_ = one.Close() // its reader sees that
	p.tally.add(crowdedOut)
}

func (p *porch) add(one *peer) {
	p.all[one] = true
	p.of[one.from]++
}

func (p *porch) dequeue(i int) {
	fewer(p.queued, p.queue[i].from)
	p.queue = slices.Delete(p.queue, i, i+1)
}

func fewer(of map[netip.Prefix]int, from netip.Prefix) {
	if of[from]--; of[from] == 0 {
		delete(of, from)
	}
}

// leave is for who is known now, or gone.
func (p *porch) leave(one *peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(one)
}

func (p *porch) forget(one *peer) {
	if !p.all[one] {
		return
	}
	delete(p.all, one)
	fewer(p.of, one.from)
	p.wake()
}

func (p *porch) wake() {
	select {
	case p.stir <- struct{}{}:
	default:
	}
}

// clear sends everybody away, also who comes later.
func (p *porch) clear() {
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
