package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// client is an MQTT 3.1.1 publisher at QoS 1 with code of its own. What is not
// acknowledged is sent again, marked as a duplicate, on each new connection.
type client struct {
	addr string

	mu      sync.Mutex
	latest  net.Conn           // guarded by mu; of the session that lives, nil for none
	conn    net.Conn           // guarded by mu; latest once all that waited is sent, nil before
	next    uint16             // guarded by mu
	sent    int                // guarded by mu
	waiting map[uint16]message // guarded by mu
	order   []uint16           // guarded by mu
	closed  bool               // guarded by mu
}

type message struct {
	topic   string
	payload []byte
	retain  bool
	n       int // counts what was sent
}

func dial(addr string) *client {
	c := &client{addr: addr, waiting: map[uint16]message{}}
	go c.live()
	return c
}

func (c *client) live() {
	for {
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if closed {
			return
		}
		if err := c.session(); err != nil {
			time.Sleep(30 * time.Millisecond)
		}
	}
}

func (c *client) session() error {
	conn, err := net.DialTimeout("tcp", c.addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := greet(conn, "torture"); err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if kind, body, err := packet(in); err != nil || kind>>4 != 2 || len(body) != 2 || body[1] != 0 {
		return errors.Join(err, errors.New("not let in"))
	}
	_ = conn.SetReadDeadline(time.Time{})
	c.meet(conn)
	go c.again(conn)
	defer c.meet(nil)
	for {
		kind, body, err := packet(in)
		if err != nil {
			return err
		}
		if kind>>4 == 4 && len(body) >= 2 {
			c.acked(binary.BigEndian.Uint16(body))
		}
	}
}

// meet begins a session, or ends it with nil.
func (c *client) meet(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest, c.conn = conn, nil
}

// again sends what waits, in the order in which it was sent first: a tick must not
// be overtaken by the readings behind it. Only then are new messages written.
func (c *client) again(conn net.Conn) {
	for from := 0; ; {
		c.mu.Lock()
		var batch [][]byte
		for _, id := range c.order {
			if m, ok := c.waiting[id]; ok && m.n >= from {
				batch = append(batch, publish(id, m, true))
				from = m.n + 1
			}
		}
		if over := c.latest != conn; over || len(batch) == 0 {
			if !over { // or what is sent would go to a session that is over, and to none
				c.conn = conn
			}
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		for _, raw := range batch {
			if _, err := conn.Write(raw); err != nil {
				return
			}
		}
	}
}

func (c *client) acked(id uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
	for len(c.order) > 0 {
		if _, ok := c.waiting[c.order[0]]; ok {
			break
		}
		c.order = c.order[1:]
	}
}

// send publishes; pending says how much is not acknowledged yet.
func (c *client) send(topic string, payload []byte, retain bool) {
	c.mu.Lock()
	for {
		c.next++
		if _, taken := c.waiting[c.next]; c.next != 0 && !taken {
			break
		}
	}
	c.sent++
	id, m := c.next, message{topic, payload, retain, c.sent}
	c.waiting[id] = m
	c.order = append(c.order, id)
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		_, _ = conn.Write(publish(id, m, false)) // or it is sent again
	}
}

func (c *client) pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.latest != nil {
		_ = c.latest.Close()
	}
}

func greet(w io.Writer, id string) error {
	body := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0}, text(id)...)
	_, err := w.Write(append([]byte{0x10}, append(length(len(body)), body...)...))
	return err
}

func publish(id uint16, m message, dup bool) []byte {
	head := byte(0x32)
	if dup {
		head |= 8
	}
	if m.retain {
		head |= 1
	}
	body := append(text(m.topic), byte(id>>8), byte(id))
	body = append(body, m.payload...)
	return append([]byte{head}, append(length(len(body)), body...)...)
}

func text(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

func length(n int) (out []byte) {
	for {
		b := byte(n & 127)
		if n >>= 7; n == 0 {
			return append(out, b)
		}
		out = append(out, b|128)
	}
}

func packet(r *bufio.Reader) (kind byte, body []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n := 0
	for shift := 0; ; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		if n |= int(b&127) << shift; b < 128 {
			break
		}
		if shift > 14 {
			return 0, nil, fmt.Errorf("a packet of more than 2 MiB")
		}
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return kind, body, err
}
