package mqtt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/gateway/ingest/internal/intake"
	"sluice/test/stalls"
)

// fake is a broker that behaves until it lies: in place of CONNACK (stage 0), of
// SUBACK (1), or once the gateway's marker is there and acknowledged (2).
type fake struct {
	stage int
	lie   func(id uint16, filters int) []byte // for the SUBSCRIBE or the marker
	leave bool                                // when it has lied

	before []byte // said before the lie, and
	late   time.Duration
}

// answer is what it says to a packet, and whether that is the lie.
func (f *fake) answer(p packets.ControlPacket) (out []byte, lied bool) {
	at, id, filters := -1, p.Details().MessageID, 0
	switch p := p.(type) {
	case *packets.ConnectPacket:
		at, out = 0, welcome
	case *packets.SubscribePacket:
		at, filters = 1, len(p.Topics)
		out = append([]byte{0x90, byte(2 + filters), byte(id >> 8), byte(id)}, make([]byte, filters)...)
	case *packets.PublishPacket:
		at, out = 2, []byte{0x40, 2, byte(id >> 8), byte(id)}
	case *packets.PingreqPacket:
		return []byte{0xd0, 0}, false
	}
	if at != f.stage || f.lie == nil {
		return out, false
	}
	lie := f.lie(id, filters)
	if at == 2 {
		lie = append(out, lie...)
	}
	return lie, true
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		out, lied := f.answer(p)
		written := make(chan bool)
		go func() { // a pipe has no room: it must be read meanwhile
			defer close(written)
			if lied && f.late > 0 {
				_, _ = c.Write(f.before)
				time.Sleep(f.late)
			}
			_, _ = c.Write(out)
			if lied && f.leave {
				_ = c.Close()
			}
		}()
		if _, piped := c.(*net.TCPConn); piped || !lied {
			<-written
		}
	}
}

// listen serves as a fake broker and counts connections.
func (f *fake) listen(t *testing.T) (address string, tries *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	tries = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tries.Add(1)
			go f.serve(c)
		}
	}()
	return "tcp://" + l.Addr().String(), tries
}

func await(t *testing.T, most time.Duration, what string, ok func() bool) {
	t.Helper()
	stalls.Until(t, max(most, 20*time.Second), what, ok)
}

// rogues are brokers that lie to a client which has asked for one filter.
func rogues() map[string]*fake {
	all := map[string]*fake{}
	for name, lie := range greetings {
		all[name] = &fake{lie: func(uint16, int) []byte { return lie }}
	}
	for name, lie := range lies {
		if !strings.Contains(name, "after SUBACK") && !strings.HasSuffix(name, "twice") {
			all[name] = &fake{stage: 2, lie: func(uint16, int) []byte { return lie }}
		}
	}
	for name, lie := range map[string]func(id byte, filters int) []byte{
		"a code too many": func(id byte, n int) []byte {
			return append([]byte{0x90, byte(3 + n), 0, id}, make([]byte, n+1)...)
		},
		"a code too few": func(id byte, n int) []byte {
			return append([]byte{0x90, byte(1 + n), 0, id}, make([]byte, n-1)...)
		},
		"a code that is none": func(id byte, n int) []byte {
			return append([]byte{0x90, byte(2 + n), 0, id, 7}, make([]byte, n-1)...)
		},
		"another id": func(id byte, n int) []byte {
			return append([]byte{0x90, byte(2 + n), 0, id + 1}, make([]byte, n)...)
		},
		"PUBACK in its place":   func(id byte, _ int) []byte { return []byte{0x40, 2, 0, id} },
		"UNSUBACK in its place": func(id byte, _ int) []byte { return []byte{0xb0, 2, 0, id} },
		"CONNACK in its place":  func(byte, int) []byte { return welcome },
		"SUBACK once and again": func(id byte, n int) []byte {
			one := append([]byte{0x90, byte(2 + n), 0, id}, make([]byte, n)...)
			return append(one, one...)
		},
	} {
		all["SUBSCRIBE: "+name] = &fake{stage: 1, lie: func(id uint16, n int) []byte { return lie(byte(id), n) }}
	}
	return all
}

// TestRogueBroker: a server that is no broker, and one that lies, cost a try and
// nothing else; the gateway says so, and tries again.
func TestRogueBroker(t *testing.T) {
	for name, rogue := range rogues() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, tries := rogue.listen(t)
			c := open(t, address)
			await(t, 20*time.Second, "the lie to be refused, and the next try", func() bool {
				return c.Status().Problem == errImpossible.Error() && tries.Load() > 1
			})
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLookAtRogues: doctor looks through the same guard.
func TestLookAtRogues(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for name, rogue := range rogues() {
		address, _ := rogue.listen(t)
		wg.Go(func() {
			p := Look(t.Context(), Config{Broker: address, ClientID: "test", Marker: "city/v1/test/marker"})
			if p.Problem == "" || p.Reads || p.Writes {
				t.Errorf("%s: doctor found %+v", name, p)
			}
		})
	}
	wg.Wait()
}

// TestBackOff: a broker that does its work and then lies, or leaves at once, is not
// tried again at once for ever, and the log says so once.
func TestBackOff(t *testing.T) {
	const late = 5 * shortLife / 4
	for name, f := range map[string]*fake{
		"leaves": {stage: 2, lie: func(uint16, int) []byte { return publish("city/v1/a/b/up", 1) }, leave: true},
		"lies": {stage: 2, lie: func(uint16, int) []byte {
			return append(publish("city/v1/a/b/up", 1), 0xf0, 0)
		}},
		"lies late": {stage: 2, late: late, lie: func(uint16, int) []byte {
			return []byte{0xf0, 0}
		}, before: publish("city/v1/a/b/up", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, tries := f.listen(t)
			var said bytes.Buffer // written by the client's one goroutine, which Close awaits
			c := openWith(t, address, slog.New(slog.NewTextHandler(&said, nil)))
			stop := acknowledge(t, c)
			begun := time.Now()
			await(t, 30*time.Second, "the fifth try", func() bool { return tries.Load() >= 5 })
			if took := time.Since(begun) - 4*f.late; took < 2*time.Second {
				t.Errorf("it was tried five times within %s", took)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			stop()
			// One line for the connection that broke, and one once it is taken for a rival's doing.
			if n := strings.Count(said.String(), "is away"); n > 2 {
				t.Errorf("after five tries there are %d lines:\n%s", n, said.String())
			}
		})
	}
}

// acknowledge takes what comes in, as ingest does.
func acknowledge(t *testing.T, c *Client) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan bool)
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.cfg.Queue.Ready():
				if m, ok := c.cfg.Queue.Take(); ok {
					list := []intake.Message{m}
					c.Ack(list)
					c.cfg.Queue.Done(list)
				}
			}
		}
	}()
	return func() { cancel(); <-done }
}

// TestFloods: a broker that sends without end, empty or retained, costs no memory and
// is read on.
func TestFloods(t *testing.T) {
	const number = 100_000
	flood := make([]byte, 0, 8*number)
	for n := range number {
		flood = append(flood, 0x31, 3, 0, 1, 'a') // retained, empty
		if n%10 == 0 {
			flood = append(flood, 0x32, 5, 0, 1, 'a', 0, byte(1+n%200))
		}
	}
	address, _ := (&fake{stage: 2, lie: func(uint16, int) []byte { return flood }}).listen(t)
	c := open(t, address)
	var before, most runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	deadline := time.After(60 * time.Second)
	for n := 0; n < number+number/10; {
		select {
		case <-c.cfg.Queue.Ready():
			m, ok := c.cfg.Queue.Take()
			if !ok {
				continue
			}
			n++
			list := []intake.Message{m}
			c.Ack(list)
			c.cfg.Queue.Done(list)
		case <-deadline:
			t.Fatalf("only %d came", n)
		}
		if n%10_000 == 0 {
			runtime.ReadMemStats(&most)
			if grown := int64(most.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
				t.Fatalf("%d bytes more are in use", grown)
			}
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestWaitingForRoomEnds: where intake stands still, a connection that is given up
// leaves nobody waiting behind.
func TestWaitingForRoomEnds(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	go (&fake{stage: 1, lie: func(uint16, int) []byte { return publish("city/v1/a/b/up", 1) }}).serve(far)
	m, err := newMarkers(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{markers: m,
		cfg: Config{Broker: "tcp://h:1", ClientID: "t", Topics: []string{"a/#"}, Marker: "a/m", Queue: intake.New(),
			Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	c.reach = func(context.Context, *url.URL) (net.Conn, error) { return near, nil }
	for _, size := range []int{8 << 10, 0} {
		for full := false; !full; {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			full = !c.cfg.Queue.Put(ctx, intake.Message{Payload: make([]byte, size)})
			cancel()
		}
	}
	if err := c.connection(t.Context(), &url.URL{}); !errors.Is(err, errSilent) {
		t.Errorf("the connection ended with %v", err)
	}
	await(t, 5*time.Second, "the message to be given up", func() bool {
		buf := make([]byte, 8<<20)
		return !strings.Contains(string(buf[:runtime.Stack(buf, true)]), fmt.Sprintf("mqtt.(*Client).take(%p", c))
	})
}

// TestMostUnanswered: a broker that never acknowledges feedback is not given more of it.
func TestMostUnanswered(t *testing.T) {
	address, _ := (&fake{stage: -1}).listen(t)
	c := open(t, address)
	await(t, 10*time.Second, "the connection", func() bool { return c.Status().Up })
	c.mu.Lock()
	c.conn.asked.mu.Lock()
	for n := range mostUnanswered {
		c.conn.asked.open[uint16(20_000+n)] = publication
	}
	c.conn.asked.mu.Unlock()
	c.mu.Unlock()
	if c.Publish("a", nil) == nil {
		t.Error("one more publication went out")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestSilentBroker: one that takes the connection and says nothing does not keep the
// gateway from ending.
func TestSilentBroker(t *testing.T) {
	t.Parallel()
	address, tries := (&fake{lie: func(uint16, int) []byte { return nil }}).listen(t)
	c := open(t, address)
	await(t, 10*time.Second, "the connection", func() bool { return tries.Load() == 1 })
	took := stalls.Took(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if took > answer/2 {
		t.Errorf("closing took %s", took)
	}
}
