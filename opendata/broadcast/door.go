package broadcast

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"
	"golang.org/x/time/rate"

	httpdoor "sluice/door"
)

const (
	connectTime = 10 * time.Second // from the connection to the whole CONNECT
	writeTime   = 10 * time.Second // for a packet to be taken
	acceptPause = 50 * time.Millisecond
	// packets a second that a client may send, and as many at once
	packetRate, packetBurst = 5, 50
)

// door lets a bounded number of connections in.
type door struct {
	net.Listener
	limits httpdoor.Limits
	hash   httpdoor.Hash

	mu    sync.Mutex
	conns map[*conn]bool // guarded by mu
	per   map[uint64]int // of them, by address; guarded by mu
	shut  bool           // guarded by mu
}

var _ listeners.Listener = (*door)(nil)

func newDoor(l net.Listener, cfg Config) *door {
	limits := httpdoor.Limits{Total: cfg.Connections, PerAddress: cfg.PerAddress(httpdoor.Loopback(l.Addr()))}
	return &door{Listener: l, limits: limits, hash: httpdoor.NewHash(), conns: make(map[*conn]bool),
		per: make(map[uint64]int)}
}

// Init, ID, Protocol and Address are the library's.
func (*door) Init(*slog.Logger) error { return nil }

// ID is the door's name.
func (*door) ID() string { return "mqtt" }

// Protocol is what the door speaks.
func (*door) Protocol() string { return "tcp" }

// Address is where it listens.
func (d *door) Address() string { return d.Addr().String() }

// Serve lets connections in until the door is closed.
func (d *door) Serve(establish listeners.EstablishFn) {
	for {
		raw, err := d.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of files, for instance; it passes
			time.Sleep(acceptPause)
			continue
		}
		c := &conn{Conn: raw, key: d.hash.Of(raw.RemoteAddr().String()),
			packets: rate.NewLimiter(packetRate, packetBurst)}
		if !d.enter(c) {
			_ = raw.Close()
			continue
		}
		go func() {
			defer d.leave(c)
			_ = establish(d.ID(), c) // says why it ended
		}()
	}
}

// Close lets nobody in any more and ends what is there. The library's way to do so asks for
// a lock twice.
func (d *door) Close(listeners.CloseFn) {
	_ = d.Listener.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	for c := range d.conns {
		_ = c.Conn.Close()
	}
}

func (d *door) enter(c *conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut || len(d.conns) >= d.limits.Total || d.limits.PerAddress > 0 && d.per[c.key] >= d.limits.PerAddress {
		return false
	}
	_ = c.Conn.SetReadDeadline(time.Now().Add(connectTime))
	d.conns[c] = true
	d.per[c.key]++
	return true
}

func (d *door) leave(c *conn) {
	_ = c.Conn.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
	if d.per[c.key]--; d.per[c.key] == 0 {
		delete(d.per, c.key)
	}
}

// conn is a client's connection, as the library sees it.
type conn struct {
	net.Conn
	key       uint64 // of its address
	packets   *rate.Limiter
	connected atomic.Bool
}

// SetDeadline is what the library calls before each packet, with the keep-alive. It lifts
// neither the deadline of a CONNECT nor that of what is being written.
func (c *conn) SetDeadline(t time.Time) error {
	if !c.connected.Load() {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// Write gives each packet its time. Who does not read is cut off.
func (c *conn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(writeTime))
	n, err := c.Conn.Write(p)
	if err != nil {
		_ = c.Conn.Close()
	}
	return n, err
}
