package harness

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// WebSocket connects to ws:// or wss:// as a stream of bytes, by a library that the product has
// not.
func WebSocket(t testing.TB, url string, secure *tls.Config) net.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}, TLSClientConfig: secure, HandshakeTimeout: Patience}
	c, _, err := d.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &stream{Conn: c}
}

type stream struct {
	*websocket.Conn
	message io.Reader // at hand; nil for none
}

func (s *stream) Read(p []byte) (int, error) {
	for {
		if s.message == nil {
			kind, r, err := s.NextReader()
			switch {
			case err != nil:
				return 0, err
			case kind != websocket.BinaryMessage:
				return 0, errors.New("a frame that is not binary")
			}
			s.message = r
		}
		n, err := s.message.Read(p)
		if errors.Is(err, io.EOF) {
			s.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (s *stream) Write(p []byte) (int, error) {
	return len(p), s.WriteMessage(websocket.BinaryMessage, p)
}

func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}
