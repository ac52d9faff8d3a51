package listener

import (
	"bytes"
	"errors"

	"sluice/internal/websocket"
)

// maxRequest is how many bytes of HTTP may come before a WebSocket.
const maxRequest = 4 << 10

// upgrade makes a WebSocket of a connection (RFC 6455 section 4.2). From then on what is read is
// what its frames hold, and what is written is framed.
func (c *conn) upgrade() *refusal {
	head := make([]byte, 0, 512)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		if len(head) == maxRequest {
			return &refusal{why: tooLarge}
		}
		b, err := c.in.ReadByte()
		if err != nil {
			return unheard(err)
		}
		head = append(head, b)
	}
	answer, ok := websocket.Upgrade(head, !c.l.secured())
	if !ok {
		return &refusal{why: noWebSocket, answer: answer}
	}
	if _, err := c.Conn.Write(answer); err != nil {
		return unheard(err)
	}
	c.web, c.farewell = true, websocket.Done
	c.in = newReader(unframed{c, websocket.NewReader(c.in, c.pong)})
	return nil
}

// unframed is what a WebSocket's frames hold. Who sends other frames is told so when the
// connection closes.
type unframed struct {
	c  *conn
	in *websocket.Reader
}

func (u unframed) Read(p []byte) (int, error) {
	n, err := u.in.Read(p)
	if what := websocket.Violation(0); errors.As(err, &what) {
		u.c.l.tally.add(malformed)
		u.c.mu.Lock()
		u.c.farewell = uint16(what)
		u.c.mu.Unlock()
	}
	return n, err
}

// pong queues the answer to a ping. A stranger's last one waits until there is something else
// to say (RFC 6455 section 5.5.3), so that it costs no more than another.
func (c *conn) pong(body []byte) {
	if c.client == nil {
		c.mu.Lock()
		c.waiting = websocket.Append(c.waiting[:0], websocket.Pong, body)
		c.mu.Unlock()
	} else if c.add(websocket.Pong, body) == nil { // or it is over
		c.send()
	}
}
