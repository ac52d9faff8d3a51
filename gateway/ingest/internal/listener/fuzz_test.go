package listener

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
)

// FuzzConnect gives a stranger's bytes to a listener with passwords: nothing of it
// ends the process, comes in or stays, and its CONNECT is not allocated beyond its bound.
func FuzzConnect(f *testing.F) {
	f.Add(hello(4, 2, "x", "a", "wrong"), 3)
	f.Add(hello(5, 0xff, "x", "", ""), 1)
	f.Add([]byte{0x10, 0xff, 0xff, 0x7f}, 2)
	f.Add(packet(0x10, text("MQTT"), []byte{5, 4, 0, 0, 5, 0x11, 0, 0, 0, 1}, text(""), []byte{0xff, 0x7f}), 9)
	f.Add(packet(0x82, []byte{0, 1, 0}, text("a")), 4)
	l, err := build(Config{
		Queue: intake.New(), Now: time.Now, Log: slog.New(slog.DiscardHandler), Passwords: secrets{"a": "right"},
		Feedback: map[string]string{"a": "f"},
		Fail:     func(err error) { panic(err) },
		times: times{connect: time.Second, packet: time.Second, slow: time.Second, write: time.Second,
			guess: time.Microsecond, longGuess: time.Microsecond},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(l.cancel)
	f.Fuzz(func(t *testing.T, raw []byte, piece int) {
		ours, theirs := net.Pipe()
		c := newConn(theirs, newPeer(theirs, l.turns), l)
		let := make(chan bool, 1)
		go func() {
			defer ours.Close()
			for n := max(1, piece%64); len(raw) > 0; raw = raw[min(n, len(raw)):] {
				if _, err := ours.Write(raw[:min(n, len(raw))]); err != nil {
					return
				}
			}
		}()
		go func() { _, _ = io.Copy(io.Discard, ours) }()
		no := c.authenticate()
		let <- no == nil
		if no == nil {
			c.cut(closing)
		} else {
			c.refuse(no)
		}
		c.cancel()
		if cap(c.rawConnect) > 5+maxConnect {
			t.Errorf("%d bytes were allocated for a stranger", cap(c.rawConnect))
		}
		if <-let && c.user == nil {
			t.Error("a stranger came in")
		}
		l.admitted.mu.Lock()
		defer l.admitted.mu.Unlock()
		if len(l.admitted.all) > 0 {
			t.Error("it stays")
		}
	})
}

// FuzzWebSocket gives a stranger's bytes to the WebSocket of a listener with passwords: nothing
// of it ends the process, comes in or stays.
func FuzzWebSocket(f *testing.F) {
	head := "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + offer + "\r\n"
	f.Add([]byte(head+masked(0x82, hello(4, 2, "x", "a", "wrong"))), 3)
	f.Add([]byte(head+masked(0x02, []byte{0x10, 0xff})+masked(0x89, []byte("p"))+masked(0x80, []byte{0xff, 0x7f})), 9)
	f.Add([]byte(head+masked(0x81, nil)), 1)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 7)
	l, err := build(Config{
		Queue: intake.New(), Now: time.Now, Log: slog.New(slog.DiscardHandler), Passwords: secrets{"a": "right"},
		Feedback: map[string]string{"a": "f"}, Fail: func(err error) { panic(err) },
		times: times{connect: time.Second, packet: time.Second, slow: time.Second, write: time.Second,
			guess: time.Microsecond, longGuess: time.Microsecond},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(l.cancel)
	f.Fuzz(func(t *testing.T, raw []byte, piece int) {
		ours, theirs := net.Pipe()
		p := newPeer(theirs, l.turns)
		p.door = webDoor
		c := newConn(theirs, p, l)
		go func() {
			defer ours.Close()
			for n := max(1, piece%64); len(raw) > 0; raw = raw[min(n, len(raw)):] {
				if _, err := ours.Write(raw[:min(n, len(raw))]); err != nil {
					return
				}
			}
		}()
		answer := make(chan []byte, 1)
		go func() {
			all, _ := io.ReadAll(bufio.NewReader(ours))
			answer <- all
		}()
		no := c.authenticate()
		if no == nil {
			t.Fatal("a stranger came in")
		}
		c.refuse(no)
		c.cancel()
		if len(c.waiting) > 127 {
			t.Errorf("%d bytes wait for a stranger", len(c.waiting))
		}
		if got := <-answer; len(got) > 1024 {
			t.Errorf("a stranger is answered %d bytes", len(got))
		}
	})
}
