package certify

import (
	"slices"
	"testing"
	"time"

	"sluice/certify/report"
	"sluice/certify/tap"
)

func TestSpans(t *testing.T) {
	var s spans
	if _, any := s.high(); any {
		t.Error("nothing has a highest number")
	}
	for _, n := range []uint64{5, 6, 3, 4, 4, 9, 0, 1} {
		s.add(n)
	}
	if want := []span{{0, 1}, {3, 6}, {9, 9}}; !slices.Equal(s.list, want) {
		t.Errorf("%v, want %v", s.list, want)
	}
	for above, want := range map[uint64]uint64{0: 3, 1: 3, 2: 2, 6: 2, 7: 1, 8: 0, 9: 0, 50: 0} {
		if got := s.missing(above); got != want {
			t.Errorf("%d are missing above %d, want %d", got, above, want)
		}
	}
	for n := range uint64(3 * maxSpans) {
		s.add(100 + 2*n)
	}
	if len(s.list) > maxSpans {
		t.Errorf("%d ranges are remembered", len(s.list))
	}
}

// TestBeats: a heartbeat is late where it comes later than the one before has said, on the same connection.
func TestBeats(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var b beats
	b.add(at, time.Minute)
	b.add(at.Add(time.Minute), time.Minute)
	b.add(at.Add(150*time.Second), time.Minute) // a minute and a half
	if b.inTime != 2 || b.late != 0 {
		t.Errorf("%+v", b)
	}
	b.begin()
	b.add(at.Add(time.Hour), 0)
	b.add(at.Add(time.Hour), time.Minute)
	if b.late != 0 || b.unread != 1 {
		t.Errorf("after another connection: %+v", b)
	}
	b.add(at.Add(time.Hour+2*time.Minute), time.Minute)
	if b.late != 1 || b.number != 6 {
		t.Errorf("one that is late: %+v", b)
	}
}

// TestOutageIsJudged: each way in which a device may come back, in the order in which they are told.
func TestOutageIsJudged(t *testing.T) {
	from := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	message := func(second int, seq uint64, at time.Duration) tap.Event {
		s := stamp{Key: seq + 1, Timed: true, UTC: true, Time: from.Add(at), Sequenced: true, Seq: seq}
		return tap.Event{What: tap.Published, Message: &tap.Message{
			At: from.Add(time.Hour + time.Duration(second)*time.Second), Known: true, Stamps: []stamp{s}}}
	}
	for _, c := range []struct {
		name      string
		seqs      []uint64
		burst     int
		back, due bool
		want      report.Result
	}{
		{"all came", []uint64{8, 9, 10, 11}, 1, true, true, report.Pass},
		{"newest first", []uint64{11, 10, 9, 8}, 1, true, true, report.Pass},
		{"one is missing", []uint64{8, 10, 11}, 1, true, true, report.Fail},
		{"nothing came", nil, 1, true, true, report.Fail},
		{"nothing was due", nil, 1, true, false, report.Untried},
		{"it did not come back", nil, 1, false, true, report.Fail},
		{"a hundred in a second", []uint64{8, 9}, maxRate, true, true, report.Pass},
		{"more in a second", []uint64{8, 9}, maxRate + 1, true, true, report.Fail},
	} {
		r := &run{rec: newRecord(), done: map[string]report.Check{}, o: Options{Show: func(report.Check) {}}}
		r.codes = func(string) []report.Code { return nil }
		r.rec.see(message(-1, 7, -time.Second))
		o := outage{from: from, to: from.Add(time.Minute), high: 7, sequenced: true}
		for i, seq := range c.seqs {
			e := message(i, seq, time.Duration(i+1)*time.Second)
			o.see(e, r.rec.see(e))
		}
		for range c.burst {
			o.see(message(100, 8, time.Second), nil)
		}
		r.keptBack(&o, c.back, c.due)
		if got := r.done["backlog"].Result; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
