package mqtt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"runtime"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/gateway/ingest/internal/intake"
)

// wire is a connection that a broker has written to.
type wire struct {
	io.Reader
	net.Conn
}

func (w wire) Read(p []byte) (int, error) { return w.Reader.Read(p) }
func (w wire) Close() error               { return nil }

// said is a guard before a broker that has said so much, to a client that has
// subscribed to two filters with packet id 1, published with 2 and sent a ping.
func said(stream []byte) *guard {
	g := newGuard(wire{Reader: bytes.NewReader(stream)})
	g.asked.open = map[uint16]int{1: 2, 2: publication}
	g.asked.pings = 1
	return g
}

var welcome = []byte{0x20, 2, 0, 0}

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
	var stream bytes.Buffer
	for _, raw := range [][]byte{welcome, publish("a/b", 5), publish("c/d", 3<<20), {0xd0, 0}, publish("e/f", 1<<20),
		{0x90, 4, 0, 1, 1, 0x80}, {0x40, 2, 0, 2}, publish(string(make([]byte, 65535)), 0)} {
		stream.Write(raw)
	}
	g := said(stream.Bytes())
	next := func() packets.ControlPacket {
		t.Helper()
		p, err := packets.ReadPacket(g)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range g.head[:g.given] {
			if b != 0 {
				t.Fatalf("byte %d of what was handed out stays", i)
			}
		}
		return p
	}
	next() // CONNACK
	for _, want := range []struct {
		topic  string
		length int
	}{{"a/b", 5}, {"c/d", mostPayload}, {"", 0}, {"e/f", 1 << 20}} {
		p := next()
		if want.topic == "" {
			if _, ok := p.(*packets.PingrespPacket); !ok {
				t.Errorf("got %T; want the answer to a ping", p)
			}
			continue
		}
		m, ok := p.(*packets.PublishPacket)
		if !ok || m.TopicName != want.topic || len(m.Payload) != want.length || m.MessageID != 7 ||
			bytes.Trim(m.Payload, "x") != nil && len(bytes.Trim(m.Payload, "x")) > 0 {
			t.Errorf("the publication on %s did not come through as it should", want.topic)
		}
	}
	if p, ok := next().(*packets.SubackPacket); !ok || !bytes.Equal(p.ReturnCodes, []byte{1, 0x80}) {
		t.Errorf("the answer to SUBSCRIBE is %v", p)
	}
	if p, ok := next().(*packets.PubackPacket); !ok || p.MessageID != 2 {
		t.Errorf("the answer to PUBLISH is %v", p)
	}
	if p, ok := next().(*packets.PublishPacket); !ok || len(p.TopicName) != 65535 {
		t.Error("the longest topic did not come through")
	}
	if _, err := packets.ReadPacket(g); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v; want EOF", err)
	}
}

// lies are what no broker may send after CONNACK to a client that has asked what
// said says. Those that begin with CONNACK's own kind have none before them.
var lies = map[string][]byte{
	"CONNACK twice":                        {0x20, 2, 0, 0},
	"SUBACK with a code too many":          {0x90, 5, 0, 1, 1, 1, 1},
	"SUBACK with a code too few":           {0x90, 3, 0, 1, 1},
	"SUBACK without codes":                 {0x90, 2, 0, 1},
	"SUBACK of one byte":                   {0x90, 1, 0},
	"SUBACK of nothing":                    {0x90, 0},
	"SUBACK of 60,000 codes":               append([]byte{0x90, 0xe2, 0xd4, 3, 0, 1}, make([]byte, 60_000)...),
	"SUBACK for what was not asked":        {0x90, 4, 0, 9, 1, 1},
	"SUBACK for a PUBLISH":                 {0x90, 2, 0, 2},
	"SUBACK twice":                         {0x90, 4, 0, 1, 1, 1, 0x90, 4, 0, 1, 1, 1},
	"SUBACK with a code that is none":      {0x90, 4, 0, 1, 1, 3},
	"SUBACK with flags":                    {0x92, 4, 0, 1, 1, 1},
	"PUBACK for a SUBSCRIBE":               {0x40, 2, 0, 1},
	"PUBACK for what was not asked":        {0x40, 2, 0, 9},
	"PUBACK twice":                         {0x40, 2, 0, 2, 0x40, 2, 0, 2},
	"PUBACK of one byte":                   {0x40, 1, 0},
	"PUBACK of three bytes":                {0x40, 3, 0, 2, 0},
	"PUBACK of nothing":                    {0x40, 0},
	"PUBACK with flags":                    {0x44, 2, 0, 2},
	"PUBREC":                               {0x50, 2, 0, 2},
	"PUBREL":                               {0x62, 2, 0, 2},
	"PUBREL without its flags":             {0x60, 2, 0, 2},
	"PUBCOMP":                              {0x70, 2, 0, 2},
	"UNSUBACK":                             {0xb0, 2, 0, 1},
	"PINGRESP with a body":                 {0xd0, 1, 0},
	"PINGRESP twice":                       {0xd0, 0, 0xd0, 0},
	"PINGRESP with flags":                  {0xd1, 0},
	"CONNECT":                              {0x10, 2, 0, 0},
	"SUBSCRIBE":                            {0x82, 6, 0, 1, 0, 1, 'a', 1},
	"UNSUBSCRIBE":                          {0xa2, 5, 0, 1, 0, 1, 'a'},
	"PINGREQ":                              {0xc0, 0},
	"DISCONNECT":                           {0xe0, 0},
	"a packet of kind 0":                   {0x00, 0},
	"a packet of kind 15":                  {0xf0, 0},
	"PUBLISH with QoS 3":                   append([]byte{0x36, 20, 0, 1, 'a', 0, 1}, make([]byte, 15)...),
	"PUBLISH with QoS 2":                   append([]byte{0x34, 20, 0, 1, 'a', 0, 1}, make([]byte, 15)...),
	"PUBLISH with packet id 0":             {0x32, 6, 0, 1, 'a', 0, 0, 'x'},
	"PUBLISH again without QoS":            {0x38, 4, 0, 1, 'a', 'x'},
	"PUBLISH of nothing":                   {0x30, 0},
	"PUBLISH of one byte":                  {0x30, 1, 0},
	"PUBLISH without room for its id":      {0x32, 4, 0, 1, 'a', 0},
	"PUBLISH with a topic beyond its end":  {0x30, 4, 0xff, 0xff, 'a', 'x'},
	"PUBLISH with a topic over its id":     {0x32, 6, 0, 3, 'a', 'b', 'c', 0, 1},
	"an acknowledgement of 256 MiB":        {0x40, 0xff, 0xff, 0xff, 0x7f},
	"a length of five bytes":               {0x32, 0xff, 0xff, 0xff, 0xff, 0xff},
	"a length of five bytes, after SUBACK": {0x90, 4, 0, 1, 1, 1, 0x90, 0x80, 0x80, 0x80, 0x80, 1},
}

// greetings are what no broker may answer a CONNECT with.
var greetings = map[string][]byte{
	"CONNACK of one byte":                {0x20, 1, 0},
	"CONNACK of nothing":                 {0x20, 0},
	"CONNACK of three bytes":             {0x20, 3, 0, 0, 0},
	"CONNACK with flags":                 {0x21, 2, 0, 0},
	"CONNACK with a code that is none":   {0x20, 2, 0, 6},
	"CONNACK with code 254":              {0x20, 2, 0, 0xfe},
	"CONNACK with other bits":            {0x20, 2, 2, 0},
	"CONNACK refused, with a session":    {0x20, 2, 1, 5},
	"SUBACK before CONNACK":              {0x90, 4, 0, 1, 1, 1},
	"PUBLISH before CONNACK":             {0x30, 4, 0, 1, 'a', 'x'},
	"PINGRESP before CONNACK":            {0xd0, 0},
	"a server of another protocol":       []byte("SSH-2.0-x\r\n"),
	"a server of the web":                []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
	"a CONNACK that promises 256 MiB":    {0x20, 0xff, 0xff, 0xff, 0x7f},
	"a PUBLISH that promises 256 MiB":    {0x30, 0xff, 0xff, 0xff, 0x7f},
	"an endless length where CONNACK is": {0x20, 0xff, 0xff, 0xff, 0xff, 0xff},
}

// TestGuardRefuses: each lie is refused as such, and nothing of it is handed out.
func TestGuardRefuses(t *testing.T) {
	all := map[string][]byte{}
	for name, lie := range lies {
		all[name] = append(bytes.Clone(welcome), lie...)
	}
	for name, lie := range greetings {
		all[name] = lie
	}
	for name, stream := range all {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		g := said(stream)
		var err error
		for range 4 {
			if _, err = packets.ReadPacket(g); err != nil {
				break
			}
		}
		runtime.ReadMemStats(&after)
		if !errors.Is(err, errImpossible) || !g.refused.Load() || !errors.Is(g.why(io.EOF), errImpossible) {
			t.Errorf("%s: %v; want it refused", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
}

// TestGuardIsForPartsOnly: a packet that the library writes in parts would not be
// noted, so it is not sent.
func TestGuardIsForPartsOnly(t *testing.T) {
	for _, p := range [][]byte{{0x82}, {0x82, 6, 0, 1}, {0x82, 6, 0, 1, 0, 9, 'a', 1}, {0x82, 5, 0, 1, 0, 1, 'a'},
		{0x82, 1, 0}, {0x32, 3, 0, 9, 'a'}, {0x32, 3, 0, 1, 'a'}} {
		g := said(nil)
		if _, err := g.Write(p); !errors.Is(err, errParts) {
			t.Errorf("% x: %v", p, err)
		}
	}
}

// FuzzGuard: no stream panics, and what is passed on is what the library can
// parse, within bounds, and what a broker may send.
func FuzzGuard(f *testing.F) {
	for _, lie := range lies {
		if len(lie) < 100 {
			f.Add(append(bytes.Clone(welcome), lie...))
		}
	}
	f.Add(append(bytes.Clone(welcome), publish("a/b", 5)...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		g := said(stream)
		for n := 0; ; n++ {
			p, err := packets.ReadPacket(g)
			if err != nil {
				if !errors.Is(err, errImpossible) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("the library refuses what the guard let through: %v", err)
				}
				return
			}
			switch p := p.(type) {
			case *packets.ConnackPacket:
				if n > 0 || p.ReturnCode > 5 {
					t.Fatal("CONNACK is passed on")
				}
			case *packets.SubackPacket:
				if p.MessageID != 1 || len(p.ReturnCodes) != 2 {
					t.Fatal("SUBACK is passed on that does not fit")
				}
			case *packets.PubackPacket:
				if p.MessageID != 2 {
					t.Fatal("PUBACK is passed on for what was not asked")
				}
			case *packets.PingrespPacket:
			case *packets.PublishPacket:
				if p.Qos > 1 || p.Qos == 1 && p.MessageID == 0 || len(p.Payload) > mostPayload {
					t.Fatal("PUBLISH is passed on that cannot be")
				}
			default:
				t.Fatalf("%T is passed on", p)
			}
		}
	})
}

// FuzzBroker: whatever a broker says, before, at and after SUBSCRIBE, nothing
// panics in any goroutine of the library, and the connection ends when the broker ends it.
func FuzzBroker(f *testing.F) {
	for _, lie := range lies {
		if len(lie) < 100 {
			f.Add(byte(1), lie)
			f.Add(byte(2), lie)
		}
	}
	for _, lie := range greetings {
		f.Add(byte(0), lie)
	}
	queue := intake.New()
	go func() {
		for range queue.Ready() {
			if m, ok := queue.Take(); ok {
				queue.Done([]intake.Message{m})
			}
		}
	}()
	f.Fuzz(func(t *testing.T, stage byte, stream []byte) {
		near, far := net.Pipe()
		go (&fake{stage: int(stage % 3), lie: func(uint16, int) []byte { return stream }, leave: true}).serve(far)
		m, err := newMarkers(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &Client{acks: map[*guard][]byte{}, markers: m, cfg: Config{
			Broker: "tcp://h:1", ClientID: "t", Topics: []string{"a/#", "b/#"}, Marker: "a/m", Queue: queue,
			Now:  time.Now,
			Fail: func(err error) { t.Error(err) }, Log: slog.New(slog.DiscardHandler),
		}}
		c.reach = func(context.Context, *url.URL) (net.Conn, error) { return near, nil }
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := c.connection(ctx, &url.URL{}); err == nil || ctx.Err() != nil {
			t.Errorf("the connection ended with %v", err)
		}
	})
}

// TestWhoEnded: a connection that the other side has ended may be found so by a write
// before any read; one that is closed here is not the other side's doing.
func TestWhoEnded(t *testing.T) {
	t.Parallel()
	for name, there := range map[string]bool{"there": true, "here": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			far, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = far.Close() }()
			g := newGuard(c)
			if there {
				_ = far.Close()
			} else {
				_ = g.Close()
			}
			for deadline := time.Now().Add(20 * time.Second); ; {
				if _, err := g.send([]byte{0x40, 2, 0, 1}); err != nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("a connection that was ended takes everything")
				}
			}
			if _, err := g.Read(make([]byte, 1)); err == nil {
				t.Fatal("a connection that was ended gives something")
			}
			if g.endedThere() != there {
				t.Errorf("it was ended there: %v; want %v", g.endedThere(), there)
			}
		})
	}
}
