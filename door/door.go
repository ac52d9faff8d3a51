// Package door limits HTTP connections, in all and per client address, without letting slow
// or idle clients lock others out: when it is full, the connection that has been idle for
// longest is closed.
//
// A connection is idle while it waits for a request, has sent a part of one, or does not
// read its answer; it is busy while its answer is made, and then it is never closed. The
// one to close is taken from the address with the most idle connections. A newcomer waits
// only if every connection is busy.
//
// No address is stored: clients are told apart by a hash under a key that dies with the
// process, IPv6 clients by their first 64 bits.
package door

import (
	"cmp"
	"context"
	"hash/maphash"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Hash tells clients apart without keeping their addresses.
type Hash struct{ seed maphash.Seed }

// NewHash returns a Hash with a new key.
func NewHash() Hash { return Hash{maphash.MakeSeed()} }

// Of hashes the host of HOST:PORT; of an IPv6 address its /64 network, which belongs to one
// client. Everything that is no address counts as one client.
func (h Hash) Of(address string) uint64 {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return 0
	}
	bits := 32
	if ip = ip.Unmap(); ip.Is6() {
		bits = 64
	}
	network, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return 0
	}
	return maphash.String(h.seed, network.String())
}

// Limits bounds the number of open connections.
type Limits struct {
	// Total bounds all of them.
	Total int
	// PerAddress bounds those of one address; 0 for no bound but Total.
	PerAddress int
}

// Listener accepts connections within its limits. The http.Server must call State.
type Listener struct {
	net.Listener
	limits Limits
	hash   Hash

	mu    sync.Mutex
	conns map[*conn]bool // guarded by mu
	per   map[uint64]int // of them, by address; guarded by mu
	left  *sync.Cond     // somebody left, or has nothing to do; with mu
	ended bool           // guarded by mu
}

// Listen wraps a listener.
func Listen(l net.Listener, limits Limits) *Listener {
	d := &Listener{Listener: l, limits: limits, hash: NewHash(), conns: make(map[*conn]bool), per: make(map[uint64]int)}
	d.left = sync.NewCond(&d.mu)
	return d
}

// Accept waits for a connection. If its address has as many as it may have and all of them
// are busy, it is closed.
func (d *Listener) Accept() (net.Conn, error) {
	for {
		raw, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if tcp, ok := raw.(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(sendBuffer) // or the system's, which is larger
		}
		c := &conn{Conn: raw, door: d, key: d.hash.Of(raw.RemoteAddr().String())}
		c.becomeIdle()
		if !d.enter(c) {
			_ = raw.Close() // it never was in
			continue
		}
		return c, nil
	}
}

// Close stops listening; open connections stay.
func (d *Listener) Close() error {
	d.mu.Lock()
	d.ended = true
	d.left.Broadcast()
	d.mu.Unlock()
	return d.Listener.Close()
}

// enter makes room for a newcomer, or reports that there is no room.
func (d *Listener) enter(c *conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if limit := d.limits.PerAddress; limit > 0 && d.per[c.key] >= limit && !d.evict(func(other *conn) bool {
		return other.key == c.key
	}) {
		return false
	}
	for len(d.conns) >= d.limits.Total && !d.evict(func(*conn) bool { return true }) {
		if d.ended {
			return false
		}
		// Who begins to wait for a reader does not say so.
		poll := time.AfterFunc(50*time.Millisecond, d.left.Broadcast)
		d.left.Wait()
		poll.Stop()
	}
	d.conns[c] = true
	d.per[c.key]++
	return true
}

// remove drops a connection. The caller holds mu.
func (d *Listener) remove(c *conn) {
	if !d.conns[c] {
		return
	}
	delete(d.conns, c)
	if d.per[c.key]--; d.per[c.key] == 0 {
		delete(d.per, c.key)
	}
}

// evict closes, of the connections that may be closed, the one that has been idle for
// longest, at the address with the most idle ones. It reports whether there was one.
func (d *Listener) evict(may func(*conn) bool) bool {
	idleConns := make(map[uint64]int)
	for c := range d.conns {
		if may(c) && c.idle() {
			idleConns[c.key]++
		}
	}
	var out *conn
	for c := range d.conns {
		if n := idleConns[c.key]; !may(c) || !c.idle() || n == 0 {
			continue
		} else if out == nil || n > idleConns[out.key] || n == idleConns[out.key] && c.since.Load() < out.since.Load() {
			out = c
		}
	}
	if out == nil {
		return false
	}
	d.remove(out)
	out.abort()
	return true
}

func (d *Listener) leave(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(c)
	d.left.Broadcast()
}

// State is the server's ConnState.
func (d *Listener) State(raw net.Conn, state http.ConnState) {
	c, ok := raw.(*conn)
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		c.busy.Store(true)
	case http.StateIdle:
		c.becomeIdle()
		d.left.Broadcast()
	}
}

// conn is an accepted connection.
type conn struct {
	net.Conn
	door    *Listener
	key     uint64       // of its address
	since   atomic.Int64 // of what it did last, in ns since 1970
	busy    atomic.Bool  // a request is whole and its answer is not
	writing atomic.Bool  // a part of the answer waits for the client to read
	patient atomic.Int64 // how long each part may wait, in ns; 0 for partTime

	mu    sync.Mutex
	until time.Time // of the whole answer; zero for none; guarded by mu
}

// becomeIdle marks the connection as waiting for its client.
func (c *conn) becomeIdle() {
	c.patient.Store(0)
	c.busy.Store(false)
	c.since.Store(time.Now().UnixNano())
}

func (c *conn) idle() bool { return !c.busy.Load() || c.writing.Load() }

// Close closes the connection and makes room for another.
func (c *conn) Close() error {
	c.door.leave(c)
	return c.Conn.Close()
}

// abort resets the connection, so that the system does not keep unsent bytes for minutes.
// The server sees an error.
func (c *conn) abort() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // or it is kept
	}
	_ = c.Conn.Close()
}

// connKey is where a request's context has its connection.
type connKey struct{}

// withConn is the server's ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// Patient gives the client of a request this long to read each part of its answer, instead
// of the default: a program that processes what it has read does not read meanwhile, and
// the system's buffers must half empty before it takes more. The connection still counts as
// idle while it does not read.
func Patient(r *http.Request, wait time.Duration) {
	if c, ok := r.Context().Value(connKey{}).(*conn); ok {
		c.patient.Store(int64(wait))
	}
}

// SetWriteDeadline bounds the whole answer; each part has its own bound.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	c.until = t
	c.mu.Unlock()
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Write sends in parts, each of which the client must take in time.
func (c *conn) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	until := c.until
	c.mu.Unlock()
	wait := cmp.Or(time.Duration(c.patient.Load()), partTime)
	c.writing.Store(true)
	defer c.writing.Store(false)
	for first := true; first || n < len(p); first = false {
		now := time.Now()
		c.since.Store(now.UnixNano())
		deadline := now.Add(wait)
		if !until.IsZero() && until.Before(deadline) {
			deadline = until
		}
		if err := c.Conn.SetWriteDeadline(deadline); err != nil {
			return n, err
		}
		k, err := c.Conn.Write(p[n:min(n+part, len(p))])
		n += k
		if err != nil {
			c.abort()
			return n, err
		}
	}
	return n, nil
}
