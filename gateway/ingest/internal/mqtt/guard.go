package mqtt

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/gateway/ingest/internal/wipe"
)

// Bounds of what is passed on to the client, in bytes.
const (
	// A publication is cut to one byte more payload than a message may have: ingest
	// refuses it for its length, and it is acknowledged.
	mostPayload = 1<<20 + 1
	mostAnswer  = 64 << 10 // behind the fixed header of anything else
)

var errImpossible = errors.New("the broker sent what no broker sends to the gateway; is it one, and has nobody else " +
	"the gateway's client id (mqtt.client_id)?")

// guard stands between a broker and the client library, which believes what it
// reads: a length of 256 MiB in five bytes, more return codes than it has asked
// for, an answer to another question. What the library gets is whole, is what a
// server may send to this client by MQTT 3.1.1, and answers what was asked;
// anything else ends the connection. What a sensor can choose, its topic and its
// payload, is for ingest to refuse: it must not end a connection that others use.
//
// The guard also reads ahead, where the library reads byte by byte, and bounds
// how long a write may take.
type guard struct {
	net.Conn
	asked   asked
	acks    acks
	writing sync.Mutex
	refused atomic.Bool // the broker sent the impossible
	ours    atomic.Bool // this side has closed it
	there   atomic.Bool // the other side had, before

	// Of the one goroutine that reads.
	in      *wipe.Reader
	head    []byte // of the packet at hand, checked
	given   int    // bytes of head that were handed out
	left    int    // bytes of payload to pass on after it
	skip    int    // bytes of payload to drop after that
	greeted bool   // CONNACK has come
	two     [2]byte
}

func newGuard(c net.Conn) *guard { return &guard{Conn: c, in: wipe.NewReader(c, 64<<10)} }

// Read hands out the packets of the stream, checked and cut to size.
func (g *guard) Read(p []byte) (int, error) {
	n, err := g.read(p)
	if err != nil {
		g.ended(err)
	}
	return n, err
}

func (g *guard) read(p []byte) (int, error) {
	for {
		switch {
		case g.given < len(g.head):
			n := copy(p, g.head[g.given:])
			clear(g.head[g.given : g.given+n]) // a topic can name somebody
			g.given += n
			return n, nil
		case g.left > 0:
			n, err := g.in.Read(p[:min(len(p), g.left)])
			g.left -= n
			return n, err
		case g.skip > 0:
			n, err := g.in.Discard(min(g.skip, 32<<10))
			g.skip -= n
			if err != nil {
				return 0, err
			}
		default:
			if err := g.next(); err != nil {
				g.head, g.given = nil, 0
				if errors.Is(err, errImpossible) {
					g.refused.Store(true)
					_ = g.Close() // whatever else it says
				}
				return 0, err
			}
		}
	}
}

// Close ends the connection from this side.
func (g *guard) Close() error {
	g.ours.Store(true)
	return g.Conn.Close()
}

// endedThere reports whether the other side ended the connection.
func (g *guard) endedThere() bool { return g.there.Load() }

// ended notes who ended the connection, by the error of a read or of a write: whichever
// comes upon it first.
func (g *guard) ended(err error) {
	if g.ours.Load() {
		return
	}
	for _, theirs := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, theirs) {
			g.there.Store(true)
		}
	}
}

// why is err, or that the broker was refused where that is the reason for it.
func (g *guard) why(err error) error {
	if g.refused.Load() {
		return errImpossible
	}
	return err
}

// next reads as much of a packet as can be judged.
func (g *guard) next() error {
	first, length, err := g.fixed()
	if err != nil {
		return err
	}
	kind, flags := first>>4, first&0x0f
	if g.greeted == (kind == packets.Connack) { // it comes first, and once (section 3.2)
		return errImpossible
	}
	if kind == packets.Publish {
		return g.publication(first, length)
	}
	if flags != 0 || length > mostAnswer { // table 2.2
		return errImpossible
	}
	body := g.begin(first, length, length)
	if _, err := io.ReadFull(g.in, body); err != nil {
		return err
	}
	if !g.asked.answered(kind, body) {
		return errImpossible
	}
	g.greeted = true
	return nil
}

// fixed reads a fixed header (MQTT 3.1.1, section 2.2).
func (g *guard) fixed() (first byte, length int, err error) {
	if first, err = g.in.ReadByte(); err != nil {
		return 0, 0, err
	}
	for shift := 0; ; shift += 7 {
		if shift > 21 {
			return 0, 0, errImpossible
		}
		b, err := g.in.ReadByte()
		if err != nil {
			return 0, 0, err
		}
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			return first, length, nil
		}
	}
}

// begin puts a fixed header into head and makes room for so many bytes after it.
func (g *guard) begin(first byte, length, room int) []byte {
	g.head, g.given = append(g.head[:0], first), 0
	g.head = binary.AppendUvarint(g.head, uint64(length))
	at := len(g.head)
	if need := at + room; need > cap(g.head) {
		g.head = append(make([]byte, 0, need), g.head...)
	}
	g.head = g.head[:at+room]
	return g.head[at:]
}

// publication judges the variable header of a PUBLISH (section 3.3). The gateway
// asks for quality of service 1, so nothing comes with 2, and 3 is none.
func (g *guard) publication(first byte, length int) error {
	qos, dup := first>>1&3, first&8 != 0
	own := 2 * (1 + int(qos)) // lengths of the topic's length and of the packet id
	if qos > 1 || dup && qos == 0 || length < own {
		return errImpossible
	}
	if _, err := io.ReadFull(g.in, g.two[:]); err != nil {
		return err
	}
	topic := int(binary.BigEndian.Uint16(g.two[:]))
	payload := length - own - topic
	if payload < 0 {
		return errImpossible
	}
	left := min(payload, mostPayload)
	rest := g.begin(first, own+topic+left, own+topic)
	copy(rest, g.two[:])
	if _, err := io.ReadFull(g.in, rest[2:]); err != nil {
		return err
	}
	if qos > 0 && binary.BigEndian.Uint16(rest[2+topic:]) == 0 { // section 2.3.1
		return errImpossible
	}
	g.left, g.skip = left, payload-left
	return nil
}

// Write sends packets of the client library, and keeps what must be answered.
func (g *guard) Write(p []byte) (int, error) {
	if err := g.asked.note(p); err != nil {
		_ = g.Close() // the error says more
		return 0, err
	}
	return g.send(p)
}

// send writes whole packets. A broker that does not read for so long is none: a
// part may have gone out, so nothing else can.
func (g *guard) send(p []byte) (int, error) {
	g.writing.Lock()
	defer g.writing.Unlock()
	_ = g.Conn.SetWriteDeadline(time.Now().Add(writeDeadline)) // a connection that is gone says so below
	n, err := g.Conn.Write(p)
	if err != nil {
		g.ended(err)
		_ = g.Close() // the error says more
	}
	return n, err
}

// SetDeadline bounds reading; writes have deadlines of their own.
func (g *guard) SetDeadline(t time.Time) error { return g.SetReadDeadline(t) }

// SetWriteDeadline does nothing: each write has a deadline of its own, which
// another goroutine must not move.
func (*guard) SetWriteDeadline(time.Time) error { return nil }
