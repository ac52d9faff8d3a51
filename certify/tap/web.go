package tap

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"sluice/internal/websocket"
)

// maxHead is how many bytes an opening handshake may have.
const maxHead = 16 << 10

// web is a WebSocket as a stream of MQTT.
type web struct {
	net.Conn
	in *websocket.Reader

	mu  sync.Mutex
	out []byte // a frame on its way; guarded by mu
}

// upgrade takes an opening handshake, at any path as a gateway's listener does; nil where there is none.
func upgrade(c net.Conn) net.Conn {
	_ = c.SetDeadline(time.Now().Add(connectTime))
	head := &io.LimitedReader{R: c, N: maxHead}
	early := bufio.NewReader(head)
	r, err := http.ReadRequest(early)
	if err != nil {
		return nil
	}
	answer, refused := websocket.Accept(r)
	if refused != nil {
		answer = []byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
	}
	if _, err := c.Write(answer); err != nil || refused != nil {
		return nil
	}
	_ = c.SetDeadline(time.Time{})
	head.N = 1 << 62 // from here on it is the stream
	w := &web{Conn: c}
	w.in = websocket.NewReader(early, func(body []byte) { _, _ = w.send(websocket.Pong, body) })
	return w
}

// Read implements net.Conn.
func (w *web) Read(p []byte) (int, error) { return w.in.Read(p) }

// Write implements net.Conn.
func (w *web) Write(p []byte) (int, error) { return w.send(websocket.Binary, p) }

func (w *web) send(op byte, p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = websocket.Append(w.out[:0], op, p)
	if _, err := w.Conn.Write(w.out); err != nil {
		return 0, err
	}
	return len(p), nil
}
