package opendata

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/gorilla/websocket"
)

// dial connects as a page of another site does.
func (q *square) dial() (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}, HandshakeTimeout: 20 * time.Second}
	return d.Dial(strings.Replace(q.base, "http", "ws", 1)+"/mqtt",
		http.Header{"Origin": {"https://elsewhere.example"}})
}

// TestBroadcastOverWebSocket: a client of others has what is retained, then each window that
// closes, where nothing listens but HTTP.
func TestBroadcastOverWebSocket(t *testing.T) {
	q := newSquare(t, 1)
	q.release(0)
	q.open(configured(t, "mqtt: {websocket: true}\nconnections: {per_address: 1}"))
	defer q.stop()
	if q.mqtt != "" {
		t.Errorf("it listens at %s", q.mqtt)
	}
	said, lost := make(chan paho.Message, 10), make(chan error, 1)
	c := paho.NewClient(paho.NewClientOptions().AddBroker(strings.Replace(q.base, "http", "ws", 1) + "/mqtt").
		SetAutoReconnect(false).SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err }))
	done := func(what paho.Token) {
		t.Helper()
		if !what.WaitTimeout(20*time.Second) || what.Error() != nil {
			t.Fatal(what.Error())
		}
	}
	next := func() paho.Message {
		t.Helper()
		select {
		case m := <-said:
			return m
		case <-time.After(20 * time.Second):
			t.Fatal("nothing comes")
		}
		return nil
	}
	done(c.Connect())
	done(c.Subscribe("open/v1/noise/+", 0, func(_ paho.Client, m paho.Message) { said <- m }))
	if m := next(); !m.Retained() || m.Topic() != "open/v1/noise/a" {
		t.Errorf("%s: %s", m.Topic(), m.Payload())
	}
	q.release(0)
	m := next()
	item := items(t, q.base, "/api/v1/streams/noise/latest")[0] // its one connection of HTTP is another
	if m.Retained() || !bytes.HasSuffix(m.Payload(), []byte(`"items":[`+item+"]}")) {
		t.Errorf("after the window has closed it is %s", m.Payload())
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, resp, err := q.dial()
		if err == nil {
			t.Error("a second one of the address is taken")
			break
		}
		if resp != nil { // else HTTP had no room for it beside the one that asked before
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
				t.Errorf("a second one of the address: %d, %v", resp.StatusCode, resp.Header)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a second one of the address has no answer")
		}
	}
	c.Publish("open/v1/noise/a", 0, true, "x")
	select {
	case <-lost:
	case <-time.After(20 * time.Second):
		t.Error("who publishes stays")
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, _, err := q.dial(); err == nil {
			c.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("who has left keeps its seat")
		}
	}
}

// TestWebSocketHandshakes: what is no WebSocket of MQTT gets a problem that says what is missing.
func TestWebSocketHandshakes(t *testing.T) {
	q := newSquare(t, 1)
	q.open(configured(t, "mqtt: {websocket: true}"))
	defer q.stop()
	for name, x := range map[string]struct {
		method, header, value string
		want                  int
	}{
		"an ordinary request":  {"GET", "Upgrade", "", 426},
		"HEAD":                 {"HEAD", "", "", 400},
		"POST":                 {"POST", "", "", 405},
		"another version":      {"GET", "Sec-WebSocket-Version", "8", 426},
		"a short key":          {"GET", "Sec-WebSocket-Key", "c2hvcnQ=", 400},
		"another subprotocol":  {"GET", "Sec-WebSocket-Protocol", "chat", 400},
		"a browser that reads": {"GET", "Connection", "keep-alive", 426},
	} {
		r, err := http.NewRequestWithContext(t.Context(), x.method, q.base+"/mqtt", nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
			"Sec-WebSocket-Protocol": "mqtt"} {
			r.Header.Set(k, v)
		}
		if x.header != "" {
			r.Header.Set(x.header, x.value)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != x.want || resp.Header.Get("Content-Type") != "application/problem+json" ||
			(resp.Header.Get("Sec-WebSocket-Version") == "13") != (x.want == 426) {
			t.Errorf("%s: %d %v", name, resp.StatusCode, resp.Header)
		}
	}
}

// TestWebSocketRefuses: frames are bounded as packets are, and who sends none of MQTT's is told so.
func TestWebSocketRefuses(t *testing.T) {
	q := newSquare(t, 1)
	q.open(configured(t, "mqtt: {websocket: true}"))
	defer q.stop()
	four := []byte{0x10, 0x0d, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'x'}
	for name, x := range map[string]struct {
		say  func(c *websocket.Conn) error
		code int // of the close frame; 0 for any end
	}{
		"text": {func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, four) },
			websocket.CloseUnsupportedData},
		"no MQTT": {func(c *websocket.Conn) error { return c.WriteMessage(websocket.BinaryMessage, []byte("GET /")) },
			websocket.CloseNormalClosure},
		"a huge packet": {func(c *websocket.Conn) error {
			return c.WriteMessage(websocket.BinaryMessage, append(bytes.Clone(four), 0x30, 0xff, 0xff, 0x7f))
		}, websocket.CloseNormalClosure},
		"packets": {func(c *websocket.Conn) error {
			many := bytes.Repeat([]byte{0xc0, 0}, 200)
			return c.WriteMessage(websocket.BinaryMessage, append(bytes.Clone(four), many...))
		}, websocket.CloseNormalClosure},
		"pings": {func(c *websocket.Conn) error {
			return repeat(c, four, websocket.PingMessage, 100)
		}, 0},
		"pongs": {func(c *websocket.Conn) error {
			return repeat(c, four, websocket.PongMessage, 100_000)
		}, 0},
		"frames with nothing in them": {func(c *websocket.Conn) error {
			return repeat(c, four, websocket.BinaryMessage, 100_000)
		}, 0},
	} {
		c, _, err := q.dial()
		if err != nil {
			t.Fatal(err)
		}
		c.SetPongHandler(func(string) error { return nil })
		go func() { _ = x.say(c) }() // it may be over meanwhile
		begun := time.Now()
		_ = c.SetReadDeadline(begun.Add(time.Minute))
		for err = nil; err == nil; {
			_, _, err = c.ReadMessage()
		}
		timeout, _ := err.(net.Error) //nolint:errorlint // of the connection itself
		if timeout != nil && timeout.Timeout() || x.code != 0 && !websocket.IsCloseError(err, x.code) {
			t.Errorf("%s: it ends with %v", name, err)
		}
		if took := time.Since(begun); took > connected-time.Second {
			t.Errorf("%s: it ends after %s, as who says no CONNECT does", name, took)
		}
		c.Close()
	}
}

// connected is how long the broker waits for a CONNECT: what ends later ended of that.
const connected = 10 * time.Second

// repeat sends a CONNECT and many frames with nothing in them, all at once: what comes slowly is allowed.
func repeat(c *websocket.Conn, connect []byte, kind byte, n int) error {
	if err := c.WriteMessage(websocket.BinaryMessage, connect); err != nil {
		return err
	}
	_, err := c.NetConn().Write(bytes.Repeat([]byte{0x80 | kind, 0x80, 0, 0, 0, 0}, n)) // RFC 6455, 5.2
	return err
}
