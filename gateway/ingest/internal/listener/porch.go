package listener

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Bounds of those who have not said who they are. One costs some 5 KiB, or 25 within
// a TLS handshake; so all together cost 25 MiB at most.
const (
	strangers      = 1024
	strangersOfOne = 512 // from one address: a city's sensors may be behind one
	// How long one may keep us waiting, when others need room: a word costs a sensor
	// nothing, a handshake its slow processor and network.
	silentPatient = 500 * time.Millisecond
	talkerPatient = 3 * time.Second
)

// porch is where connections are until it is known whose they are. When it is full,
// who has kept us waiting longest has to go, if that was longer than one may: so a crowd that says nothing makes room, while sensors that all come back at once,
// and whose handshakes take us long, are let through one after the other. Until
// somebody goes, the next are left in the kernel's queue and not refused: they would
// only come again.
type porch struct {
	mu    sync.Mutex
	all   map[*peer]bool
	of    map[netip.Prefix]int
	left  chan struct{} // somebody went
	tally *tally
}

func newPorch(t *tally) *porch {
	return &porch{all: make(map[*peer]bool), of: make(map[netip.Prefix]int), left: make(chan struct{}, 1), tally: t}
}

// enter waits for room; false when ctx ended first.
func (p *porch) enter(ctx context.Context, one *peer) bool {
	for {
		wait := p.try(one)
		if wait == 0 {
			if ctx.Err() != nil { // after clear, perhaps
				p.leave(one)
				return false
			}
			return true
		}
		t := time.NewTimer(wait)
		select {
		case <-p.left:
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return false
		}
		t.Stop()
	}
}

// try lets one in, or says how long to wait before the next try.
func (p *porch) try(one *peer) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	crowded := p.of[one.from] >= strangersOfOne
	if crowded || len(p.all) >= strangers {
		var worst *peer
		over := -talkerPatient
		for other := range p.all {
			if t := other.overdue(); (!crowded || other.from == one.from) && t >= over {
				worst, over = other, t
			}
		}
		if over < 0 {
			return -over
		}
		p.forget(worst)
		_ = worst.Close() // its reader sees that
		p.tally.add(crowdedOut)
	}
	p.all[one] = true
	p.of[one.from]++
	return 0
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
	if p.of[one.from]--; p.of[one.from] == 0 {
		delete(p.of, one.from)
	}
	select {
	case p.left <- struct{}{}:
	default:
	}
}

// clear sends everybody away.
func (p *porch) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one := range p.all {
		_ = one.Close()
	}
}
