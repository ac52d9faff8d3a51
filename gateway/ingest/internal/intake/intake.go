// Package intake is the bounded queue between the ways in, listener and mqtt,
// and the one goroutine that takes messages from it. A message stays in the
// queue's account until it is acknowledged, so a standstill behind it pushes
// back on whoever sends. Each sender has a share of its own besides: who sends
// faster than readings are taken waits for itself, and not the others for it. What
// waits is taken from the senders in turn, by weight.
package intake

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"sluice/gateway/ingest/internal/fault"
)

// Bounds of what waits for acknowledgement.
const (
	maxBytes   = 64 << 20
	perMessage = 512  // overhead counted for each message
	queued     = 8192 // messages
	// One sender's part, a commit's worth of small readings (1,000 of 250 bytes) or
	// one large message, whichever is more.
	shareBytes = 1 << 20
	// Large is of how many bytes on a message is taken in parts, one message at a time.
	large = 16 << 10
)

// Message is one publication that waits for its acknowledgement.
type Message struct {
	Topic   string
	Payload []byte
	// Dup says that the sender may have sent it before; Retained that it is a
	// broker's old copy and not sent now.
	Dup, Retained bool
	Received      time.Time
	// Checked says that the way in knows who sent it, and Sender who: the id of a
	// sensor. Behind a broker, the broker has checked.
	Checked bool
	Sender  string
	// Own is what the gateway itself has published and got back. Marker is, of those,
	// the number of the connection that all has come of that was kept before it; or 0.
	Own    bool
	Marker int
	// Mark says that it is a marker that has come in its order; Skipped that one before
	// it has not come, and Since when the last that did was sent. Ended names a process of this
	// gateway whose connection EndedAt,
	// or which itself, where that is 0, has ended.
	Mark, Skipped bool
	Since         time.Time
	Ended         string
	EndedAt       int

	// Tick says that it must not be taken before anything that was put in before it, nor
	// after anything that was put in after it: a simulated clock's.
	Tick bool
	// Begun says that it was taken before, and that what is left of it is to be taken on.
	Begun bool

	// Explains says that the way in can tell whoever sent it what became of it, which Outcome
	// then says.
	Explains bool
	Outcome  Outcome

	// Conn, ID and QoS are the way in's own, to acknowledge with.
	Conn any
	ID   uint16
	QoS  byte

	share *Share
}

// Outcome is why nothing of a message counts. The zero value says that something does, or
// that nobody is told.
type Outcome struct {
	Code fault.Code
	// Why is the code, a JSON pointer and what to do, e.g. "E101 /seq: send seq as a whole
	// number from 0": constants, and names of the sensor's kind and register entry.
	Why string
}

const mute = "message"

// String says nothing.
func (Message) String() string { return mute }

// GoString says nothing.
func (Message) GoString() string { return mute }

// Format says nothing under every verb.
func (Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mute) }

func (m *Message) weight() int64 { return min(maxBytes, int64(len(m.Payload)+len(m.Topic))+perMessage) }

// Large reports whether a message is taken in parts: then Charge says when it is through.
func (m *Message) Large() bool { return len(m.Payload) >= large }

func (m *Message) part() int64 { return min(shareBytes, m.weight()) }

// Queue is the queue and its account. It is safe for concurrent use.
type Queue struct {
	room  *semaphore.Weighted
	seats chan struct{} // one for each place that is taken
	ready chan struct{}
	clock string // a topic that is a barrier

	// All of these under mu.
	mu     sync.Mutex
	places places
	turns  turns  // those with messages
	rest   common // of those without a share of their own
	ticks  chain  // what waits for all that came before it
	parts  parts  // of the large one that is begun
	taken  *Share // whom was taken from last; nil for nobody
	came   uint64 // messages put in, ever
	time   uint64 // of the sender that was taken from last
}

// New makes an empty queue.
func New() *Queue {
	return &Queue{
		room: semaphore.NewWeighted(maxBytes), seats: make(chan struct{}, queued), ready: make(chan struct{}, 1),
		places: places{free: none}, ticks: empty, rest: common{seed: maphash.MakeSeed()},
	}
}

// Clock names the topic of a simulated clock: whoever it comes from, it keeps its place
// among all others. It must be called before the first Put.
func (q *Queue) Clock(topic string) { q.clock = topic }

// Put waits for room and puts a message in; false when ctx ended first. Turns are its
// topic's.
func (q *Queue) Put(ctx context.Context, m Message) bool { return q.put(ctx, nil, m) }

// PutFrom is Put for a sender with a share: it waits for room in that first, so that
// one sender cannot fill the queue. Whoever waits in it reads no more from its peer.
func (q *Queue) PutFrom(ctx context.Context, s *Share, m Message) bool {
	if s.room.Acquire(ctx, m.part()) != nil {
		return false
	}
	m.share = s
	if q.put(ctx, s, m) {
		return true
	}
	s.room.Release(m.part())
	return false
}

func (q *Queue) put(ctx context.Context, s *Share, m Message) bool {
	if q.room.Acquire(ctx, m.weight()) != nil {
		return false
	}
	select {
	case q.seats <- struct{}{}:
		q.push(s, m)
		q.wake()
		return true
	case <-ctx.Done():
		q.room.Release(m.weight())
		return false
	}
}

func (q *Queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// Ready says that there may be something to take.
func (q *Queue) Ready() <-chan struct{} { return q.ready }

// Take takes the next message; false when there is none. A large one keeps its place
// until Charge says that it is through: then others have their turns between its parts.
func (q *Queue) Take() (Message, bool) {
	m, at, more := q.pop()
	switch {
	case at == none:
		return Message{}, false
	case at != kept:
		<-q.seats
	}
	if more {
		q.wake()
	}
	return m, true
}

// Done gives the room of messages back and forgets them.
func (q *Queue) Done(list []Message) {
	var weight int64
	for i := range list {
		weight += list[i].weight()
		if s := list[i].share; s != nil {
			s.room.Release(list[i].part())
		}
		list[i] = Message{}
	}
	q.room.Release(weight)
}
