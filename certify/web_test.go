package certify

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
)

// masked is a client's side of a WebSocket, whose server sends whole frames.
type masked struct {
	net.Conn
	in   *bufio.Reader
	left int
}

// byWebSocket makes an opening handshake.
func byWebSocket(c net.Conn) (net.Conn, error) {
	in := bufio.NewReader(c)
	_, err := io.WriteString(c, "GET /mqtt HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+
		"Sec-WebSocket-Protocol: mqtt\r\n\r\n")
	if err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return nil, errors.New("no WebSocket")
	}
	return &masked{Conn: c, in: in}, nil
}

// Write sends a frame, masked with zeros.
func (m *masked) Write(p []byte) (int, error) {
	frame := []byte{0x82, 0x80 | byte(len(p))}
	if len(p) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{0x82, 0x80 | 126}, uint16(len(p)))
	}
	_, err := m.Conn.Write(append(append(frame, 0, 0, 0, 0), p...))
	return len(p), err
}

// Read reads what is in frames.
func (m *masked) Read(p []byte) (int, error) {
	if m.left == 0 {
		var head [2]byte
		if _, err := io.ReadFull(m.in, head[:]); err != nil {
			return 0, err
		}
		m.left = int(head[1] & 0x7f) // what is answered is short
	}
	n, err := m.in.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}
