package broadcast

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"
)

// client is a connection that counts what it is sent.
type client struct {
	net.Conn
	t *testing.T
}

// packet reads one packet: its first byte and its body.
func (c *client) packet() (kind byte, body []byte) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	one := make([]byte, 1)
	read := func() byte {
		if _, err := io.ReadFull(c, one); err != nil {
			c.t.Fatal(err)
		}
		return one[0]
	}
	kind = read()
	length := 0
	for shift := 0; ; shift += 7 {
		b := read()
		if length |= int(b&127) << shift; b < 128 {
			break
		}
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(c, body); err != nil {
		c.t.Fatal(err)
	}
	return kind, body
}

func (c *client) send(kind byte, body []byte) {
	c.t.Helper()
	if _, err := c.Write(slices.Concat([]byte{kind, byte(len(body)&127 | 128), byte(len(body) >> 7)},
		body)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) subscribe(number int) (granted int) {
	c.t.Helper()
	body := []byte{0, 1}
	for range number {
		body = append(body, 0, 1, '#', 0)
	}
	c.send(0x82, body)
	for {
		if kind, codes := c.packet(); kind == 0x90 {
			for _, code := range codes[2:] {
				if code == 0 {
					granted++
				}
			}
			return granted
		}
	}
}

// until counts publications up to one of a topic.
func (c *client) until(topic string) (n int) {
	c.t.Helper()
	for {
		if kind, body := c.packet(); kind&0xf0 == 0x30 {
			if n++; string(body[2:2+int(body[1])]) == topic {
				return n
			}
		}
	}
}

// TestRetainedIsSentOnce: who names a filter again and again is not sent all that is retained each
// time, and no packet has more filters than a connection may.
func TestRetainedIsSentOnce(t *testing.T) {
	b, err := Listen(Config{Addr: "127.0.0.1:0", Connections: 10, PerAddress: func(bool) int { return 0 },
		Log: slog.New(slog.DiscardHandler)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = b.server.Serve() }() // ends with Close
	defer b.server.Close()
	now := map[string]string{"open/z": "last"}
	for n := range 200 {
		now[fmt.Sprintf("open/%d", n)] = "x"
	}
	b.replace("open/", now)
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &client{conn, t}
	c.send(0x10, []byte{0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0})
	if kind, _ := c.packet(); kind != 0x20 {
		t.Fatalf("CONNECT is answered %#x", kind)
	}
	if granted := c.subscribe(1); granted != 1 {
		t.Fatalf("%d filters are granted", granted)
	}
	for range 2 {
		if granted := c.subscribe(1000); granted > subscriptions {
			t.Errorf("%d filters of one packet are granted", granted)
		}
	}
	now["open/zz"] = "news"
	b.replace("open/", now)
	if n := c.until("open/zz"); n > len(now) {
		t.Errorf("%d publications came of %d", n, len(now))
	}
}

// TestTopicsAreTheSame: of more than there may be the same ones are retained everywhere, and
// Home Assistant's take no room of the others.
func TestTopicsAreTheSame(t *testing.T) {
	b, err := Listen(Config{Addr: "127.0.0.1:0", Connections: 10, PerAddress: func(bool) int { return 0 },
		Log: slog.New(slog.DiscardHandler)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.server.Close()
	for _, prefix := range []string{"homeassistant/", "open/"} {
		now := make(map[string]string)
		for n := range maxTopics {
			now[fmt.Sprintf("%s%05d", prefix, n)] = "x"
		}
		b.replace(prefix, now)
		for n := range maxTopics {
			if _, there := b.retained[fmt.Sprintf("%s%05d", prefix, n)]; there != (n < maxTopics/2) {
				t.Fatalf("%s%05d is retained: %t", prefix, n, there)
			}
		}
	}
}
