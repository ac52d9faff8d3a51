package listener

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/test/stalls"
)

// TestFourOfASensor: the fifth connection makes the first go, and nobody else.
func TestFourOfASensor(t *testing.T) {
	s := open(t, Config{Passwords: secrets{"a": "x", "b": "y"}, Feedback: map[string]string{"a": "", "b": ""}})
	other := s.connect(4, "0", "b", "y")
	var list []*sensor
	for n := range maxOfUser + 1 {
		list = append(list, s.connect(4, string(rune('0'+n)), "a", "x"))
	}
	list[0].gone(5 * time.Second)
	for _, c := range append(list[1:], other) {
		c.works()
	}
}

// TestSeats: when all are taken the next is told so, and when one goes there is room.
func TestSeats(t *testing.T) {
	s := open(t, Config{})
	s.l.admitted.limit = 2
	one := s.connect(4, "1", "", "")
	s.connect(4, "2", "", "")
	for version, want := range map[byte]byte{4: 3, 5: 0x88} {
		c := s.dial()
		c.send(hello(version, 2, "3", "", ""))
		if body := c.want(0x20); body[1] != want {
			t.Errorf("version %d is answered with %x; want %#x", version, body, want)
		}
	}
	one.send([]byte{0xe0, 0})
	one.gone(5 * time.Second)
	stalls.Until(t, 20*time.Second, "its seat to be free", func() bool {
		s.l.admitted.mu.Lock()
		defer s.l.admitted.mu.Unlock()
		return len(s.l.admitted.all) < 2
	})
	s.connect(4, "3", "", "").works()
	if room() > maxConnections {
		t.Error("there is more room than there may be")
	}
}

// TestNothingIsKept: sessions, last wills and retained messages of thousands that come
// and go leave nothing behind.
func TestNothingIsKept(t *testing.T) {
	s := open(t, Config{Clock: "clock"})
	kept, clients := s.l.server.Topics.Retained.Len(), s.l.server.Clients.Len()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for n := range 100 {
				id := fmt.Sprintf("%d-%d", worker, n)
				c := s.dial()
				if n%2 == 0 {
					c.send(hello(4, 0, id, "", ""))
				} else { // with a session that never expires
					c.send(packet(0x10, text("MQTT"), []byte{5, 0, 0, 0, 5, 0x11, 0xff, 0xff, 0xff, 0xff}, text(id)))
				}
				if body := c.want(0x20); body[0] != 0 || n%2 == 1 && !bytes.Contains(body, []byte{0x11, 0, 0, 0, 0}) {
					t.Errorf("the answer to a wish for a session is %x", body)
				}
				sub := []byte{0, 7}
				if n%2 == 1 {
					sub = append(sub, 0)
				}
				c.send(packet(0x82, sub, text("clock"), []byte{1}))
				c.want(0x90)
				_ = c.Close()
			}
		})
	}
	wg.Wait()
	c := s.dial()
	// retained, and without a farewell
	c.send(packet(0x10, text("MQTT"), []byte{4, 0x2e, 0, 0}, text("w"), text("city/v1/a/b/feedback"), text("x")))
	c.want(0x20)
	c.send(packet(0x33, text("clock"), []byte{0, 1}, []byte("x")))
	c.want(0x40)
	_ = c.Close()
	stalls.Until(t, 20*time.Second, "the sessions to end", func() bool { return s.l.server.Clients.Len() <= clients })
	if n := s.l.server.Topics.Retained.Len(); n != kept {
		t.Errorf("%d retained messages; want %d", n, kept)
	}
	if n := len(s.l.server.Topics.Subscribers("clock").Subscriptions); n != 0 {
		t.Errorf("%d subscriptions are kept", n)
	}
}

// TestASessionIsNotInherited: who takes over its own connection begins anew.
func TestASessionIsNotInherited(t *testing.T) {
	s := open(t, Config{Clock: "clock"})
	for _, version := range []byte{4, 5} {
		one := s.connect(version, "x", "", "")
		sub := []byte{0, 7}
		if version == 5 {
			sub = append(sub, 0)
		}
		one.send(packet(0x82, sub, text("clock"), []byte{1}))
		one.want(0x90)
		two := s.dial()
		two.send(hello(version, 0, "x", "", ""))
		if body := two.want(0x20); body[0] != 0 {
			t.Errorf("version %d: a session is there: %x", version, body)
		}
		one.gone(5 * time.Second)
	}
}

// TestAliases: a publication by alias is refused, the first one too.
func TestAliases(t *testing.T) {
	s := open(t, Config{})
	c := s.connect(5, "x", "", "")
	c.send(packet(0x32, text("city/v1/a/b/up"), []byte{0, 1, 3, 0x23, 0, 1}, []byte("{}")))
	if body := c.want(0xe0); body[0] != 0x94 {
		t.Errorf("it is answered with %x", body)
	}
	c.gone(5 * time.Second)
}

// TestSubscriptions: a connection reads so many topics and no more, in one packet or
// in several; a packet that is none and large is not read.
func TestSubscriptions(t *testing.T) {
	s := open(t, Config{})
	c := s.connect(4, "x", "", "")
	granted := 0
	for n := range 3 {
		body := []byte{0, 7}
		for i := range subscriptions {
			body = append(append(body, text(fmt.Sprintf("city/v1/%d/%d/feedback", n, i))...), 1)
		}
		c.send(packet(0x82, body))
		granted += bytes.Count(c.want(0x90)[2:], []byte{1})
	}
	if granted != subscriptions {
		t.Errorf("%d subscriptions are granted; want %d", granted, subscriptions)
	}
	c.send(packet(0x82, []byte{0, 7}, text("city/v1/0/0/feedback"), []byte{1})) // again
	if body := c.want(0x90); body[2] != 1 {
		t.Errorf("one that is there is answered with %x", body)
	}
	for kind := range byte(16) {
		if kind == 3 || kind == 1 {
			continue
		}
		c := s.connect(4, "y", "", "")
		c.send(append([]byte{kind<<4 | 2}, 0x81, 0x20))
		c.gone(5 * time.Second)
	}
}

// TestMalformed: what the library cannot make sense of ends its own connection only.
// An index of its own runs past the end of a SUBSCRIBE without options.
func TestMalformed(t *testing.T) {
	s := open(t, Config{}) // fails when the process would end
	other := s.connect(4, "other", "", "")
	for _, raw := range [][]byte{
		packet(0x82, []byte{0, 7, 0}, text("clock")), packet(0x82, []byte{0, 7, 0xff, 0x7f}),
		packet(0xa2, []byte{0, 7, 9}), packet(0x32, []byte{0, 200}), packet(0x40), packet(0x62, []byte{1}),
		{0xf0, 1, 1},
	} {
		c := s.connect(5, "x", "", "")
		c.send(raw)
		c.gone(5 * time.Second)
	}
	other.works()
}

// TestLargePacketsThatNeverEnd: many claim 2 MiB and keep the rest back. What they
// claim is not allocated beyond the budget, one who sends a large packet comes in
// within seconds, and small packets do not wait at all.
func TestLargePacketsThatNeverEnd(t *testing.T) {
	s := open(t,
		Config{times: times{connect: connectTime, packet: packetTime, slow: 200 * time.Millisecond, write: writeTime}})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var all []*sensor
	for range 60 {
		c := s.connect(4, "", "", "")
		c.send(append([]byte{0x32}, 0xff, 0xff, 0x7f))
		c.send(text("city/v1/a/b/up"))
		all = append(all, c)
	}
	s.connect(4, "small", "", "").works()
	runtime.ReadMemStats(&after)
	if rise := int64(after.HeapAlloc) - int64(before.HeapAlloc); rise > 2*budgetBytes {
		t.Errorf("they cost %d MiB", rise>>20)
	}
	s.l.budget.mu.Lock()
	if s.l.budget.used > budgetBytes {
		t.Errorf("%d bytes are given away", s.l.budget.used)
	}
	s.l.budget.mu.Unlock()
	large := s.connect(4, "large", "", "")
	go func() { _, _ = large.Write(reading(3, "city/v1/a/b/up", make([]byte, 1<<20))) }()
	large.want(0x40)
	for _, c := range all {
		_ = c.Close()
	}
	stalls.Until(t, 20*time.Second, "all bytes to be given back", func() bool {
		s.l.budget.mu.Lock()
		defer s.l.budget.mu.Unlock()
		return s.l.budget.used == 0 && len(s.l.budget.of) == 0
	})
	for _, claim := range [][]byte{{0x32, 0x81, 0x80, 0x80, 1}, {0x32, 0xff, 0xff, 0xff, 0xff}} { // one byte over 2 MiB
		c := s.connect(4, "y", "", "")
		c.send(claim)
		c.gone(5 * time.Second)
	}
}

// TestOneLargePacketOfASensor: not one on each of its connections.
func TestOneLargePacketOfASensor(t *testing.T) {
	s := open(t, Config{Passwords: secrets{"a": "x"}, Feedback: map[string]string{"a": ""}})
	for n := range 3 {
		c := s.connect(4, string(rune('0'+n)), "a", "x")
		c.send(append([]byte{0x32}, 0xff, 0xff, 0x7f))
	}
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		s.l.budget.mu.Lock()
		n := len(s.l.budget.holds)
		s.l.budget.mu.Unlock()
		if n > 1 {
			t.Fatalf("one sensor has %d large packets coming in", n)
		}
	}
}

// TestAPacketEnds: one that has begun must end in time, small or large, also without
// a keepalive and drop by drop.
func TestAPacketEnds(t *testing.T) {
	s := open(t,
		Config{times: times{connect: connectTime, packet: 300 * time.Millisecond, slow: slowAfter, write: writeTime}})
	idle := s.connect(4, "idle", "", "")
	for _, raw := range [][]byte{{0x32, 100, 0}, append([]byte{0x32}, 0xff, 0xff, 0x7f, 0)} {
		c := s.connect(4, "", "", "")
		c.send(raw)
		go func() {
			for range 100 {
				if _, err := c.Write([]byte{0}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		c.gone(5 * time.Second)
	}
	idle.works() // between packets there is as much time as the keepalive says
}

// TestWhoReadsNothing: a peer that publishes and reads no acknowledgement is cut off,
// and others do not notice.
func TestWhoReadsNothing(t *testing.T) {
	s := open(t, Config{times: times{connect: connectTime, packet: packetTime, slow: slowAfter, write: time.Second}})
	other := s.connect(4, "other", "", "")
	bad := s.connect(4, "bad", "", "")
	flood := bytes.Repeat(reading(1, "city/v1/a/b/up", []byte("{}")), 1000)
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = bad.SetWriteDeadline(time.Now().Add(10 * time.Minute)) // a busy machine fills its buffers slowly
		for range 3000 {
			if _, err := bad.Write(flood); err != nil {
				return
			}
		}
		t.Error("it published three million readings")
	}()
	for n := 0; ; n++ {
		if took := stalls.Took(other.works); took > 5*time.Second {
			t.Errorf("beside it an acknowledgement took %s", took)
		}
		select {
		case <-over:
			if s.l.tally.counts[readsNothing].Load() != 1 {
				t.Error("it was not cut off for reading nothing")
			}
			return
		default:
		}
	}
}

// TestTheLibraryLiftsNoDeadline: its keepalive is for reading alone.
func TestTheLibraryLiftsNoDeadline(t *testing.T) {
	s := open(t,
		Config{times: times{connect: connectTime, packet: packetTime, slow: slowAfter,
			write: 200 * time.Millisecond}})
	ours, theirs := net.Pipe() // nothing is read from it
	defer ours.Close()
	c := newConn(theirs, newPeer(theirs, s.l.turns), s.l)
	c.source = newSource()
	if _, err := c.Write([]byte{0xd0, 0}); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); !c.ended(); time.Sleep(time.Millisecond) {
		_ = c.SetDeadline(time.Time{})
		_ = c.SetWriteDeadline(time.Time{})
		if time.Since(begun) > 5*time.Second {
			t.Fatal("a write that is not read goes on for ever")
		}
	}
}

// TestOneSensorDoesNotFillTheQueue: while nothing is taken, one that floods waits for
// itself, and others come in. A tick is marked as one.
func TestOneSensorDoesNotFillTheQueue(t *testing.T) {
	l, err := Listen(Config{Addr: "127.0.0.1:0", Clock: "clock", Queue: intake.New(), Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Fail: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &stand{t: t, l: l}
	bad, other := s.connect(4, "bad", "", ""), s.connect(4, "other", "", "")
	go func() {
		for range 8000 {
			if _, err := bad.Write(reading(1, "bad", make([]byte, 1000))); err != nil {
				return
			}
		}
	}()
	time.Sleep(time.Second)
	other.send(append(reading(1, "other", nil), reading(2, "clock", nil)...))
	of := map[string]int{}
	for deadline := time.Now().Add(5 * time.Second); of["clock"] == 0 && time.Now().Before(deadline); {
		m, ok := l.cfg.Queue.Take() // and not done
		if !ok {
			time.Sleep(time.Millisecond)
			continue
		}
		of[m.Topic]++
		if m.Tick != (m.Topic == "clock") {
			t.Errorf("a message on %s is a tick: %v", m.Topic, m.Tick)
		}
	}
	if of["other"] != 1 || of["bad"] < 100 || of["bad"] > 2000 {
		t.Errorf("taken are %v", of)
	}
}

// turnstile is passwords that see how many are looked at at a time.
type turnstile struct{ now, most atomic.Int32 }

func (p *turnstile) Check(string, []byte) bool {
	p.most.Store(max(p.most.Load(), p.now.Add(1)))
	time.Sleep(5 * time.Millisecond)
	p.now.Add(-1)
	return true
}

// TestStrangersComputeInTurn: passwords leave a processor to those whom we know.
func TestStrangersComputeInTurn(t *testing.T) {
	p := &turnstile{}
	s := open(t, Config{Passwords: p, Feedback: map[string]string{"a": ""}})
	for range 50 {
		s.dial().send(hello(4, 2, "x", "a", "x"))
	}
	answered := s.dial()
	answered.send(hello(4, 2, "y", "a", "y"))
	answered.want(0x20)
	if n := int(p.most.Load()); n > cap(s.l.turns) || n == 0 {
		t.Errorf("%d passwords are looked at at a time; want %d", n, cap(s.l.turns))
	}
}
