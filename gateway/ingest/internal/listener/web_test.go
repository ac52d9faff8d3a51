package listener

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	foreign "github.com/gorilla/websocket"

	"sluice/gateway/ingest/internal/intake"
	"sluice/internal/websocket"
)

// webConn is a WebSocket of a library that the product has not, as a stream.
type webConn struct {
	*foreign.Conn
	rest io.Reader
}

func (w *webConn) Read(p []byte) (int, error) {
	for {
		if w.rest == nil {
			kind, r, err := w.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != foreign.BinaryMessage {
				return 0, foreign.ErrBadHandshake
			}
			w.rest = r
		}
		n, err := w.rest.Read(p)
		if err == io.EOF {
			w.rest, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (w *webConn) Write(p []byte) (int, error) {
	return len(p), w.WriteMessage(foreign.BinaryMessage, p)
}

func (w *webConn) SetDeadline(t time.Time) error { return w.SetReadDeadline(t) }

// web connects by WebSocket, with the library.
func (s *stand) web(secure *tls.Config) *sensor {
	s.t.Helper()
	scheme := "ws://"
	if secure != nil {
		scheme = "wss://"
	}
	d := foreign.Dialer{Subprotocols: []string{"mqtt"}, TLSClientConfig: secure, EnableCompression: true}
	c, answer, err := d.Dial(scheme+s.l.WebSocket()+"/mqtt", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	if c.Subprotocol() != "mqtt" || answer.StatusCode != http.StatusSwitchingProtocols {
		s.t.Errorf("it is answered %+v", answer)
	}
	w := &webConn{Conn: c}
	return &sensor{w, s.t, newBuffered(w), 4}
}

// knock sends bytes to the WebSocket's address as they are.
func (s *stand) knock(parts ...string) *sensor {
	s.t.Helper()
	c, err := net.Dial("tcp", s.l.WebSocket())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	out := &sensor{c, s.t, newBuffered(c), 4}
	out.send([]byte(strings.Join(parts, "")))
	return out
}

// opening is a handshake, with a header more.
func (s *stand) opening(more string) string {
	return "GET /mqtt HTTP/1.1\r\nHost: " + s.l.WebSocket() + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + more + "\r\n"
}

const offer = "Sec-WebSocket-Protocol: mqtt\r\n"

// opened is a WebSocket that is open, its frames written by hand.
func (s *stand) opened() *sensor {
	s.t.Helper()
	c := s.knock(s.opening(offer))
	if r, err := http.ReadResponse(c.in, nil); err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("%+v, %v", r, err)
	}
	return c
}

// masked is a client's frame, whose mask is zero.
func masked(first byte, body []byte) string {
	raw := websocket.Append(nil, first, body)
	header := len(raw) - len(body)
	raw[0], raw[1] = first, raw[1]|0x80
	return string(raw[:header]) + "\x00\x00\x00\x00" + string(body)
}

// framed is the next frame from the server.
func (c *sensor) framed() (first byte, body []byte) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	head := make([]byte, 2)
	if _, err := io.ReadFull(c.in, head); err != nil {
		c.t.Fatal(err)
	}
	body = make([]byte, head[1]) // none here is longer than 125 bytes
	if _, err := io.ReadFull(c.in, body); err != nil {
		c.t.Fatal(err)
	}
	return head[0], body
}

// TestWebSocket: both versions work by WebSocket, in the clear and by TLS, with the same
// identities, and however packets are cut into frames.
func TestWebSocket(t *testing.T) {
	own := certificate(t)
	for name, secure := range map[string]*tls.Config{"in the clear": nil, "by TLS": own} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{TLS: secure, Passwords: secrets{"a": "right"}, Feedback: map[string]string{"a": "f"}})
			var client *tls.Config
			if secure != nil {
				client = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // its certificate is of this test
			}
			for _, version := range []byte{4, 5} {
				c := s.web(client)
				c.version = version
				c.send(hello(version, 2, "x", "a", "right"))
				if body := c.want(0x20); body[1] != 0 {
					t.Fatalf("version %d is refused with %#x", version, body[1])
				}
				c.works()
				c.send(bytes.Repeat([]byte{0xc0, 0}, 3)) // several in a frame
				for range 3 {
					c.want(0xd0)
				}
				for _, b := range []byte{0xc0, 0} { // one in several
					c.send([]byte{b})
				}
				c.want(0xd0)
				if m := <-s.taken; m.Sender != "a" || !m.Checked {
					t.Errorf("it is taken for %q", m.Sender)
				}
				c.send([]byte{0xe0, 0})
				c.gone(20 * time.Second)
			}
			c := s.web(client)
			c.send(hello(4, 2, "x", "a", "wrong"))
			if body := c.want(0x20); body[1] != 5 {
				t.Errorf("a wrong password is answered %#x", body[1])
			}
			c.gone(20 * time.Second)
		})
	}
}

// TestLargeByWebSocket: a publication in many frames comes whole, and one that is too large is
// told so as anywhere.
func TestLargeByWebSocket(t *testing.T) {
	s := open(t, Config{})
	c := s.web(nil)
	c.version = 5
	c.send(hello(5, 2, "x", "", ""))
	c.want(0x20)
	payload := append([]byte{0}, bytes.Repeat([]byte("0123456789abcdef"), 1<<16)...)
	for raw := reading(9, "city/v1/a/b/up", payload); len(raw) > 0; {
		n := min(len(raw), 10_007)
		c.send(raw[:n])
		raw = raw[n:]
	}
	c.want(0x40)
	if m := <-s.taken; !bytes.Equal(m.Payload, payload[1:]) {
		t.Error("it is taken for another")
	}
	c.send([]byte{0x32, 0xff, 0xff, 0xff, 0x7f})
	if body := c.want(0xe0); body[0] != 0x95 {
		t.Errorf("one that is too large is answered %#x", body[0])
	}
	c.gone(20 * time.Second)
}

// TestWhoOpensNoWebSocket: what does not begin as one is answered in HTTP, counted, and gone.
func TestWhoOpensNoWebSocket(t *testing.T) {
	s := open(t, Config{})
	for name, x := range map[string]struct {
		head string
		want int
	}{
		"another site's page": {s.opening(offer + "Origin: https://evil.example\r\n"), 403},
		"no subprotocol":      {s.opening(""), 400},
		"another subprotocol": {s.opening("Sec-WebSocket-Protocol: chat\r\n"), 400},
		"another name for this machine": {
			strings.Replace(s.opening(offer), "Host: 127.0.0.1", "Host: evil.example", 1), 403},
		"a browser": {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426},
		"no HTTP":   {"\x10\x0c\x00\x04MQTT\r\n\r\n", 400},
	} {
		c := s.knock(x.head)
		r, err := http.ReadResponse(c.in, nil)
		if err != nil || r.StatusCode != x.want {
			t.Fatalf("%s is answered %+v (%v); want %d", name, r, err, x.want)
		}
		c.gone(20 * time.Second)
	}
	if n := s.l.tally.counts[noWebSocket].Load(); n != 6 {
		t.Errorf("%d are counted; want 6", n)
	}
	// Where there are passwords, names are the city's to give.
	s = open(t, Config{Passwords: secrets{}})
	c := s.knock(strings.Replace(s.opening(offer), "Host: 127.0.0.1", "Host: gate.example", 1))
	if r, err := http.ReadResponse(c.in, nil); err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("by the city's name it is answered %+v (%v)", r, err)
	}
}

// TestHandshakesThatNeverEnd: a request has as long, and as many bytes, as a CONNECT.
func TestHandshakesThatNeverEnd(t *testing.T) {
	quick := ordinary
	quick.connect = time.Second
	s := open(t, Config{times: quick})
	var slow []*sensor
	for _, begun := range []string{"", "GET /mqtt HTTP/1.1\r\n", s.opening(offer),
		s.opening(offer) + masked(0x82, []byte{0x10}), s.opening(offer) + strings.Repeat(masked(0x89, nil), 100)} {
		slow = append(slow, s.knock(begun))
	}
	drip := s.knock("GET /mqtt HTTP/1.1\r\n") // a header at a time, for ever
	go func() {
		for _, err := drip.Write([]byte("X: y\r\n")); err == nil; _, err = drip.Write([]byte("X: y\r\n")) {
			time.Sleep(20 * time.Millisecond)
		}
	}()
	for _, c := range append(slow, drip) {
		c.gone(20 * time.Second)
	}
	if n := s.l.tally.counts[tooLate].Load(); n != 6 {
		t.Errorf("%d came too late; want 6", n)
	}
	large := s.knock("GET /mqtt HTTP/1.1\r\nX: ", strings.Repeat("y", maxRequest))
	large.gone(20 * time.Second)
	if n := s.l.tally.counts[tooLarge].Load(); n != 1 {
		t.Errorf("%d were too large; want 1", n)
	}
	s.connect(4, "x", "", "").works()
}

// TestFramesThatMQTTHasNot: who sends one is told so, counted, and gone.
func TestFramesThatMQTTHasNot(t *testing.T) {
	s := open(t, Config{})
	for name, x := range map[string]struct {
		sent string
		code []byte
	}{
		"text":       {masked(0x81, []byte("x")), []byte{0x03, 0xeb}},
		"not masked": {"\x82\x01x", []byte{0x03, 0xea}},
		"compressed": {masked(0xc2, []byte("x")), []byte{0x03, 0xea}},
		"closed":     {masked(0x88, []byte{0x03, 0xe8}), []byte{0x03, 0xe8}},
	} {
		before := s.l.tally.counts[malformed].Load()
		c := s.opened()
		c.send([]byte(masked(0x82, hello(4, 2, "x", "", ""))))
		if _, body := c.framed(); !bytes.Equal(body, []byte{0x20, 2, 0, 0}) {
			t.Fatalf("CONNACK is %x", body)
		}
		c.send([]byte(x.sent))
		if first, body := c.framed(); first != 0x88 || !bytes.Equal(body, x.code) {
			t.Errorf("%s is answered %#x %x; want a close frame with %x", name, first, body, x.code)
		}
		c.gone(20 * time.Second)
		if got := s.l.tally.counts[malformed].Load() - before; (got == 1) == (name == "closed") {
			t.Errorf("%s is counted %d times", name, got)
		}
	}
}

// TestPings: they are answered in their order, a stranger's last with the CONNACK; they keep no
// sensor alive that says nothing, and who does not read the answers is cut off.
func TestPings(t *testing.T) {
	s := open(t, Config{})
	c := s.opened()
	c.send([]byte(masked(0x89, []byte("1")) + masked(0x89, []byte("2")) +
		masked(0x82, packet(0x10, text("MQTT"), []byte{4, 2, 0, 1}, text("x")))))
	for _, want := range []string{"\x8a2", "\x82\x20\x02\x00\x00"} {
		if first, body := c.framed(); string([]byte{first})+string(body) != want {
			t.Errorf("it is answered %#x %x; want %x", first, body, want)
		}
	}
	c.send([]byte(masked(0x89, []byte("3"))))
	if first, body := c.framed(); first != 0x8a || string(body) != "3" {
		t.Errorf("a ping is answered %#x %x", first, body)
	}
	begun := time.Now()
	go func(c net.Conn) {
		for _, err := c.Write([]byte(masked(0x89, nil))); err == nil; _, err = c.Write([]byte(masked(0x89, nil))) {
			time.Sleep(50 * time.Millisecond)
		}
	}(c.Conn)
	c.gone(20 * time.Second)
	if took := time.Since(begun); took < 500*time.Millisecond {
		t.Errorf("it was gone after %s", took)
	}

	c = s.opened()
	c.send([]byte(masked(0x82, hello(4, 2, "x", "", ""))))
	c.framed()
	flood := []byte(strings.Repeat(masked(0x89, make([]byte, 125)), 1000))
	_ = c.SetWriteDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, err := c.Write(flood); err != nil {
			break
		}
	}
	for begun := time.Now(); s.l.tally.counts[readsNothing].Load() != 1; time.Sleep(time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("nobody is counted that does not read")
		}
	}
}

// TestAStrangersPingsCostNothing: however many there are, one answer waits.
func TestAStrangersPingsCostNothing(t *testing.T) {
	l, err := build(Config{Queue: intake.New(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.cancel)
	ours, theirs := net.Pipe()
	c := newConn(theirs, newPeer(theirs, l.turns), l)
	c.web = true
	c.in = newReader(unframed{c, websocket.NewReader(c.in, c.pong)})
	go func() {
		for range 10_000 {
			_, _ = ours.Write([]byte(masked(0x89, make([]byte, 125)))) // or it is over
		}
		_ = ours.Close()
	}()
	l.turns <- struct{}{}
	if _, err := c.in.ReadByte(); err != io.EOF {
		t.Errorf("after pings only: %v", err)
	}
	if len(c.waiting) != 127 || cap(c.waiting) > 1024 {
		t.Errorf("%d bytes wait, with room for %d", len(c.waiting), cap(c.waiting))
	}
}

// TestBothDoorsEnd: whoever is connected is told that the gateway stops, by whatever door.
func TestBothDoorsEnd(t *testing.T) {
	s := open(t, Config{})
	var all []*sensor
	for _, c := range []*sensor{s.web(nil), s.dial(), s.web(nil), s.dial()} {
		c.version = 5
		c.send(hello(5, 2, "", "", ""))
		c.want(0x20)
		all = append(all, c)
	}
	for _, id := range []string{webDoor, plainDoor} {
		d, ok := s.l.server.Listeners.Get(id)
		if !ok {
			t.Fatal("there is no ", id)
		}
		d.Close(nil)
	}
	for n, c := range all {
		if body := c.want(0xe0); body[0] != 0x8b {
			t.Errorf("sensor %d is told %#x", n, body[0])
		}
		if _, err := c.in.ReadByte(); n%2 == 0 && !foreign.IsCloseError(err, foreign.CloseNormalClosure) {
			t.Errorf("the WebSocket of sensor %d ends with %v", n, err)
		}
	}
}
