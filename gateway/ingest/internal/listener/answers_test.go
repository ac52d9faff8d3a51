package listener

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
)

// says makes all messages end with one outcome.
func (s *stand) says(o intake.Outcome) {
	answer := func(list []intake.Message) {
		for n := range list {
			if list[n].Explains {
				list[n].Outcome = o
			}
		}
	}
	s.answer.Store(&answer)
}

// welcome connects a client of MQTT 5 with properties.
func (s *stand) welcome(properties ...byte) *sensor {
	s.t.Helper()
	c := s.dial()
	c.version = 5
	c.send(packet(0x10, text("MQTT"), []byte{5, 2, 0, 0, byte(len(properties))}, properties, text("x")))
	if body := c.want(0x20); body[1] != 0 {
		s.t.Fatalf("it is refused with %#x", body[1])
	}
	return c
}

// TestAnswers: what an acknowledgement is, byte by byte: with the reason that MQTT 5 has for
// our code, and with words where the client takes them.
func TestAnswers(t *testing.T) {
	s := open(t, Config{Explains: true})
	const why = "E101 /fields/rssi: send numbers as numbers"
	refused := intake.Outcome{Code: fault.WrongType, Why: why}
	words := append([]byte{0x40, 3 + 1 + 3 + 42, 0, 7, 0x99, 3 + 42, 0x1f, 0, 42}, why...)
	terse := []byte{0x40, 3, 0, 7, 0x99}
	size := func(n byte) []byte { return []byte{packets.PropMaximumPacketSize, 0, 0, 0, n} }
	for name, x := range map[string]struct {
		asks    []byte // properties of CONNECT
		outcome intake.Outcome
		qos2    bool
		topic   string
		want    []byte
	}{
		"counted":                     {want: []byte{0x40, 2, 0, 7}},
		"counted, QoS 2":              {qos2: true, want: []byte{0x50, 2, 0, 7}},
		"refused":                     {outcome: refused, want: words},
		"refused, QoS 2":              {outcome: refused, qos2: true, want: append([]byte{0x50}, words[1:]...)},
		"without problem information": {asks: []byte{packets.PropRequestProblemInfo, 0}, outcome: refused, want: terse},
		"with problem information":    {asks: []byte{packets.PropRequestProblemInfo, 1}, outcome: refused, want: words},
		"a size that just holds it":   {asks: size(byte(len(words))), outcome: refused, want: words},
		"a size below it":             {asks: size(byte(len(words) - 1)), outcome: refused, want: terse},
		"more words than there may be": {
			outcome: intake.Outcome{Code: fault.WrongType, Why: strings.Repeat("x", maxReason+1)}, want: terse},
		"nobody wants it":  {outcome: intake.Outcome{Code: fault.NoDecision}, want: []byte{0x40, 3, 0, 7, 0x10}},
		"an unknown topic": {outcome: intake.Outcome{Code: fault.UnknownTopic}, want: []byte{0x40, 3, 0, 7, 0x87}},
		"a name that can be none": {outcome: intake.Outcome{Code: fault.UnknownTopic}, topic: "$SYS/x",
			want: []byte{0x40, 3, 0, 7, 0x90}},
		"another's topic": {outcome: intake.Outcome{Code: fault.Identity}, want: []byte{0x40, 3, 0, 7, 0x87}},
		"too late":        {outcome: intake.Outcome{Code: fault.Late}, want: []byte{0x40, 3, 0, 7, 0x83}},
	} {
		t.Run(name, func(t *testing.T) {
			s.says(x.outcome)
			c := s.welcome(x.asks...)
			kind, topic := byte(0x32), "city/v1/a/b/up"
			if x.qos2 {
				kind = 0x34
			}
			if x.topic != "" {
				topic = x.topic
			}
			c.send(packet(kind, text(topic), []byte{0, 7, 0}, []byte("{}")))
			got, body, err := c.read(20 * time.Second)
			if err != nil || !bytes.Equal(packet(got, body), x.want) {
				t.Errorf("it is answered %x (%v); want %x", packet(got, body), err, x.want)
			}
		})
	}
}

// TestOldAnswersStay: MQTT 3.1.1 is told what it always was, and so is everybody where nobody
// may be told more.
func TestOldAnswersStay(t *testing.T) {
	for _, x := range []struct {
		version  byte
		explains bool
	}{{4, true}, {4, false}, {5, false}} {
		s := open(t, Config{Explains: x.explains})
		s.says(intake.Outcome{Code: fault.WrongType, Why: "E101"})
		c := s.connect(x.version, "x", "", "")
		for _, kind := range []byte{0x32, 0x34} {
			body := []byte("{}")
			if x.version == 5 {
				body = []byte("\x00{}")
			}
			c.send(packet(kind, text("city/v1/a/b/up"), []byte{0, 7}, body))
			if got := c.want(0x40 + (kind&4)<<2); !bytes.Equal(got, []byte{0, 7}) {
				t.Errorf("version %d is answered %x", x.version, got)
			}
		}
	}
}

// TestEveryCodeHasAReason: what is told is no success, and the client's fault where it is.
func TestEveryCodeHasAReason(t *testing.T) {
	for c := range fault.Code(fault.Codes) {
		got := reasonCode(&intake.Outcome{Code: c}, "city/v1/a/b/up")
		if (got == 0) != (c == fault.None) {
			t.Errorf("%s is told as %#x", c, got)
		}
		shape := c.String() != "" && (c.String()[1] == '1' || c.String()[1] == '2' || c.String() == "E300")
		if (got == 0x99) != shape {
			t.Errorf("%s is told as %#x; it is about the payload's form: %v", c, got, shape)
		}
	}
}

// TestWordsAreDroppedFirst: a client that has not read its answers yet gets them without words,
// and is not cut off for the length of ours.
func TestWordsAreDroppedFirst(t *testing.T) {
	s := open(t, Config{Explains: true})
	const many = 1000
	ready := make(chan bool)
	var all []intake.Message
	answer := func(list []intake.Message) {
		<-ready
		for n := range list {
			list[n].Outcome = intake.Outcome{Code: fault.WrongType, Why: strings.Repeat("x", maxReason)}
		}
		all = append(all, list...)
	}
	s.answer.Store(&answer)
	c := s.welcome()
	for n := range many {
		c.send(packet(0x32, text("city/v1/a/b/up"), binary.BigEndian.AppendUint16(nil, uint16(n+1)), []byte("\x00{}")))
	}
	for c := s.only(); c.unacked.Load() < many; {
		time.Sleep(time.Millisecond)
	}
	close(ready)
	talked := 0
	for n := range many {
		body := c.want(0x40)
		if got := binary.BigEndian.Uint16(body); int(got) != n+1 || body[2] != 0x99 {
			t.Fatalf("answer %d is %x", n, body[:3])
		}
		if len(body) > 3 {
			talked++
		}
	}
	if talked == 0 || talked == many {
		t.Errorf("%d of %d have words", talked, many)
	}
}

// only is the one connection that is admitted.
func (s *stand) only() *conn {
	s.l.admitted.mu.Lock()
	defer s.l.admitted.mu.Unlock()
	for c := range s.l.admitted.all {
		return c
	}
	return nil
}

// TestReceiveMaximum: a client that has more on their way than it may is told so and cut off
// (MQTT 5 section 3.3.4); 3.1.1 knows no such bound.
func TestReceiveMaximum(t *testing.T) {
	for _, version := range []byte{4, 5} {
		s := open(t, Config{})
		held := make(chan bool)
		answer := func([]intake.Message) { <-held }
		s.answer.Store(&answer)
		c := s.connect(version, "x", "", "")
		body := []byte("{}")
		if version == 5 {
			body = []byte("\x00{}")
		}
		for n := range receiveMaximum + 1 {
			c.send(packet(0x32, text("city/v1/a/b/up"), binary.BigEndian.AppendUint16(nil, uint16(n+1)), body))
		}
		if version == 4 {
			for c := s.only(); c != nil && c.unacked.Load() <= receiveMaximum; {
				time.Sleep(time.Millisecond)
			}
		}
		if version == 5 {
			if body := c.want(0xe0); body[0] != 0x93 {
				t.Errorf("it is told %#x; want 0x93", body[0])
			}
			c.gone(20 * time.Second)
			if n := s.l.tally.counts[tooMany].Load(); n != 1 {
				t.Errorf("it is counted %d times", n)
			}
		}
		close(held)
		for n := range receiveMaximum + 1 {
			if version == 4 && int(binary.BigEndian.Uint16(c.want(0x40))) != n+1 {
				t.Fatalf("acknowledgement %d is of another", n)
			}
		}
	}
}

// TestReceiveMaximumIsOfThoseThatWait: who waits for its acknowledgements may send for ever.
func TestReceiveMaximumIsOfThoseThatWait(t *testing.T) {
	c := open(t, Config{}).connect(5, "x", "", "")
	for range receiveMaximum + 1 {
		c.works()
	}
}

// TestKeepAlive: a client of MQTT 5 that would be silent for longer than an hour is told how
// long it may be.
func TestKeepAlive(t *testing.T) {
	s := open(t, Config{})
	for asked, want := range map[uint16]uint16{0: 0, 60: 0, 3600: 0, 3601: 3600, 43691: 3600, 65535: 3600} {
		c := s.dial()
		c.version = 5
		c.send(packet(0x10, text("MQTT"), []byte{5, 2}, binary.BigEndian.AppendUint16(nil, asked), []byte{0},
			text("x")))
		body := c.want(0x20)
		var p packets.Properties
		if _, err := p.Decode(packets.Connack, bytes.NewBuffer(body[2:])); err != nil {
			t.Fatal(err)
		}
		if p.ServerKeepAlive != want || p.ServerKeepAliveFlag != (want > 0) {
			t.Errorf("of %d seconds CONNACK says %d", asked, p.ServerKeepAlive)
		}
		c.works()
	}
}
