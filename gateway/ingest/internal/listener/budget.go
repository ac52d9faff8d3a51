package listener

import (
	"context"
	"sync"
	"time"
)

// Bounds of large packets that have not come whole.
const (
	budgetBytes = 32 << 20
	slowAfter   = 2 * time.Second
	pollSlow    = 250 * time.Millisecond
)

// packetBudget bounds the large packets that are coming in: one of each source at a time,
// and so many bytes in all. A connection that finds no room is read no further, so that
// nothing is allocated for it. While one waits, the oldest packet that is unfinished after
// two seconds is cut off: without that, a few that never end would keep all others out.
type packetBudget struct {
	mu      sync.Mutex
	used    int
	holds   map[*conn]*load
	of      map[*source]bool
	changed chan struct{} // closed when there may be room
}

type load struct {
	bytes    int
	since    time.Time
	finished bool
}

func newPacketBudget() *packetBudget {
	return &packetBudget{holds: make(map[*conn]*load), of: make(map[*source]bool), changed: make(chan struct{})}
}

// enter waits for room for so many bytes, at most as long as a packet may take.
func (b *packetBudget) enter(c *conn, bytes int) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.l.cfg.times.packet)
	defer cancel()
	look := time.NewTicker(pollSlow)
	defer look.Stop()
	for {
		changed, slow := b.try(c, bytes)
		if changed == nil {
			if c.ended() { // meanwhile
				b.leave(c)
				return errCut
			}
			return nil
		}
		if slow != nil {
			slow.cut(slowPacket)
		}
		select {
		case <-changed:
		case <-look.C:
		case <-ctx.Done():
			c.cut(slowPacket)
		}
		if c.ended() {
			return errCut
		}
	}
}

// try takes the room and returns nil, or returns what to wait for and whom to cut off.
func (b *packetBudget) try(c *conn, bytes int) (<-chan struct{}, *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own := b.of[c.source]
	if !own && b.used+bytes <= budgetBytes {
		b.used += bytes
		b.holds[c] = &load{bytes: bytes, since: time.Now()}
		b.of[c.source] = true
		return nil, nil
	}
	var slow *conn
	oldest := time.Now().Add(-c.l.cfg.times.slow)
	for other, held := range b.holds {
		if !held.finished && held.since.Before(oldest) && (!own || other.source == c.source) {
			slow, oldest = other, held.since
		}
	}
	return b.changed, slow
}

// finished says that a packet has come whole; what it waits for now is our affair.
func (b *packetBudget) finished(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if held := b.holds[c]; held != nil {
		held.finished = true
	}
}

// leave gives the room back.
func (b *packetBudget) leave(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := b.holds[c]
	if held == nil {
		return
	}
	b.used -= held.bytes
	if !held.finished {
		c.l.tally.addGarbage(held.bytes)
	}
	delete(b.holds, c)
	delete(b.of, c.source)
	close(b.changed)
	b.changed = make(chan struct{})
}
