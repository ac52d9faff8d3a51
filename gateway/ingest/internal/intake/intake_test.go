package intake

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAMessageSaysNothing(t *testing.T) {
	m := Message{Topic: "city/v1/o/02:00:5e:00:00:01/up", Payload: []byte("02:00:5e:00:00:02")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		for _, v := range []any{m, &m, []Message{m}} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "5e") || strings.Contains(text, "3032") {
				t.Errorf("%s says %s", verb, text)
			}
		}
	}
}

// TestTheQueueIsBounded: what is taken and not done counts too.
func TestTheQueueIsBounded(t *testing.T) {
	q := New()
	big := Message{Payload: make([]byte, 1<<20)}
	taken := []Message{}
	for range 63 {
		q.Put(context.Background(), big)
		m, _ := q.Take()
		taken = append(taken, m)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if q.Put(ctx, big) {
		t.Fatal("more than 64 MiB wait for acknowledgement")
	}
	q.Done(taken[:1])
	if !q.Put(context.Background(), big) {
		t.Error("there is room again, and it is not given")
	}
}

// TestASenderHasAShare: one that fills its own waits, and others do not.
func TestASenderHasAShare(t *testing.T) {
	q, one, other := New(), NewShare(), NewShare()
	small := Message{Payload: make([]byte, 250)}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	for full := false; !full; {
		ctx, stop := context.WithTimeout(ctx, time.Second) // the one that finds no room waits for it
		if full = !q.PutFrom(ctx, one, small); !full {
			n++
		}
		stop()
	}
	cancel()
	if n < 1000 || n > queued/4 {
		t.Errorf("one sender may have %d messages waiting", n)
	}
	if !q.PutFrom(context.Background(), other, small) {
		t.Error("another sender waits for it")
	}
	m, _ := q.Take()
	taken := []Message{m}
	q.Done(taken)
	if !q.PutFrom(context.Background(), one, small) {
		t.Error("its share has room again, and it waits")
	}
	huge := Message{Payload: make([]byte, 2*shareBytes)}
	if !q.PutFrom(context.Background(), NewShare(), huge) {
		t.Error("a message larger than a share never gets in")
	}
}

// TestInTurn: senders are taken from by turns, each one's messages in order; who sends
// large ones sits out for them, and a tick comes after all that was before it and
// before all that was after.
func TestInTurn(t *testing.T) {
	q := New()
	put := func(s *Share, id uint16, size int) {
		t.Helper()
		if !q.PutFrom(context.Background(), s, Message{ID: id, Payload: make([]byte, size)}) {
			t.Fatal("there is no room")
		}
	}
	take := func() string {
		got := ""
		var list []Message
		for m, ok := q.Take(); ok; m, ok = q.Take() {
			got += fmt.Sprint(m.ID, " ")
			list = append(list, m)
		}
		q.Done(list)
		return got
	}
	a, b, c := NewShare(), NewShare(), NewShare()
	for n := range uint16(4) {
		put(a, 10+n, 0)
	}
	put(b, 20, 0)
	put(c, 30, 0)
	put(c, 31, 0)
	if got, want := take(), "10 20 30 11 31 12 13 "; got != want {
		t.Errorf("taken are %s; want %s", got, want)
	}
	// A large one is worth many small ones, also when it was the only one and came long
	// before.
	put(a, 10, 4*perMessage)
	if got, want := take(), "10 "; got != want {
		t.Errorf("taken are %s; want %s", got, want)
	}
	put(a, 11, 0)
	for n := range uint16(6) {
		put(b, 20+n, 0)
	}
	put(c, 30, 0)
	if got, want := take(), "20 30 21 22 23 24 11 25 "; got != want {
		t.Errorf("after a large one, taken are %s; want %s", got, want)
	}
	q, a, b, c = New(), NewShare(), NewShare(), NewShare()
	put(a, 10, 0)
	put(a, 11, 0)
	put(b, 20, 3*perMessage)
	q.Put(context.Background(), Message{ID: 1, Tick: true})
	q.Put(context.Background(), Message{ID: 2, Tick: true})
	put(a, 12, 0)
	put(c, 30, 0)
	if got, want := take(), "10 20 11 1 2 30 12 "; got != want {
		t.Errorf("around ticks, taken are %s; want %s", got, want)
	}
	if len(q.seats) != 0 || len(q.turns) != 0 {
		t.Error("the queue is not empty")
	}
}

// TestTopicsOfABrokerInTurn: behind one connection each topic has its turns, a message
// of many readings costs its own, and each one's order stays. The clock and what the
// gateway says to itself keep their places.
func TestTopicsOfABrokerInTurn(t *testing.T) {
	q := New()
	q.Clock("clock")
	put := func(topic string, id uint16, size int) {
		q.Put(context.Background(),
			Message{Topic: topic, ID: id, Payload: make([]byte, size), Own: topic == "marker" || topic == "a/feedback"})
	}
	for n := range uint16(100) {
		put("flood", 1000+n, 10_000)
	}
	put("quiet", 1, 10)
	put("clock", 2, 10)
	put("flood", 1100, 10)
	put("quiet", 3, 10)
	put("marker", 4, 10)
	put("flood", 1101, 10)
	put("a/feedback", 5, 10)
	at, last := map[uint16]int{}, uint16(0)
	for n := 0; ; n++ {
		m, ok := q.Take()
		if !ok {
			break
		}
		if at[m.ID] = n; m.ID >= 1000 {
			if m.ID <= last {
				t.Fatalf("message %d of the flood comes after %d", m.ID, last)
			}
			last = m.ID
		}
	}
	if at[1] > 2 {
		t.Errorf("the quiet one waits for %d of the flood", at[1])
	}
	if at[2] != 101 || at[1100] < at[2] || at[3] < at[2] {
		t.Errorf("the clock is taken as number %d, what came after it as %d and %d", at[2], at[1100], at[3])
	}
	if at[4] != 104 || at[1101] < at[4] {
		t.Errorf("the marker is taken as number %d, what came after it as %d", at[4], at[1101])
	}
	if at[5] < at[4] || len(at) != 107 {
		t.Errorf("%d messages were taken, feedback as number %d", len(at), at[5])
	}
}

// TestSharesOfTopicsAreBounded: a broker may pass on as many topics as it likes.
func TestSharesOfTopicsAreBounded(t *testing.T) {
	q := New()
	for n := range 50_000 {
		q.Put(context.Background(), Message{Topic: fmt.Sprint("city/v1/", n)})
		m, _ := q.Take()
		q.Done([]Message{m})
	}
	if n := len(q.rest.share); n > 1024 || len(q.turns) != 0 {
		t.Errorf("%d shares for 50,000 topics, %d in turn", n, len(q.turns))
	}
}

// TestManySenders puts and takes from many goroutines: nothing is lost, and each one's
// order is kept.
func TestManySenders(t *testing.T) {
	const senders, each = 16, 5000
	q := New()
	for n := range uint16(senders) {
		go func() {
			s := NewShare()
			for id := range uint16(each) {
				q.PutFrom(context.Background(), s, Message{ID: id, QoS: byte(n)})
			}
		}()
	}
	var next [senders]uint16
	for left := senders * each; left > 0; {
		<-q.Ready()
		for n := 0; n < 100; n++ { // and then be told again
			m, ok := q.Take()
			if !ok {
				break
			}
			if m.ID != next[m.QoS] {
				t.Fatalf("sender %d: message %d after %d", m.QoS, m.ID, next[m.QoS])
			}
			next[m.QoS]++
			left--
			q.Done([]Message{m})
		}
	}
}

func BenchmarkQueue(b *testing.B) {
	q, s := New(), NewShare()
	b.ReportAllocs()
	list := make([]Message, 1)
	for b.Loop() {
		q.PutFrom(context.Background(), s, Message{})
		list[0], _ = q.Take()
		q.Done(list)
	}
}

// TestLargeInParts: a large message keeps its place until it is through, and others have
// their turns between its parts, by readings; a second one waits until then, and so does
// a tick.
func TestLargeInParts(t *testing.T) {
	q := New()
	put := func(s *Share, id uint16, size int) {
		t.Helper()
		if !q.PutFrom(context.Background(), s, Message{ID: id, Payload: make([]byte, size)}) {
			t.Fatal("there is no room")
		}
	}
	a, b, c := NewShare(), NewShare(), NewShare()
	put(a, 10, large)
	put(c, 30, large)
	for n := range uint16(8) {
		put(b, 20+n, 0)
	}
	put(a, 11, 0)
	q.Put(context.Background(), Message{ID: 1, Tick: true})
	got, parts := "", map[uint16]int{10: 3, 30: 1}
	var list []Message
	for m, ok := q.Take(); ok; m, ok = q.Take() {
		got += fmt.Sprint(m.ID, " ")
		if m.Tick {
			list = append(list, m)
			continue
		}
		if begun := m.Large() && parts[m.ID] < 3 && m.ID == 10; m.Begun != begun {
			t.Errorf("%d says begun %v; want %v", m.ID, m.Begun, begun)
		}
		parts[m.ID]--
		more := parts[m.ID] > 0
		q.Charge(3, more && m.Large())
		if !more {
			list = append(list, m)
		}
	}
	// A part of three is as much as two others' readings, which are three as well here.
	if want := "10 20 10 21 10 30 22 23 24 25 26 27 11 1 "; got != want {
		t.Errorf("taken are %s; want %s", got, want)
	}
	q.Done(list)
	if len(q.seats) != 0 || len(q.turns) != 0 || len(q.parts.wait) != 0 || q.parts.of != nil {
		t.Error("the queue is not empty")
	}
	if !q.room.TryAcquire(maxBytes) {
		t.Error("not all room is given back")
	}
}

// TestReadingsAreCharged: who sends ten thousand readings in a small message waits as long
// as who sends as many messages.
func TestReadingsAreCharged(t *testing.T) {
	q, a, b := New(), NewShare(), NewShare()
	for n := range uint16(300) {
		if n < 3 {
			q.PutFrom(context.Background(), a, Message{ID: 1, Payload: make([]byte, 1000)})
		}
		q.PutFrom(context.Background(), b, Message{ID: 2})
	}
	between := 0
	for seen := 0; seen < 2; {
		m, _ := q.Take()
		if m.ID == 1 {
			seen++
			q.Charge(100, false)
		} else {
			between++
			q.Charge(1, false)
		}
		q.Done([]Message{m})
	}
	if between < 90 || between > 110 {
		t.Errorf("%d messages of another between two of 100 readings; want about 100", between)
	}
}
