package test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"
)

// speaker is a client of MQTT 3.1.1 that says what it is told to, over TLS or not, and
// waits for each acknowledgement.
type speaker struct {
	t  testing.TB
	c  net.Conn
	in *bufio.Reader
}

// speak connects; the configuration is nil for a plain connection.
func speak(t testing.TB, addr string, secure *tls.Config, id, user, password string) *speaker {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	if err == nil && secure != nil {
		c = tls.Client(c, secure)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s := &speaker{t, c, bufio.NewReader(c)}
	s.say(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 0xc2, 0, 0}, mqttText(id), mqttText(user), mqttText(password)))
	if got := s.hear(); got[0] != 0x20 || got[3] != 0 {
		t.Fatalf("CONNACK is % x", got)
	}
	return s
}

func (s *speaker) say(b []byte) {
	_ = s.c.SetDeadline(time.Now().Add(patience))
	if _, err := s.c.Write(b); err != nil {
		s.t.Error(err)
	}
}

func (s *speaker) hear() (got [4]byte) {
	if _, err := io.ReadFull(s.in, got[:]); err != nil {
		s.t.Error(err)
	}
	return got
}

// publish sends at QoS 1 and waits for the acknowledgement.
func (s *speaker) publish(topic, payload string) {
	s.say(mqttPacket(0x32, mqttText(topic), []byte{0, 1}, []byte(payload)))
	if got := s.hear(); got != [4]byte{0x40, 2, 0, 1} {
		s.t.Errorf("PUBACK is % x", got)
	}
}
