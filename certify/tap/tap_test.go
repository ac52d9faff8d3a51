package tap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// gateway answers CONNECT, and each publication at QoS 1, as a listener does; the user "nobody" is refused.
func gateway(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	return l.Addr().String()
}

func answer(c net.Conn) {
	defer c.Close()
	f := frames{r: bufio.NewReader(c)}
	for f.next() {
		out := []byte{packets.Puback << 4, 2, 0, 0}
		switch f.kind() {
		case packets.Connect:
			out = []byte{packets.Connack << 4, 2, 0, 0}
			if bytes.Contains(f.body(), []byte("nobody")) {
				out[3] = 5
			}
		case packets.Publish:
			n := int(f.body()[0])<<8 | int(f.body()[1])
			copy(out[2:], f.body()[2+n:])
		default:
			continue
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// open runs a tap before a gateway.
func open(t *testing.T, own *tls.Certificate) *Tap {
	t.Helper()
	tap, err := Listen("127.0.0.1:0", own, gateway(t), "ear", Plain("up", "hb"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tap.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return tap
}

// next is the next event.
func next(t *testing.T, tap *Tap, want What) Event {
	t.Helper()
	select {
	case e := <-tap.Events():
		if e.What != want {
			t.Fatalf("event %d, want %d", e.What, want)
		}
		return e
	case <-time.After(30 * time.Second):
		t.Fatalf("no event %d", want)
	}
	return Event{}
}

func connectAs(user string) []byte {
	p := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 4,
		Connect: packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: "x", Clean: true,
			UsernameFlag: true, Username: []byte(user)}}
	var b bytes.Buffer
	_ = p.ConnectEncode(&b)
	return b.Bytes()
}

func publication(topic, payload string, id uint16) []byte {
	p := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 4,
		TopicName: topic, Payload: []byte(payload), PacketID: id}
	var b bytes.Buffer
	_ = p.PublishEncode(&b)
	return b.Bytes()
}

func dial(t *testing.T, tap *Tap, send []byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", tap.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.Write(send); err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, c io.Reader, want ...byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v (%v), want %v", got, err, want)
	}
}

func closed(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes, want the end", n)
	}
}

// TestPasses: packets pass, are told by what they are, and one acknowledgement is kept back.
func TestPasses(t *testing.T) {
	tap := open(t, nil)
	c := dial(t, tap, connectAs("ear"))
	read(t, c, packets.Connack<<4, 2, 0, 0)
	if e := next(t, tap, Connected); e.Version != 4 {
		t.Errorf("MQTT %d", e.Version)
	}
	for i, topic := range []string{"up", "hb", "else"} {
		_, _ = c.Write(publication(topic, `{"ts":"2026-11-23T10:00:00Z","seq":1,"every":"PT1M"}`, uint16(i+1)))
		e := next(t, tap, Published)
		if m := e.Message; int(m.Where) != i || m.QoS != 1 || m.Known != (i < 2) || (len(m.Stamps) == 1) != (i == 0) ||
			(m.Every == time.Minute) != (i == 1) {
			t.Errorf("%+v", m)
		}
		next(t, tap, Acknowledged)
		read(t, c, packets.Puback<<4, 2, 0, byte(i+1))
	}
	tap.Withhold(true)
	_, _ = c.Write(publication("hb", `{}`, 6))
	next(t, tap, Published)
	next(t, tap, Acknowledged) // heartbeats are acknowledged
	read(t, c, packets.Puback<<4, 2, 0, 6)
	_, _ = c.Write(publication("up", `{}`, 7))
	next(t, tap, Published)
	next(t, tap, Withheld)
	_, _ = c.Write(publication("up", `{}`, 8))
	next(t, tap, Published)
	next(t, tap, Acknowledged)
	read(t, c, packets.Puback<<4, 2, 0, 8) // and not 7
	tap.Cut()
	next(t, tap, Gone)
	closed(t, c)
}

// TestFive: publications of MQTT 5 have properties before their payload.
func TestFive(t *testing.T) {
	s := &session{tap: &Tap{speaks: Plain("up", "hb")}, version: 5,
		waiting: map[uint16]*Message{}}
	p := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1, Dup: true}, ProtocolVersion: 5,
		TopicName: "up", Payload: []byte(`{"seq":7}`), PacketID: 9,
		Properties: packets.Properties{User: []packets.UserProperty{{Key: "a", Val: "b"}}}}
	var b bytes.Buffer
	if err := p.PublishEncode(&b); err != nil {
		t.Fatal(err)
	}
	f := frames{r: bufio.NewReader(&b)}
	if !f.next() {
		t.Fatal("no packet")
	}
	m := s.publish(f.header, f.body())
	if m == nil || m.Where != Readings || !m.Dup || len(m.Stamps) != 1 || m.Stamps[0].Seq != 7 || s.waiting[9] != m {
		t.Errorf("%+v", m)
	}
}

// TestOneAtATime: a device that connects again ends its old connection; who is refused ends none.
func TestOneAtATime(t *testing.T) {
	tap := open(t, nil)
	first := dial(t, tap, connectAs("ear"))
	read(t, first, packets.Connack<<4, 2, 0, 0)
	next(t, tap, Connected)
	refused := dial(t, tap, connectAs("nobody"))
	read(t, refused, packets.Connack<<4, 2, 0, 5)
	if e := next(t, tap, Refused); e.Own {
		t.Error("another user is taken for the device")
	}
	_, _ = first.Write(publication("up", `{}`, 1))
	next(t, tap, Published)
	next(t, tap, Acknowledged)
	second := dial(t, tap, connectAs("ear"))
	next(t, tap, Connected)
	read(t, second, packets.Connack<<4, 2, 0, 0)
	read(t, first, packets.Puback<<4, 2, 0, 1)
	closed(t, first)
	_, _ = second.Write(connectAs("ear")) // a connection has one CONNECT
	closed(t, second)
}

// TestBounds: who says nothing, or too much, has no more than its place.
func TestBounds(t *testing.T) {
	tap := open(t, nil)
	var idle []net.Conn
	for range maxIn {
		idle = append(idle, dial(t, tap, nil))
	}
	for begun := time.Now(); len(tap.in) < maxIn; time.Sleep(time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("they are not let wait")
		}
	}
	closed(t, dial(t, tap, nil))
	for _, c := range idle {
		_ = c.Close()
	}
	for begun := time.Now(); len(tap.in) > 0; time.Sleep(time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("a place is not given back")
		}
	}
	for name, send := range map[string][]byte{
		"a publication first": publication("up", "{}", 1),
		"no CONNECT":          {packets.Connect << 4, 2, 0, 9},
		"a huge CONNECT":      {packets.Connect << 4, 0xff, 0xff, 0xff, 0x7f},
		"an endless length":   {packets.Connect << 4, 0xff, 0xff, 0xff, 0xff, 0x01},
	} {
		t.Run(name, func(t *testing.T) { closed(t, dial(t, tap, send)) })
	}
	tap.Shut(true)
	closed(t, dial(t, tap, connectAs("ear")))
	tap.Shut(false)
	c := dial(t, tap, connectAs("ear"))
	read(t, c, packets.Connack<<4, 2, 0, 0)
	if n := len(tap.events); n != 1 {
		t.Errorf("%d events; nobody was to be let in while it was shut", n)
	}
}

// TestTooLong: nothing is read of a packet that is too long.
func TestTooLong(t *testing.T) {
	rest := readerFunc(func([]byte) (int, error) {
		t.Error("more than the header is read")
		return 0, io.EOF
	})
	header := []byte{packets.Publish << 4, 0xff, 0xff, 0xff, 0x7f}
	if f := (frames{r: bufio.NewReader(io.MultiReader(bytes.NewReader(header), rest))}); f.next() {
		t.Error("it is passed on")
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestImposter: who looks at the certificate only after the handshake, and then leaves, has not trusted it.
func TestImposter(t *testing.T) {
	own, other := certificate(t), certificate(t)
	tap := open(t, &own)
	talk := func(verify func(tls.ConnectionState) error) {
		t.Helper()
		c, err := tls.Dial("tcp", tap.Addr(), &tls.Config{InsecureSkipVerify: true, ClientSessionCache: cache})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if verify(c.ConnectionState()) != nil {
			return
		}
		_, _ = c.Write(connectAs("ear"))
		_, _ = c.Read(make([]byte, 1))
	}
	pinned := func(s tls.ConnectionState) error {
		if !bytes.Equal(s.PeerCertificates[0].Raw, own.Certificate[0]) {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	talk(pinned)
	if e := next(t, tap, Secured); e.Version != tls.VersionTLS13 {
		t.Errorf("TLS %x", e.Version)
	}
	next(t, tap, Connected)
	next(t, tap, Gone)
	tap.Imposter(&other)
	talk(pinned)
	next(t, tap, Distrusted)
	talk(func(tls.ConnectionState) error { return nil })
	next(t, tap, Trusted)
	// Who connected before the right one is shown again, and says hello after it, is judged by what it was shown.
	slow, err := net.Dial("tcp", tap.Addr())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // for the tap to take it; were it later, it would be shown the right one
	tap.Imposter(nil)
	c := tls.Client(slow, &tls.Config{InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if pinned(c.ConnectionState()) == nil {
		_, _ = c.Write(connectAs("ear"))
		next(t, tap, Secured)
		next(t, tap, Connected)
		c.Close()
		next(t, tap, Gone)
	} else {
		c.Close()
		next(t, tap, Distrusted)
	}
	talk(pinned)
	next(t, tap, Secured)
	next(t, tap, Connected)
	next(t, tap, Gone)
	if c, err := tls.Dial("tcp", tap.Addr(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11,
		MinVersion: tls.VersionTLS10}); err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 is agreed on")
	}
	next(t, tap, Insecure)
}

// cache is a device's of sessions: one that is resumed shows no certificate.
var cache = tls.NewLRUClientSessionCache(4)

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"bench.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// FuzzFrames: whatever comes, packets are cut out of it without a byte lost, and none is too long.
func FuzzFrames(f *testing.F) {
	f.Add(append(connectAs("ear"), publication("up", "{}", 1)...))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, raw []byte) {
		fr := frames{r: bufio.NewReader(bytes.NewReader(raw))}
		var all []byte
		s := &session{tap: &Tap{speaks: Plain("up", "hb")}, version: 4,
			waiting: map[uint16]*Message{}}
		for fr.next() {
			all = append(all, fr.packet...)
			switch fr.kind() {
			case packets.Connect:
				s.connect(fr.body())
			case packets.Publish:
				s.publish(fr.header, fr.body())
			}
		}
		if !bytes.HasPrefix(raw, all) || len(fr.packet) > maxPacket {
			t.Errorf("%d bytes of %d", len(all), len(raw))
		}
	})
}
