package mqtt

import (
	"sync"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/gateway/ingest/internal/intake"
	"sluice/internal/crash"
)

// mostAcks is how many bytes of acknowledgements may wait for a broker to read
// them. Packet ids have 16 bits, so an honest one never waits for more.
const mostAcks = 4 * (1<<16 - 1)

// acks are acknowledgements on their way out. Whoever acknowledges never waits for
// a broker to read.
type acks struct {
	mu      sync.Mutex
	waiting []byte        // guarded by mu
	spare   []byte        // of the goroutine that writes, between two writes; guarded by mu
	done    chan struct{} // closed when that goroutine ends; nil where there is none; guarded by mu
}

// add puts packets behind what waits. It reports whether somebody must begin to
// write, and false for ok where too much waits.
func (a *acks) add(raw []byte) (begin, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting)+len(raw) > mostAcks {
		return false, false
	}
	a.waiting = append(a.waiting, raw...)
	if a.done != nil {
		return false, true
	}
	a.done = make(chan struct{})
	return true, true
}

// take is all that waits; nil when nothing does, and then the writer ends.
func (a *acks) take() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) == 0 {
		close(a.done)
		a.done = nil
		return nil
	}
	out := a.waiting
	a.waiting, a.spare = a.spare[:0], out
	return out
}

// drop forgets what waits.
func (a *acks) drop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = a.waiting[:0]
}

// flush waits until all is written, or for so long.
func (a *acks) flush(within time.Duration) {
	a.mu.Lock()
	done := a.done
	a.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-time.After(within):
	}
}

// Ack acknowledges those messages that came in here, in order, with one write
// for each connection, past the client's own queues. A connection that is gone
// takes nothing; its messages come again. It does not wait for the broker.
func (c *Client) Ack(list []intake.Message) {
	for i := range list {
		m := &list[i]
		if conn, ours := m.Conn.(*guard); ours && m.QoS > 0 {
			c.acks[conn] = append(c.acks[conn], packets.Puback<<4, 2, byte(m.ID>>8), byte(m.ID))
		}
	}
	for conn, raw := range c.acks {
		delete(c.acks, conn)
		begin, ok := conn.acks.add(raw)
		if !ok {
			_ = conn.Close() // nobody reads there
			continue
		}
		if begin {
			go func() {
				defer crash.Catch(func(e *crash.Error) { c.cfg.Fail(e) })
				c.writeAcks(conn)
			}()
		}
	}
}

func (c *Client) writeAcks(conn *guard) {
	for raw := conn.acks.take(); raw != nil; raw = conn.acks.take() {
		if _, err := conn.send(raw); err != nil {
			conn.acks.drop()
			continue
		}
		c.useful.Store(true)
	}
}
