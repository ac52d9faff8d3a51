package intake

import "golang.org/x/sync/semaphore"

const (
	none = int32(-1)
	// Who sends a message larger than this sits out a turn for each time that it is.
	turnBytes = 64 << 10
)

var empty = chain{none, none}

// Share is what one sender may have waiting. It is safe for concurrent use.
type Share struct {
	room *semaphore.Weighted

	// Of its queue, under the queue's lock.
	waits      chain
	prev, next *Share // in the ring
	debt       int64  // turns to sit out
}

// NewShare makes an unused share.
func NewShare() *Share { return &Share{room: semaphore.NewWeighted(shareBytes), waits: empty} }

// push puts a message in a free place.
func (q *Queue) push(s *Share, at int32, m Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.came++
	q.places[at] = place{m: m, came: q.came, next: none}
	if m.Tick {
		q.append(&q.ticks, at)
		return
	}
	if q.append(&s.waits, at) {
		q.enter(s)
	}
}

// append reports whether the chain was empty.
func (q *Queue) append(c *chain, at int32) bool {
	was := c.first == none
	if was {
		c.first = at
	} else {
		q.places[c.last].next = at
	}
	c.last = at
	return was
}

// enter puts a sender into the ring, as the last of the round.
func (q *Queue) enter(s *Share) {
	if q.turn == nil {
		s.prev, s.next = s, s
		q.turn = s
		return
	}
	s.prev, s.next = q.turn.prev, q.turn
	s.prev.next, s.next.prev = s, s
}

// leave takes a sender out of the ring.
func (q *Queue) leave(s *Share) {
	if q.turn = s.next; q.turn == s {
		q.turn = nil
	}
	s.prev.next, s.next.prev = s.next, s.prev
	s.prev, s.next, s.debt = nil, nil, 0
}

// pop takes the next message out and says which place is free now, and whether there
// is more.
func (q *Queue) pop() (m Message, at int32, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	until := ^uint64(0)
	if q.ticks.first != none {
		until = q.places[q.ticks.first].came
	}
	if s := q.sender(until); s != nil {
		at = q.cut(&s.waits)
		s.debt = (q.places[at].m.weight() - 1) / turnBytes
		if q.turn = s.next; s.waits.first == none {
			next := q.turn
			if q.leave(s); q.turn != nil {
				q.turn = next
			}
		}
	} else if at = none; q.ticks.first != none {
		at = q.cut(&q.ticks)
	}
	if at == none {
		return Message{}, none, false
	}
	m = q.places[at].m
	q.places[at] = place{}
	return m, at, q.turn != nil || q.ticks.first != none
}

// cut takes the first of a chain off.
func (q *Queue) cut(c *chain) int32 {
	at := c.first
	if c.first = q.places[at].next; c.first == none {
		c.last = none
	}
	return at
}

// sender is whose turn it is, of those who have something that came before; nil for
// nobody.
func (q *Queue) sender(until uint64) *Share {
	if q.turn == nil {
		return nil
	}
	for {
		some := false
		s := q.turn
		for {
			if q.places[s.waits.first].came < until {
				if s.debt == 0 {
					return s
				}
				s.debt--
				some = true
			}
			if s = s.next; s == q.turn {
				break
			}
		}
		if !some {
			return nil
		}
	}
}
