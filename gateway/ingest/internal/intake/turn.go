package intake

import (
	"container/heap"
	"hash/maphash"
	"math/bits"
	"strings"

	"golang.org/x/sync/semaphore"
)

// none is no place, kept one that is not free yet.
const (
	none = int32(-1)
	kept = int32(-2)
)

var empty = chain{none, none}

// Share is what one sender may have waiting. It is safe for concurrent use.
//
// Turns are start-time fair (Goyal, Vin and Cheng, "Start-time Fair Queueing", 1996):
// each sender has a time of its own, which its messages move on by their weight, and
// whose is earliest is taken from. Who had nothing waiting begins at the time of what
// is being taken, so that it neither waits for those who sent much before it, nor is
// paid for having been silent. A message of ten thousand readings weighs as much as a
// thousand small ones: who sends it waits for itself.
type Share struct {
	room *semaphore.Weighted

	// Of its queue, under the queue's lock.
	waits chain
	came  uint64 // of the first that waits
	time  uint64 // its own, in weights
	at    int    // in turns
}

// NewShare makes an unused share.
func NewShare() *Share { return &Share{room: semaphore.NewWeighted(shareBytes), waits: empty} }

// turns are the shares with messages, a heap with who is next on top.
type turns []*Share

func (t turns) Len() int { return len(t) }

func (t turns) Less(a, b int) bool {
	if t[a].time != t[b].time {
		return t[a].time < t[b].time
	}
	return t[a].came < t[b].came
}

func (t turns) Swap(a, b int) {
	t[a], t[b] = t[b], t[a]
	t[a].at, t[b].at = a, b
}

// Push implements heap.Interface.
func (t *turns) Push(s any) {
	share := s.(*Share)
	share.at = len(*t)
	*t = append(*t, share)
}

// Pop implements heap.Interface.
func (t *turns) Pop() any {
	last := len(*t) - 1
	s := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return s
}

// topics bounds the shares of those who come through one connection, a broker's.
const topics = 1024

// common are the shares of a broker's topics: each sensor's own, as a rule. They
// have turns only; how much of them waits is the broker's to bound.
type common struct {
	seed  maphash.Seed
	share [topics]*Share // nil until used
}

func (c *common) of(topic string) *Share {
	at := c.hash(topic) % topics
	if c.share[at] == nil {
		c.share[at] = NewShare()
	}
	return c.share[at]
}

// hash is of what keeps its order: a topic, or all topics of one edge node of Sparkplug, whose births
// say what its data are.
func (c *common) hash(topic string) uint64 {
	part := strings.SplitN(topic, "/", 5)
	if part[0] != "spBv1.0" || len(part) < 4 {
		return maphash.String(c.seed, topic)
	}
	return maphash.String(c.seed, part[1]) ^ bits.RotateLeft64(maphash.String(c.seed, part[3]), 1)
}

// barrier reports whether a message must keep its place among all others: a clock's
// tick, and what the gateway says to itself, by which it learns what has come.
func (q *Queue) barrier(m *Message) bool {
	return m.Tick || q.clock != "" && m.Topic == q.clock || m.Own && !strings.HasSuffix(m.Topic, "/feedback")
}

// push puts a message in a free place, for its sender; nil for its topic's.
func (q *Queue) push(s *Share, m Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.came++
	at := q.places.take()
	*q.places.at(at) = place{m: m, came: q.came, next: none}
	if q.barrier(&m) {
		q.append(&q.ticks, at)
		return
	}
	if s == nil {
		s = q.rest.of(m.Topic)
	}
	if q.append(&s.waits, at) {
		s.came, s.time = q.came, max(s.time, q.time)
		heap.Push(&q.turns, s)
	}
}

// append reports whether the chain was empty.
func (q *Queue) append(c *chain, at int32) bool {
	was := c.first == none
	if was {
		c.first = at
	} else {
		q.places.at(c.last).next = at
	}
	c.last = at
	return was
}

// pop takes the next message out and says which place is free now, and whether there
// is more.
func (q *Queue) pop() (m Message, at int32, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = q.next()
	switch s := q.taken; {
	case s != nil:
		q.time = s.time
		if first := &q.places.at(s.waits.first).m; first.Large() {
			q.parts.of, m = s, *first
			first.Begun = true
			return m, kept, true
		}
		at = q.leave(s)
	case q.ticks.first != none:
		at = q.cut(&q.ticks)
	default:
		return Message{}, none, false
	}
	m = q.places.at(at).m
	q.places.leave(at)
	return m, at, len(q.turns) > 0 || q.ticks.first != none
}

// cut takes the first of a chain off.
func (q *Queue) cut(c *chain) int32 {
	at := c.first
	if c.first = q.places.at(at).next; c.first == none {
		c.last = none
	}
	return at
}

// leave takes the first message off a sender's chain, whose next has its turn later by
// the message's weight.
func (q *Queue) leave(s *Share) int32 {
	at := q.cut(&s.waits)
	s.time += uint64(q.places.at(at).m.weight())
	if s.waits.first == none {
		heap.Remove(&q.turns, s.at)
	} else {
		s.came = q.places.at(s.waits.first).came
		heap.Fix(&q.turns, s.at)
	}
	return at
}

// next is whose turn it is, of those who have something that came before the first
// tick; nil for nobody.
func (q *Queue) next() *Share {
	s := q.earliest()
	for s != nil && q.parts.must(s, &q.places.at(s.waits.first).m) {
		heap.Remove(&q.turns, s.at)
		q.parts.wait = append(q.parts.wait, s)
		s = q.earliest()
	}
	return s
}

func (q *Queue) earliest() *Share {
	if len(q.turns) == 0 {
		return nil
	}
	if q.ticks.first == none {
		return q.turns[0]
	}
	var first *Share
	tick := q.places.at(q.ticks.first).came
	for _, s := range q.turns { // ticks are few
		if s.came < tick && (first == nil || s.time < first.time || s.time == first.time && s.came < first.came) {
			first = s
		}
	}
	return first
}
