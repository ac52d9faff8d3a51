package mqtt

import (
	"encoding/binary"
	"errors"
	"net"

	"sluice/gateway/ingest/internal/wipe"
)

// Bounds of what is passed on to the client, in bytes behind the fixed header.
const (
	// A publication is cut to the longest topic and one byte more payload than a
	// message may have: ingest refuses it for its length, and it is acknowledged.
	mostPayload = 1<<20 + 1
	mostPublish = 2 + 1<<16 + 2 + mostPayload
	mostOther   = 64 << 10
)

var errImpossible = errors.New("the broker sent what no broker sends; is it one?")

// guard stands between a broker and the client library, which would believe a
// length of 256 MiB in five bytes and allocate it. It also reads ahead, where
// the library reads byte by byte.
type guard struct {
	net.Conn
	in     *wipe.Reader
	header []byte // of the packet at hand, to be handed out first
	left   int    // bytes of the packet to pass on
	skip   int    // bytes of it to drop after that
	buf    [5]byte
}

func newGuard(c net.Conn) *guard { return &guard{Conn: c, in: wipe.NewReader(c, 64<<10)} }

// Read hands out the packets of the stream, cut to size.
func (g *guard) Read(p []byte) (int, error) {
	for {
		switch {
		case len(g.header) > 0:
			n := copy(p, g.header)
			g.header = g.header[n:]
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
				return 0, err
			}
		}
	}
}

// next reads a fixed header (MQTT 3.1.1 section 2.2).
func (g *guard) next() error {
	kind, err := g.in.ReadByte()
	if err != nil {
		return err
	}
	length, shift := 0, 0
	for {
		b, err := g.in.ReadByte()
		if err != nil {
			return err
		}
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
		if shift += 7; shift > 21 {
			return errImpossible
		}
	}
	most := mostOther
	if kind>>4 == 3 {
		most = mostPublish
	} else if length > most {
		return errImpossible
	}
	g.left, g.skip = min(length, most), max(0, length-most)
	g.buf[0] = kind
	g.header = g.buf[:1+binary.PutUvarint(g.buf[1:], uint64(g.left))]
	return nil
}
