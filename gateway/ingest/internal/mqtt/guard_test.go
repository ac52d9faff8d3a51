package mqtt

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// wire is a connection that a broker has written to.
type wire struct {
	io.Reader
	net.Conn
}

func (w wire) Read(p []byte) (int, error) { return w.Reader.Read(p) }

func publish(topic string, payload int) []byte {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Qos, p.MessageID = topic, bytes.Repeat([]byte("x"), payload), 1, 7
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestGuardPassesAndCuts(t *testing.T) {
	ping := packets.NewControlPacket(packets.Pingresp)
	var stream bytes.Buffer
	stream.Write(publish("a/b", 5))
	stream.Write(publish("c/d", 3<<20))
	if err := ping.Write(&stream); err != nil {
		t.Fatal(err)
	}
	stream.Write(publish("e/f", 1<<20))
	g := newGuard(wire{Reader: &stream})
	for _, want := range []struct {
		topic      string
		atLeast, n int
	}{{"a/b", 5, 5}, {"c/d", mostPayload, mostPublish}, {"", 0, 0}, {"e/f", 1 << 20, 1 << 20}} {
		p, err := packets.ReadPacket(g)
		if err != nil {
			t.Fatal(err)
		}
		if want.topic == "" {
			if _, ok := p.(*packets.PingrespPacket); !ok {
				t.Errorf("got %T; want the answer to a ping", p)
			}
			continue
		}
		m, ok := p.(*packets.PublishPacket)
		if !ok || m.TopicName != want.topic || len(m.Payload) < want.atLeast || len(m.Payload) > want.n || m.MessageID != 7 {
			t.Errorf("the publication on %s did not come through as it should", want.topic)
		}
	}
	if _, err := packets.ReadPacket(g); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v; want EOF", err)
	}
}

// TestGuardBelievesNoLength: five bytes that promise 256 MiB cost next to nothing.
func TestGuardBelievesNoLength(t *testing.T) {
	for name, header := range map[string][]byte{
		"publication": {0x32, 0xff, 0xff, 0xff, 0x7f}, "acknowledgement": {0x40, 0xff, 0xff, 0xff, 0x7f}, "endless length": {0x32, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := packets.ReadPacket(newGuard(wire{Reader: bytes.NewReader(header)}))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
}

// FuzzGuard: no stream panics, and none makes the client allocate a packet that
// is larger than the bound.
func FuzzGuard(f *testing.F) {
	f.Add(publish("a/b", 5))
	f.Add([]byte{0x32, 0xff, 0xff, 0xff, 0x7f, 0, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		g := newGuard(wire{Reader: bytes.NewReader(stream)})
		for range 100 {
			if err := g.next(); err != nil {
				return
			}
			if g.left > mostPublish {
				t.Fatal("a packet is passed on that is too large")
			}
			g.header = nil
			for g.left > 0 {
				if n, err := g.Read(make([]byte, 512)); err != nil || n == 0 {
					return
				}
			}
		}
	})
}

// TestRogueBroker: a server that is no broker, and one that lies about lengths,
// cost a try and nothing else.
func TestRogueBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tries := make(chan bool, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tries <- true
			// CONNACK, SUBACK for the first packet id, then the lie.
			_, _ = c.Write([]byte{0x20, 2, 0, 0, 0x90, 3, 0, 1, 1, 0x32, 0xff, 0xff, 0xff, 0x7f})
			time.AfterFunc(300*time.Millisecond, func() { _ = c.Close() })
		}
	}()
	c := open(t, "tcp://"+l.Addr().String())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		select {
		case <-tries:
		case <-time.After(10 * time.Second):
			t.Fatal("the gateway does not try again")
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
		t.Errorf("%d bytes were allocated for a lie", n)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
