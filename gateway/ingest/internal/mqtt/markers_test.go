package mqtt

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/gateway/ingest/internal/intake"
)

// TestMarkersFindWhatIsLost plays a queue that loses some marks, sends some again and
// loses acknowledgements: Skipped is said exactly when a mark that the broker had taken
// was lost before the one that comes.
func TestMarkersFindWhatIsLost(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m, err := newMarkers([]byte("ours"))
		if err != nil {
			r.Fatal(err)
		}
		now := time.Unix(0, 0)
		m.begin(1)
		type sent struct {
			number      int
			taken, lost bool
		}
		var queue []sent
		came, missing := 0, false
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			now = now.Add(time.Second)
			if rapid.Bool().Draw(r, "send") {
				s := sent{number: m.next(), taken: rapid.IntRange(0, 4).Draw(r, "taken") > 0}
				s.lost = rapid.IntRange(0, 3).Draw(r, "lost") == 0
				if s.taken {
					m.taken(s.number, now)
				}
				queue = append(queue, s)
				continue
			}
			for len(queue) > 0 && queue[0].lost {
				missing = missing || queue[0].taken
				queue = queue[1:]
			}
			if len(queue) == 0 {
				continue
			}
			s := queue[0]
			queue = queue[1:]
			for range rapid.IntRange(1, 3).Draw(r, "times") {
				msg := intake.Message{Payload: []byte(m.text(kindMark, s.number))}
				m.came(&msg, 7, now)
				first := s.number > came
				if msg.Mark != first || msg.Skipped != (first && missing) || first && msg.Marker != 7 {
					r.Fatalf("mark %d: %v; first %v, missing %v", s.number, msg, first, missing)
				}
				came, missing = max(came, s.number), false
			}
		}
	})
}

// TestMarkersOfOthers: what others publish on the topic is no marker of ours, ends of
// other lives are, and another life that is at work beside ours is a rival.
func TestMarkersOfOthers(t *testing.T) {
	m, err := newMarkers([]byte("ours"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := newMarkers([]byte("ours"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	take := func(payload string) intake.Message {
		msg := intake.Message{Payload: []byte(payload)}
		m.came(&msg, 1, now)
		return msg
	}
	m.next()
	m.begin(1)
	for _, text := range []string{
		"", "x", "marker", "marker  mark 1", "marker " + m.life + " mark x", "marker " + m.life + " mark -1",
		"marker " + m.life + " boat 1",
		"marker " + m.life + " mark 1 ", "marker " + m.life[:31] + " mark 1", m.text(kindMark, 2),
		m.text(kindMark, 1<<40),
		"marker " + m.life + " mark 1 " + m.tag("another"), "marker " + m.life + " will 1 " + m.tag("another"),
		m.text(kindMark, 1) + "0",
	} {
		if msg := take(text); msg.Mark || msg.Marker != 0 || msg.Skipped || msg.Ended != "" {
			t.Errorf("%q is taken for a marker", text)
		}
	}
	take(other.text(kindMark, 1)) // left from before
	if m.rivalled(now) {
		t.Error("a life before ours is a rival")
	}
	if msg := take(m.text(kindMark, 1)); !msg.Mark || msg.Marker != 1 {
		t.Error("our own mark is none")
	}
	if msg := take(other.text(kindWill, 3)); msg.Ended != other.life || msg.EndedAt != 3 || m.rivalled(now) {
		t.Error("a will is not taken as one")
	}
	take(other.text(kindMark, 1)) // it was not acknowledged, and is sent again
	if m.rivalled(now) {
		t.Error("a mark that is sent again is a rival")
	}
	if ends := m.told(); len(ends) != 1 || ends[other.life] != 3 {
		t.Errorf("%v have ended", ends)
	}
	take(other.text(kindMark, 2))
	if !m.rivalled(now) || m.rivalled(now.Add(time.Hour)) {
		t.Error("a rival is not seen, or for ever")
	}
}

// TestLate: a mark that does not come back in time is late, until it does.
func TestLate(t *testing.T) {
	m, err := newMarkers([]byte("ours"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	n := m.next()
	m.begin(n)
	m.taken(n, now)
	if m.late(now.Add(overdue)) || !m.late(now.Add(overdue+1)) {
		t.Error("it is late too soon or too late")
	}
	msg := intake.Message{Payload: []byte(m.text(kindMark, n))}
	m.came(&msg, 1, now)
	if m.late(now.Add(time.Hour)) {
		t.Error("it is late although it has come")
	}
}

// TestAnAbsentBrokerIsNoRival: a broker that has cut the connection and is gone is said
// to be gone, however often it is tried.
func TestAnAbsentBrokerIsNoRival(t *testing.T) {
	m, err := newMarkers(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	c := &Client{markers: m, cut: 1, acks: make(map[*guard][]byte), cfg: Config{Log: slog.New(slog.DiscardHandler)}}
	c.reach = func(context.Context, *url.URL) (net.Conn, error) {
		if p := c.Status().Problem; p == errRival.Error() {
			t.Errorf("after %d tries it says %q", tries, p)
		}
		if tries++; tries == 5 {
			cancel()
		}
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	}
	c.stay(ctx, &url.URL{})
	if tries != 5 {
		t.Errorf("it was tried %d times", tries)
	}
}

// TestWhoEndedIt: which connection the other side has ended is said of all after it, also
// where one in between was ended by us, or by the other side before it was ready.
func TestWhoEndedIt(t *testing.T) {
	nothing := func(uint16, int) []byte { return nil }
	refuse := func(id uint16, n int) []byte {
		return append([]byte{0x90, byte(2 + n), byte(id >> 8), byte(id)}, bytes.Repeat([]byte{0x80}, n)...)
	}
	// 1 is left once it is ready, 2 by us, 3 before it is ready, and 4 by us.
	turns := []*fake{{stage: 2, lie: nothing, leave: true}, {stage: 1, lie: refuse},
		{stage: 1, lie: nothing, leave: true}, {stage: 1, lie: refuse}, {stage: -1}}
	m, err := newMarkers(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{markers: m, acks: make(map[*guard][]byte),
		cfg: Config{Broker: "tcp://h:1", ClientID: "t", Topics: []string{"a/#"}, Marker: "a/m", Queue: intake.New(),
			Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	var cut []int
	c.reach = func(context.Context, *url.URL) (net.Conn, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		near, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return nil, err
		}
		far, err := l.Accept()
		go turns[c.Status().Connection].serve(far)
		return near, err
	}
	for n := range turns {
		ctx, enough := context.WithTimeout(t.Context(), 500*time.Millisecond) // the last stays
		err := c.connection(ctx, &url.URL{})
		enough()
		st := c.Status()
		if cut = append(cut, st.Cut); st.Connection != n+1 {
			t.Fatalf("connection %d ended with %v as %d", n+1, err, st.Connection)
		}
	}
	if want := []int{0, 1, 1, 3, 3}; !slices.Equal(cut, want) {
		t.Errorf("before each of them the other side had last ended %v; want %v", cut, want)
	}
}

// TestAnEarlierMarkIsNoBeginning: a mark that was sent over an earlier connection and comes over a
// new one does not say that all has come which waited for it: the will of the earlier one stands
// behind it.
func TestAnEarlierMarkIsNoBeginning(t *testing.T) {
	m, err := newMarkers([]byte("ours"))
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{markers: m, acks: make(map[*guard][]byte), cfg: Config{Log: slog.New(slog.DiscardHandler)}}
	early := m.next()
	m.begin(early)
	c.reach = func(context.Context, *url.URL) (net.Conn, error) {
		msg := intake.Message{Payload: []byte(m.text(kindMark, early))}
		if m.came(&msg, 2, time.Now()); !msg.Mark || msg.Marker != 0 {
			t.Errorf("the mark of connection 1 came over connection 2 as %v, its marker %d", msg.Mark, msg.Marker)
		}
		return nil, errSilent
	}
	if err := c.connection(t.Context(), &url.URL{}); !errors.Is(err, errSilent) {
		t.Fatal(err)
	}
}
