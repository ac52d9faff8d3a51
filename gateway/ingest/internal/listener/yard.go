package listener

import (
	"context"
	"sync"
	"time"
)

// Bounds of large packets that have not come whole.
const (
	yardBytes   = 32 << 20
	yardPatient = 2 * time.Second
	yardLook    = 250 * time.Millisecond
)

// yard is the budget for packets that are larger than a small one while they come in:
// one of each source at a time, and so many bytes in all. Whoever finds no room is
// read no further, so that nothing is allocated for it. While somebody waits, the
// oldest packet that is still unfinished after two seconds is cut off: without that,
// a few that never end would keep all others out.
type yard struct {
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

func newYard() *yard {
	return &yard{holds: make(map[*conn]*load), of: make(map[*source]bool), changed: make(chan struct{})}
}

// enter waits for room for so many bytes, at most as long as a packet may take.
func (y *yard) enter(c *conn, bytes int) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.l.cfg.times.packet)
	defer cancel()
	look := time.NewTicker(yardLook)
	defer look.Stop()
	for {
		changed, slow := y.try(c, bytes)
		if changed == nil {
			if c.ended() { // meanwhile
				y.leave(c)
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
func (y *yard) try(c *conn, bytes int) (<-chan struct{}, *conn) {
	y.mu.Lock()
	defer y.mu.Unlock()
	own := y.of[c.source]
	if !own && y.used+bytes <= yardBytes {
		y.used += bytes
		y.holds[c] = &load{bytes: bytes, since: time.Now()}
		y.of[c.source] = true
		return nil, nil
	}
	var slow *conn
	oldest := time.Now().Add(-c.l.cfg.times.yard)
	for other, held := range y.holds {
		if !held.finished && held.since.Before(oldest) && (!own || other.source == c.source) {
			slow, oldest = other, held.since
		}
	}
	return y.changed, slow
}

// finished says that a packet has come whole; what it waits for now is our affair.
func (y *yard) finished(c *conn) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if held := y.holds[c]; held != nil {
		held.finished = true
	}
}

// leave gives the room back.
func (y *yard) leave(c *conn) {
	y.mu.Lock()
	defer y.mu.Unlock()
	held := y.holds[c]
	if held == nil {
		return
	}
	y.used -= held.bytes
	if !held.finished {
		c.l.tally.litter(held.bytes)
	}
	delete(y.holds, c)
	delete(y.of, c.source)
	close(y.changed)
	y.changed = make(chan struct{})
}
