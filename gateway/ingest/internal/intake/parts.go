package intake

import "container/heap"

// perReading is what each reading beyond a message's first weighs: what a small message
// with one in it weighs beside its bytes, for it costs as much.
const perReading = perMessage

// parts is the large message that is begun. There is one at a time, since what it was
// decoded into is many times as large; others who have one next wait for it. It has its
// turns as any other, so that they wait no longer than for a message that came before.
type parts struct {
	of   *Share   // whose it is; nil for none
	wait []*Share // out of turn until then
}

// must reports whether a share whose first message is m waits.
func (p *parts) must(s *Share, m *Message) bool { return p.of != nil && p.of != s && m.Large() }

// Charge says how many readings the message at hand has had since it was taken, and
// whether there are more in it: it is taken on in its sender's next turn. Who sends many
// in one message waits as long as who sends them one by one. It is called after each
// Take of what is no tick.
func (q *Queue) Charge(readings int, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.taken
	if s == nil {
		return
	}
	if readings > 1 {
		s.time += uint64(readings-1) * perReading
	}
	if q.parts.of == s && !more {
		at := q.leave(s) // with its weight
		q.places.leave(at)
		<-q.seats
		q.parts.of = nil
		for _, other := range q.parts.wait {
			heap.Push(&q.turns, other)
		}
		clear(q.parts.wait)
		q.parts.wait = q.parts.wait[:0]
		q.wake()
	} else if s.waits.first != none {
		heap.Fix(&q.turns, s.at)
	}
}
