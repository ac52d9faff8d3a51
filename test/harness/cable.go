package harness

import (
	"net"
	"sync"
	"testing"
	"time"
)

// link is a network path that can be cut, held and slowed.
type Cable struct {
	t      *testing.T
	l      net.Listener
	to     string
	Mu     sync.Mutex
	conns  []net.Conn    // guarded by mu
	held   bool          // nothing passes, and nobody is told; guarded by mu
	mute   bool          // answers are swallowed; guarded by mu
	Most   int           // bytes until the next connection is cut; 0: no bound; guarded by mu
	Pause  time.Duration // between two pieces; guarded by mu
	Passed int64         // connections so far; guarded by mu
}

// NewCable is a path to an address.
func NewCable(t *testing.T, to string) *Cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cable{t: t, l: l, to: to}
	t.Cleanup(func() { l.Close(); c.Cut() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.join(in)
		}
	}()
	return c
}

// Addr is where the path begins.
func (c *Cable) Addr() string { return c.l.Addr().String() }

func (c *Cable) join(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer out.Close()
	c.Mu.Lock()
	c.conns = append(c.conns, out, in) // the broker is told first, and so publishes the will
	c.Passed++
	left := &budget{n: c.Most}
	c.Mu.Unlock()
	done := make(chan bool, 2)
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() { c.copy(pair[1], pair[0], left, pair[0] == out); done <- true }()
	}
	<-done
}

// budget is how many bytes a connection may still carry; n 0 at first: any.
type budget struct {
	mu sync.Mutex
	n  int
}

func (b *budget) take(want int) (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n == 0 {
		return want, true
	}
	got := min(want, b.n)
	if b.n -= got; b.n == 0 {
		b.n = -1
	}
	return got, b.n > 0
}

func (c *Cable) copy(to, from net.Conn, left *budget, answers bool) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		for pause, held := c.state(); pause > 0 || held; _, held = c.state() {
			time.Sleep(max(pause, 10*time.Millisecond))
			pause = 0
		}
		if answers && c.swallows() {
			n = 0
		}
		got, more := left.take(n)
		if got > 0 {
			if _, err := to.Write(buf[:got]); err != nil {
				return
			}
		}
		if err != nil || !more {
			return
		}
	}
}

func (c *Cable) state() (time.Duration, bool) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	return c.Pause, c.held
}

// Mute has the cable swallow what the far end answers, while what is sent arrives.
func (c *Cable) Mute(on bool) { c.Mu.Lock(); defer c.Mu.Unlock(); c.mute = on }

func (c *Cable) swallows() bool { c.Mu.Lock(); defer c.Mu.Unlock(); return c.mute }

// Hold makes the cable a half-open link: what is sent is neither carried nor
// refused.
func (c *Cable) Hold(on bool) { c.Mu.Lock(); defer c.Mu.Unlock(); c.held = on }

// Cut breaks all connections.
func (c *Cable) Cut() {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns, c.held = nil, false
}
