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
	"sluice/internal/crash"
)

const (
	connectTime = 10 * time.Second // from the connection to the whole CONNECT
	writeTime   = 10 * time.Second // for a packet to be taken
	acceptPause = 50 * time.Millisecond
	// packets a second that a client may send, and as many at once
	packetRate, packetBurst = 5, 50
)

// door lets a bounded number of connections in: by itself, where it listens, and those that
// come through another's.
type door struct {
	net.Listener // nil for none
	limits       httpdoor.Limits
	hash         httpdoor.Hash
	log          *slog.Logger

	mu    sync.Mutex
	all   int            // seats that are taken; guarded by mu
	per   map[uint64]int // of them, by address; guarded by mu
	conns map[*conn]bool // guarded by mu
	shut  bool           // guarded by mu
}

var _ listeners.Listener = (*door)(nil)

func newDoor(l net.Listener, cfg Config) *door {
	limits := httpdoor.Limits{Total: cfg.Connections}
	if l != nil {
		limits.PerAddress = cfg.PerAddress(httpdoor.Loopback(l.Addr()))
	}
	return &door{Listener: l, limits: limits, hash: httpdoor.NewHash(), log: cfg.Log, conns: make(map[*conn]bool),
		per: make(map[uint64]int)}
}

// Init, ID, Protocol and Address are the library's.
func (*door) Init(*slog.Logger) error { return nil }

// ID is the door's name.
func (*door) ID() string { return "mqtt" }

// Protocol is what the door speaks.
func (*door) Protocol() string { return "tcp" }

// Address is where it listens; empty where it does not.
func (d *door) Address() string {
	if d.Listener == nil {
		return ""
	}
	return d.Addr().String()
}

// Serve lets connections in until the door is closed.
func (d *door) Serve(establish listeners.EstablishFn) {
	for d.Listener != nil {
		raw, err := d.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of files, for instance; it passes
			time.Sleep(acceptPause)
			continue
		}
		key := d.hash.Of(raw.RemoteAddr().String())
		if !d.take(key, d.limits.PerAddress) {
			_ = raw.Close()
			continue
		}
		go d.serve(newConn(raw, key), establish)
	}
}

// Close lets nobody in any more and ends what is there. The library's way to do so asks for
// a lock twice.
func (d *door) Close(listeners.CloseFn) {
	if d.Listener != nil {
		_ = d.Listener.Close()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	for c := range d.conns {
		_ = c.raw.Close()
	}
}

// take takes a seat for an address, of which there may be perAddress; 0 for no bound but that
// of all.
func (d *door) take(key uint64, perAddress int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut || d.all >= d.limits.Total || perAddress > 0 && d.per[key] >= perAddress {
		return false
	}
	d.all++
	d.per[key]++
	return true
}

// free gives a seat back.
func (d *door) free(key uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.per[key]--; d.per[key] == 0 {
		delete(d.per, key)
	}
}

// serve serves a connection that has a seat until it ends.
func (d *door) serve(c *conn, establish listeners.EstablishFn) {
	defer crash.Catch(func(e *crash.Error) { d.log.Error("a connection was closed", "error", e) })
	defer d.free(c.key)
	defer c.Close()
	if !d.enter(c) {
		return
	}
	defer d.leave(c)
	_ = establish(d.ID(), c) // says why it ended
}

func (d *door) enter(c *conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return false
	}
	_ = c.SetReadDeadline(time.Now().Add(connectTime))
	d.conns[c] = true
	return true
}

func (d *door) leave(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
}

// conn is a client's connection, as the library sees it.
type conn struct {
	net.Conn  // raw, or what its frames hold
	raw       net.Conn
	key       uint64 // of its address
	packets   *rate.Limiter
	connected atomic.Bool
}

func newConn(raw net.Conn, key uint64) *conn {
	return &conn{Conn: raw, raw: raw, key: key, packets: rate.NewLimiter(packetRate, packetBurst)}
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
