package listener

import (
	"errors"
	"os"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"sluice/gateway/ingest/internal/wipe"
)

// Bounds of packets, in bytes behind the fixed header.
const (
	maxPacket   = 2 << 20
	maxOther    = 4 << 10       // of what is no publication
	wholePacket = maxPacket + 5 // with its fixed header
	packetTime  = 30 * time.Second
)

const (
	connect = 1
	publish = 3
)

var (
	errTooLarge = errors.New("mqtt listener: a packet is too large")
	errHeader   = errors.New("mqtt listener: not a fixed header")
)

// guard reads fixed headers (MQTT 3.1.1 section 2.2) before the library does, which
// believes a length and allocates it twice. It hands out one packet at a time, so
// that the next header is read when the packet before has been dealt with.
type guard struct {
	in         *wipe.Reader
	rawConnect []byte // the CONNECT as it came, until it is known whose it is
	sanitized  []byte // what of it the library gets, to be handed out first
	header     []byte // of the packet at hand, to be handed out
	left       int    // bytes of it that have not been
	large      bool   // it is in the packet budget
	due        time.Time
	idle       time.Time // the library's read deadline; guarded by conn.mu
	decoding   bool      // the library has a packet, and has not yet made sense of it
	buf        [5]byte
}

// Read hands out what the library may have.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.sanitized) > 0 {
		n := copy(p, c.sanitized)
		c.sanitized, c.decoding = c.sanitized[n:], true
		return n, nil
	}
	if c.left == 0 && len(c.header) == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if len(c.header) > 0 {
		n := copy(p, c.header)
		c.header = c.header[n:]
		return n, nil
	}
	if c.in.Empty() && c.due.IsZero() {
		c.hurry()
	}
	n, err := c.in.Read(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 && c.large {
		c.l.budget.finished(c)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && !time.Now().Before(c.due) {
		c.cut(slowPacket)
	}
	return n, err
}

// hurry sets the time by which a packet that has begun must have come.
func (c *conn) hurry() {
	c.due = time.Now().Add(c.l.cfg.times.packet)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over && !c.parting && (c.idle.IsZero() || c.due.Before(c.idle)) {
		_ = c.Conn.SetReadDeadline(c.due)
	}
}

// next reads a fixed header, and waits for room where the packet is large.
func (c *conn) next() error {
	if c.large { // the packet before is in the queue, and accounted for there
		c.l.budget.leave(c)
	}
	c.due = time.Time{}
	kind, length, err := c.fixed()
	if err != nil {
		return err
	}
	if c.large = length > maxOther; c.large {
		if kind>>4 != publish || length > maxPacket {
			c.l.tally.add(tooLarge)
			c.say(packets.ErrPacketTooLarge)
			return errTooLarge
		}
		if err := c.l.budget.enter(c, 2*length); err != nil {
			return err
		}
	}
	c.left, c.decoding = length, true
	return nil
}

// say tells a client of MQTT 5 why it is cut off (section 3.14); 3.1.1 has no way to. It
// is called by whoever reads.
func (c *conn) say(why packets.Code) {
	if c.client != nil && c.client.Properties.ProtocolVersion == 5 {
		_, _ = c.Write([]byte{packets.Disconnect << 4, 1, why.Code}) // or it is over
	}
}

// fixed reads a fixed header and keeps it to be handed out.
func (g *guard) fixed() (kind byte, length int, err error) {
	for n := range len(g.buf) {
		if g.buf[n], err = g.in.ReadByte(); err != nil {
			return 0, 0, err
		}
		if n == 0 {
			continue
		}
		length |= int(g.buf[n]&0x7f) << (7 * (n - 1))
		if g.buf[n]&0x80 == 0 {
			g.header = g.buf[:n+1]
			return g.buf[0], length, nil
		}
	}
	return 0, 0, errHeader
}
