package listener

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/gateway/ingest/internal/intake"
	"sluice/test/stalls"
)

// secrets are passwords by user name.
type secrets map[string]string

func (s secrets) Check(user string, password []byte) bool {
	want, known := s[user]
	return known && want == string(password)
}

// stand is a listener with an ingest behind it that only acknowledges.
type stand struct {
	t     *testing.T
	l     *Listener
	taken chan intake.Message // a copy of what was acknowledged
	// answer, where there is one, sees messages before they are acknowledged, and may wait.
	answer atomic.Pointer[func([]intake.Message)]
}

// open starts one; with passwords, sensors have identities.
func open(t *testing.T, cfg Config) *stand {
	t.Helper()
	quiet := goleak.IgnoreCurrent()
	cfg.Addr, cfg.WebSocket, cfg.Queue, cfg.Now = "127.0.0.1:0", "127.0.0.1:0", intake.New(), time.Now
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Fail = func(err error) { t.Errorf("it would end the process: %v", err) }
	l, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{t: t, l: l, taken: make(chan intake.Message, 1<<16)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.take(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, quiet)
	})
	return s
}

func (s *stand) take(ctx context.Context) {
	for {
		var list []intake.Message
		select {
		case <-ctx.Done():
			return
		case <-s.l.cfg.Queue.Ready():
		}
		for len(list) < 1000 {
			m, ok := s.l.cfg.Queue.Take()
			if !ok {
				break
			}
			s.l.cfg.Queue.Charge(1, false)
			list = append(list, m)
		}
		if answer := s.answer.Load(); answer != nil {
			(*answer)(list)
		}
		s.l.Ack(list)
		for _, m := range list {
			select {
			case s.taken <- m:
			default:
			}
		}
		s.l.cfg.Queue.Done(list)
	}
}

// sensor is a hand-written MQTT client.
type sensor struct {
	net.Conn
	t       *testing.T
	in      *bufio.Reader
	version byte
}

func (s *stand) dial() *sensor {
	s.t.Helper()
	c, err := net.Dial("tcp", s.l.Addr())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	patient := &stalls.Conn{Conn: c}
	return &sensor{patient, s.t, newBuffered(patient), 4}
}

func newBuffered(c net.Conn) *bufio.Reader { return bufio.NewReader(c) }

// packet is a fixed header before a body.
func packet(kind byte, body ...[]byte) []byte {
	n := 0
	for _, b := range body {
		n += len(b)
	}
	out := binary.AppendUvarint([]byte{kind}, uint64(n))
	for _, b := range body {
		out = append(out, b...)
	}
	return out
}

func text(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

// hello is a CONNECT of a version, with more flags than a user name's.
func hello(version, flags byte, id, user, password string) []byte {
	var rest []byte
	if version == 5 {
		rest = append(rest, 0)
	}
	rest = append(rest, text(id)...)
	if user != "" {
		flags |= 0xc0
		rest = append(append(rest, text(user)...), text(password)...)
	}
	return packet(0x10, text("MQTT"), []byte{version, flags, 0, 0}, rest)
}

func (c *sensor) send(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// read is the next packet, or an error when there is none within a time.
func (c *sensor) read(within time.Duration) (kind byte, body []byte, err error) {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		c.t.Fatal(err)
	}
	if kind, err = c.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(c.in)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, n)
	_, err = io.ReadFull(c.in, body)
	return kind, body, err
}

// want fails unless the next packet is of a kind.
func (c *sensor) want(kind byte) []byte {
	c.t.Helper()
	got, body, err := c.read(20 * time.Second)
	if err != nil || got != kind {
		c.t.Fatalf("got packet %#x %x (%v); want %#x", got, body, err, kind)
	}
	return body
}

// gone fails unless the connection is cut off within a time.
func (c *sensor) gone(within time.Duration) {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c.in); errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("it is still there after %s", within)
	}
}

// connect opens a connection that is let in.
func (s *stand) connect(version byte, id, user, password string) *sensor {
	s.t.Helper()
	c := s.dial()
	c.version = version
	c.send(hello(version, 2, id, user, password))
	if body := c.want(0x20); body[1] != 0 {
		s.t.Fatalf("%s is refused with %#x", user, body[1])
	}
	return c
}

func reading(id uint16, topic string, payload []byte) []byte {
	return packet(0x32, text(topic), binary.BigEndian.AppendUint16(nil, id), payload)
}

// works publishes one reading and waits for its acknowledgement.
func (c *sensor) works() {
	c.t.Helper()
	payload := []byte("{}")
	if c.version == 5 {
		payload = append([]byte{0}, payload...) // no properties
	}
	c.send(reading(9, "city/v1/a/b/up", payload))
	if body := c.want(0x40); body[1] != 9 {
		c.t.Errorf("acknowledged is %x", body)
	}
}

func TestItWorks(t *testing.T) {
	s := open(t, Config{})
	for _, version := range []byte{4, 5} {
		c := s.connect(version, "x", "", "")
		c.works()
		c.send([]byte{0xc0, 0})
		c.want(0xd0)
	}
}
