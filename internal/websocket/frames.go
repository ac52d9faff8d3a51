// Package websocket is a server's side of WebSocket (RFC 6455), as far as MQTT needs it: the
// opening handshake with the subprotocol mqtt, and binary frames as a stream of bytes, without
// extensions.
//
//	GET /mqtt HTTP/1.1                             HTTP/1.1 101 Switching Protocols
//	Host: gateway.city.example:8084                Upgrade: websocket
//	Upgrade: websocket                             Connection: Upgrade
//	Connection: Upgrade                     ->     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
//	Sec-WebSocket-Version: 13                      Sec-WebSocket-Protocol: mqtt
//	Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
//	Sec-WebSocket-Protocol: mqtt
//
// It keeps nothing: a frame's payload goes from the connection to whoever reads, and nothing is
// allocated by a length that a peer states. So it is no library's, each of which has buffers of
// its own (decision 39).
package websocket

import (
	"encoding/binary"
	"io"
	"math"
)

// The opcodes that MQTT has a use for (RFC 6455 section 5.2).
const (
	continuation = 0x0
	textual      = 0x1
	Binary       = 0x2
	Close        = 0x8
	ping         = 0x9
	Pong         = 0xa

	control = 0x8 // the bit of frames that are none of the stream
	final   = 0x80
	masked  = 0x80
)

// maxControl is how many bytes a control frame may have (section 5.5).
const maxControl = 125

// Codes of a close frame (section 7.4.1).
const (
	Done        = 1000
	broken      = 1002
	unsupported = 1003
)

// Violation is what a peer has done wrong, as the code of the close frame that tells it so.
type Violation uint16

func (Violation) Error() string { return "websocket: no frame of MQTT's" }

// Reader reads what binary frames hold. It is used by one goroutine.
type Reader struct {
	in   io.Reader
	pong func(body []byte)
	head [8]byte

	left uint64 // bytes of the frame at hand
	mask [4]byte
	at   int  // in mask
	open bool // more frames of the message come
}

// NewReader reads frames from in. Pong is given the body of each ping, to be sent back.
func NewReader(in io.Reader, pong func(body []byte)) *Reader { return &Reader{in: in, pong: pong} }

// Read hands out what is in binary frames. The error is io.EOF when the peer has closed, and a
// Violation where it may not go on.
func (r *Reader) Read(p []byte) (int, error) {
	for r.left == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n, err := r.in.Read(p[:min(uint64(len(p)), r.left)])
	r.left -= uint64(n)
	r.unmask(p[:n])
	return n, err
}

func (r *Reader) unmask(p []byte) {
	for n := range p {
		p[n] ^= r.mask[r.at&3]
		r.at++
	}
}

// next takes the header of a frame, and all of a control frame.
func (r *Reader) next() error {
	head := r.head[:2]
	if _, err := io.ReadFull(r.in, head); err != nil {
		return err
	}
	first, second := head[0], head[1]
	if second&masked == 0 { // no client's
		return Violation(broken)
	}
	length := uint64(second &^ masked)
	switch size := length; size {
	case 126, 127:
		if first&control != 0 {
			return Violation(broken)
		}
		var err error
		if length, err = r.long(map[uint64]int{126: 2, 127: 8}[size]); err != nil {
			return err
		}
	}
	if _, err := io.ReadFull(r.in, r.mask[:]); err != nil {
		return err
	}
	r.at = 0
	if first&control != 0 {
		return r.control(first, int(length))
	}
	return r.data(first, length)
}

// long reads a length of so many bytes.
func (r *Reader) long(bytes int) (uint64, error) {
	raw := r.head[:bytes]
	if _, err := io.ReadFull(r.in, raw); err != nil {
		return 0, err
	}
	if bytes == 2 {
		return uint64(binary.BigEndian.Uint16(raw)), nil
	}
	length := binary.BigEndian.Uint64(raw)
	if length > math.MaxInt64 {
		return 0, Violation(broken)
	}
	return length, nil
}

// data begins a frame of the stream. A message may come in several (section 5.4).
func (r *Reader) data(first byte, length uint64) error {
	switch op := first &^ final; { // with an extension's bits, which make it none of these
	case op == textual: // MQTT 5 section 6.0
		return Violation(unsupported)
	case op == continuation && !r.open, op == Binary && r.open, op != continuation && op != Binary:
		return Violation(broken)
	}
	r.left, r.open = length, first&final == 0
	return nil
}

// control takes a control frame, which may come between two of a message.
func (r *Reader) control(first byte, length int) error {
	if first&final == 0 || length > maxControl {
		return Violation(broken)
	}
	var body [maxControl]byte
	defer clear(body[:])
	if _, err := io.ReadFull(r.in, body[:length]); err != nil {
		return err
	}
	r.unmask(body[:length])
	switch first &^ final {
	case Close:
		return io.EOF
	case ping:
		r.pong(body[:length])
	case Pong:
	default:
		return Violation(broken)
	}
	return nil
}

// Append appends a frame with a body to out: the server's, which are not masked.
func Append(out []byte, op byte, body []byte) []byte {
	out = append(out, final|op)
	switch n := len(body); {
	case n <= maxControl:
		out = append(out, byte(n))
	case n <= math.MaxUint16:
		out = binary.BigEndian.AppendUint16(append(out, 126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 127), uint64(n))
	}
	return append(out, body...)
}

// AppendClose appends a close frame with a code to out.
func AppendClose(out []byte, code uint16) []byte {
	return Append(out, Close, []byte{byte(code >> 8), byte(code)})
}
