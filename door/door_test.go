package door

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/stalls"
)

// house is a server behind a door.
type house struct {
	t    *testing.T
	door *Listener
	addr string
	work chan bool // /work answers when something comes out
}

func build(t *testing.T, limits Limits) *house {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, door: Listen(l, limits), addr: l.Addr().String(), work: make(chan bool)}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { Drop(w, r); _, _ = w.Write([]byte("hello")) })
	mux.HandleFunc("/work", func(http.ResponseWriter, *http.Request) { <-h.work })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 64<<20)) })
	s := Server(h.door, mux)
	go func() { _ = s.Serve(h.door) }()
	t.Cleanup(func() { _ = s.Close() })
	return h
}

// from dials from an address of this machine and says something.
func (h *house) from(host, say string) net.Conn {
	h.t.Helper()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}).Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	c = &stalls.Conn{Conn: c}
	if _, err := io.WriteString(c, say); err != nil {
		h.t.Fatal(err)
	}
	return c
}

const hello = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// served reads one answer to hello.
func served(c net.Conn, within time.Duration) error {
	_ = c.SetReadDeadline(time.Now().Add(within))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && string(body) != "hello" {
		err = fmt.Errorf("the answer is %q", body)
	}
	return err
}

// over reports whether the other side has ended a connection.
func over(c net.Conn, within time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(within))
	_, err := io.Copy(io.Discard, c)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	stalls.Until(t, 10*time.Second, what, ok)
}

func (d *Listener) count(rest bool) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		if !rest || c.idle() {
			n++
		}
	}
	return n
}

// TestFullMakesRoom: however those who are in do nothing, a newcomer is served, of
// their address or of another, and whoever did nothing for longest goes.
func TestFullMakesRoom(t *testing.T) {
	for name, say := range map[string]string{
		"silent":            "",
		"idle":              hello,
		"slow header":       "GET / HTTP/1.1\r\nX-Slow: ",
		"slow second":       hello + "GET / HTTP/1.1\r\nX-Slow: ",
		"slow reader":       "GET /long HTTP/1.1\r\nHost: x\r\n\r\n",
		"a body that waits": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			const total = 10
			h := build(t, Limits{Total: total})
			var rogues []net.Conn
			for n := range total {
				rogues = append(rogues, h.from("127.0.0.1", say))
				await(t, "them to be in", func() bool {
					return h.door.count(false) == n+1 || strings.HasPrefix(say, "POST")
				})
			}
			if !strings.HasPrefix(say, "POST") {
				await(t, "them to do nothing", func() bool { return h.door.count(true) == total })
			}
			for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
				if err := served(h.from(host, hello), 2*time.Second); err != nil {
					t.Errorf("a newcomer from %s: %v", host, err)
				}
			}
			first := rogues[:1]
			if name == "slow reader" {
				first = rogues
			}
			if !anyOver(first, 10*time.Second) {
				t.Error("the oldest is still there")
			}
			if h.door.count(false) > total {
				t.Errorf("%d are in", h.door.count(false))
			}
		})
	}
}

// anyOver reports whether one of the connections ends. Which of them has done nothing
// for longest, where each has to fill its buffers first, is the kernel's to say.
func anyOver(conns []net.Conn, within time.Duration) bool {
	ends := make(chan bool, len(conns))
	for _, c := range conns {
		go func() { ends <- over(c, within) }()
	}
	for range conns {
		if <-ends {
			return true
		}
	}
	return false
}

// TestTheManyGo: who has fewest connections keeps them.
func TestTheManyGo(t *testing.T) {
	h := build(t, Limits{Total: 10})
	honest := h.from("127.0.0.2", hello) // is the oldest
	if err := served(honest, 2*time.Second); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		h.from("127.0.0.1", "GET")
	}
	await(t, "the house to be full", func() bool { return h.door.count(false) == 10 })
	if _, err := io.WriteString(honest, hello); err != nil {
		t.Fatal(err)
	}
	if err := served(honest, 2*time.Second); err != nil {
		t.Errorf("the honest one: %v", err)
	}
}

// TestWorkIsNotInterrupted: an answer that is being made is finished, and a newcomer
// waits for it.
func TestWorkIsNotInterrupted(t *testing.T) {
	h := build(t, Limits{Total: 2})
	one, two := h.from("127.0.0.1", "GET /work HTTP/1.1\r\nHost: x\r\n\r\n"),
		h.from("127.0.0.1", "GET /work HTTP/1.1\r\nHost: x\r\n\r\n")
	await(t, "both to be at work", func() bool { return h.door.count(false) == 2 && h.door.count(true) == 0 })
	third := h.from("127.0.0.2", hello)
	if err := served(third, 300*time.Millisecond); err == nil {
		t.Error("a third was let in")
	}
	h.work <- true
	if err := served(third, 2*time.Second); err != nil {
		t.Errorf("when one was done, the third: %v", err)
	}
	h.work <- true
	for _, c := range []net.Conn{one, two} {
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Errorf("one who waited for an answer got %q (%v)", line, err)
		}
	}
}

// TestPerAddress: nobody has more than their share; who is at work stays.
func TestPerAddress(t *testing.T) {
	h := build(t, Limits{Total: 100, PerAddress: 3})
	first := h.from("127.0.0.1", hello)
	await(t, "the first to rest", func() bool { return h.door.count(true) == 1 }) // the longest, when others come
	for range 10 {
		if err := served(h.from("127.0.0.1", hello), 30*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.door.count(false); n != 3 {
		t.Errorf("%d are in", n)
	}
	if !over(first, 30*time.Second) {
		t.Error("the first is still there")
	}
	for range 3 {
		h.from("127.0.0.3", "GET /work HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	await(t, "three at work", func() bool { return h.door.count(false)-h.door.count(true) == 3 })
	if !over(h.from("127.0.0.3", ""), 30*time.Second) {
		t.Error("a fourth of an address whose three are at work was let in")
	}
	if err := served(h.from("127.0.0.2", hello), 30*time.Second); err != nil {
		t.Errorf("another: %v", err)
	}
	for range 3 {
		h.work <- true
	}
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	sum := 0
	for _, n := range h.door.per {
		sum += n
	}
	if sum != len(h.door.conns) {
		t.Errorf("%d are counted and %d are in", sum, len(h.door.conns))
	}
}

// TestCountsGoDown: who left is not counted, so addresses are forgotten.
func TestCountsGoDown(t *testing.T) {
	h := build(t, Limits{Total: 100, PerAddress: 3})
	for n := range 50 {
		if c := h.from(fmt.Sprintf("127.0.1.%d", n), hello); served(c, 2*time.Second) == nil {
			_ = c.Close()
		}
	}
	await(t, "all to be forgotten", func() bool {
		h.door.mu.Lock()
		defer h.door.mu.Unlock()
		return len(h.door.conns) == 0 && len(h.door.per) == 0
	})
}

// TestSlowReader: who takes nothing of an answer for a while loses it, long before the
// answer's own time is over; who takes a little at a time gets all.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	h := build(t, Limits{Total: 10})
	begun := time.Now()
	c := h.from("127.0.0.1", "GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
	await(t, "it to be in", func() bool { return h.door.count(false) == 1 })
	for h.door.count(false) == 1 {
		if time.Since(begun) > answerTime/2 {
			t.Fatal("a client that reads nothing keeps its place")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if took := time.Since(begun); took < partTime/2 {
		t.Errorf("it lost its place after %s", took)
	}
	await(t, "the system to give up what it did not read", func() bool { return state(t, c) == closed })
}

// closed is TCP_CLOSE of Linux's include/net/tcp_states.h.
const closed = 7

// state is what the system thinks of a connection.
func state(t *testing.T, c net.Conn) (n int) {
	t.Helper()
	raw, err := c.(*stalls.Conn).Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		n, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
	}); err != nil {
		t.Fatal(err)
	}
	return n & 0xff
}

// TestSteadyReader: each part that is read gives time for the next.
func TestSteadyReader(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer far.Close()
	c := &conn{Conn: near, door: Listen(nil, Limits{Total: 1})}
	_ = c.SetWriteDeadline(time.Now().Add(answerTime))
	go func() {
		for {
			if _, err := io.ReadFull(far, make([]byte, part)); err != nil {
				return
			}
			time.Sleep(partTime * 3 / 5)
		}
	}()
	if n, err := c.Write(make([]byte, 3*part)); err != nil || n != 3*part {
		t.Errorf("%d bytes were sent (%v)", n, err)
	}
}

// TestWholeAnswerHasATime: reading a part at a time does not go on for ever.
func TestWholeAnswerHasATime(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	c := &conn{Conn: near, door: Listen(nil, Limits{Total: 1})}
	_ = c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	go func() {
		for {
			if _, err := io.ReadFull(far, make([]byte, part)); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	if n, err := c.Write(make([]byte, 1000*part)); err == nil {
		t.Errorf("%d bytes were sent", n)
	}
}

// TestBodiesAreNotWaitedFor: the answer to a request with a body comes at once, and the
// connection ends, whether or not the body comes.
func TestBodiesAreNotWaitedFor(t *testing.T) {
	h := build(t, Limits{Total: 10})
	for _, say := range []string{
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
		"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hello,
	} {
		c := h.from("127.0.0.1", say)
		if err := served(c, 3*time.Second); err != nil {
			t.Errorf("%q: %v", say, err)
		}
		if !over(c, 3*time.Second) {
			t.Errorf("%q: the connection goes on", say)
		}
	}
}

func TestEndsWhileFull(t *testing.T) {
	h := build(t, Limits{Total: 1})
	h.from("127.0.0.1", "GET /work HTTP/1.1\r\nHost: x\r\n\r\n")
	await(t, "one at work", func() bool { return h.door.count(false) == 1 && h.door.count(true) == 0 })
	second := h.from("127.0.0.1", hello)
	time.Sleep(20 * time.Millisecond)
	if err := h.door.Close(); err != nil {
		t.Error(err)
	}
	if !over(second, 2*time.Second) {
		t.Error("who waited is still there")
	}
	h.work <- true
}

// TestSendBuffer: what the system keeps for a client that does not read is bounded.
func TestSendBuffer(t *testing.T) {
	h := build(t, Limits{Total: 1})
	h.from("127.0.0.1", "")
	await(t, "it to be in", func() bool { return h.door.count(false) == 1 })
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	for c := range h.door.conns {
		raw, err := c.Conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		if err := raw.Control(func(fd uintptr) {
			size, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
		}); err != nil || size == 0 || size > 2*sendBuffer {
			t.Errorf("the system may hold %d bytes (%v)", size, err)
		}
	}
}
