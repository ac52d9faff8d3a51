package listener

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"sluice/gateway/ingest/internal/wipe"
	"sluice/internal/websocket"
)

// Bounds of what waits to be written to one peer.
const (
	maxWaiting  = 64 << 10 // bytes: 16,000 PUBACKs that it has not read, beside what the kernel keeps
	kernelKeeps = 64 << 10 // bytes in each direction; the kernel's own choice would be megabytes
	writeTime   = 10 * time.Second
	partingTime = time.Second
)

var errCut = errors.New("mqtt listener: the connection was cut off")

// conn is a connection that has been let in, as the library sees it. Whatever comes
// in is budgeted (Read, in guard.go). What goes out is queued: Write never waits, and
// a goroutine that lives only while there is something to write passes it on, so that
// a peer that reads nothing holds up nobody. It is cut off instead.
type conn struct {
	net.Conn // TLS or TCP
	peer     *peer
	l        *Listener
	user     *user   // nil where there are no identities
	source   *source // its user's, or its own
	client   *mqtt.Client
	ctx      context.Context //nolint:containedctx // ends what the library's goroutine waits for
	cancel   context.CancelFunc
	wishes   wishes
	unacked  atomic.Int32 // publications that wait for their acknowledgement
	web      bool         // a WebSocket: what waits is frames
	guard

	mu       sync.Mutex
	waiting  []byte // to be written
	spare    []byte // what was written last, to be used again
	writing  bool
	parting  bool   // closed by us; what waits is still written
	over     bool   // closed for good
	farewell uint16 // the code with which a WebSocket is closed
}

func newConn(c net.Conn, p *peer, l *Listener) *conn {
	out := &conn{Conn: c, peer: p, l: l, guard: guard{in: newReader(c)}}
	out.ctx, out.cancel = context.WithCancel(l.ctx)
	return out
}

func newReader(c io.Reader) *wipe.Reader { return wipe.Growing(c, 512, 16<<10) }

// queue adds a packet to what waits to be written; an error when the connection is over. The
// peer is cut off when more waits than may.
func (c *conn) queue(p ...byte) error { return c.add(websocket.Binary, p) }

// add is queue for what a WebSocket has frames of a kind for.
func (c *conn) add(frame byte, p []byte) error {
	c.mu.Lock()
	if c.over || c.parting {
		c.mu.Unlock()
		return net.ErrClosed
	}
	if len(c.waiting) > 0 && len(c.waiting)+len(p) > maxWaiting {
		c.mu.Unlock()
		c.cut(readsNothing)
		return errCut
	}
	if c.web {
		c.waiting = websocket.Append(c.waiting, frame, p)
	} else {
		c.waiting = append(c.waiting, p...)
	}
	c.mu.Unlock()
	return nil
}

// waits is how many bytes wait to be written.
func (c *conn) waits() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

// send sees to it that what waits is written.
func (c *conn) send() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing || c.over || len(c.waiting) == 0 {
		return
	}
	c.writing = true
	c.l.writers.Go(c.flush)
}

// Write queues a whole packet.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.queue(p...); err != nil {
		return 0, err
	}
	c.send()
	return len(p), nil
}

// flush writes what waits, until nothing does.
func (c *conn) flush() {
	for {
		c.mu.Lock()
		p, limit := c.waiting, c.l.cfg.times.write
		if c.parting {
			limit = partingTime
		}
		if len(p) == 0 || c.over {
			c.writing = false
			parting := c.parting && !c.over
			c.mu.Unlock()
			if parting {
				c.end()
			}
			return
		}
		c.waiting, c.spare = c.spare, nil
		c.mu.Unlock()
		_ = c.Conn.SetWriteDeadline(time.Now().Add(limit))
		if _, err := c.Conn.Write(p); errors.Is(err, os.ErrDeadlineExceeded) {
			c.cut(readsNothing)
		} else if err != nil {
			c.cut(hungUp)
		}
		if cap(p) <= 4<<10 {
			c.mu.Lock()
			c.spare = p[:0]
			c.mu.Unlock()
		}
	}
}

// Close ends the connection when what waits has been written, or a second later.
func (c *conn) Close() error {
	c.mu.Lock()
	if c.over || c.parting {
		c.mu.Unlock()
		return nil
	}
	c.parting = true
	if c.web {
		c.waiting = websocket.AppendClose(c.waiting, c.farewell)
	}
	now := time.Now()
	_ = c.Conn.SetReadDeadline(now) // whoever reads stops
	_ = c.Conn.SetWriteDeadline(now.Add(partingTime))
	if !c.writing { // TLS says goodbye, which may take as long
		c.writing = true
		c.l.writers.Go(c.flush)
	}
	c.mu.Unlock()
	c.gone()
	return nil
}

// cut ends the connection now, and waits for nothing.
func (c *conn) cut(why reason) {
	c.mu.Lock()
	first := !c.over
	c.over, c.waiting = true, nil
	counted := first && !c.parting
	c.mu.Unlock()
	if !first {
		return
	}
	_ = c.peer.Close()
	c.gone()
	if counted {
		c.l.tally.add(why)
	}
}

func (c *conn) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	_ = c.Conn.Close()
}

// gone gives back what the connection held.
func (c *conn) gone() {
	c.cancel()
	c.l.admitted.leave(c)
	c.l.budget.leave(c)
	c.l.tally.addGarbage(perConn)
}

// ended reports whether nothing more can be read.
func (c *conn) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over || c.parting
}

// SetDeadline is what the library calls before each packet, with its keepalive. It
// must not lift the deadline of what is being written meanwhile.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline keeps a connection that is closing from being waited for again.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.parting {
		return nil
	}
	c.idle = t
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline does nothing: how long a write may take is ours to say.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
