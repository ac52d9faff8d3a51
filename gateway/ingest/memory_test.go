package ingest

import (
	"reflect"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/reading"
)

// TestMemory: a value is compared with the one before by time, and by seq where the time is the
// same; what is refused as of the future is no value; and an epoch's end drops what is about people.
func TestMemory(t *testing.T) {
	i := &Ingest{cfg: Config{Future: time.Minute, Now: func() time.Time { return noon }}}
	i.reception.clock, i.reception.cfg = &eventClock{cfg: &i.cfg}, &i.cfg
	s := &sensor{until: 1<<63 - 1}
	s.shape = format.NewShape([]string{"a", "b", "c", "d"}, make([]string, 4), nil, nil)
	i.reception.memories = make(memories)
	d := &delivery{in: &i.reception, sensor: s, message: &intake.Message{Received: noon}}
	at := noon.UnixNano()
	stamp := func(at int64, seq uint64) *reading.Stamp {
		return &reading.Stamp{Time: at, Timed: true, Sequenced: seq > 0, Seq: seq}
	}
	for n, c := range []struct {
		of            *reading.Stamp
		value, before float64
		known, late   bool
	}{
		{stamp(at, 1), 5, 0, false, false},
		{stamp(at, 2), 6, 5, true, false},
		{stamp(at, 2), 6, 0, false, true},
		{stamp(at, 1), 5, 0, false, true},
		{stamp(at-1, 9), 5, 0, false, true},
		{stamp(at+int64(time.Hour), 3), 900, 0, false, false}, // the future
		{stamp(at+1, 4), 8, 6, true, false},
		{stamp(at+1, 0), 8, 0, false, true},
	} {
		before, known, late := d.Last(3, c.of)
		if !late {
			d.Keep(3, c.value, c.of)
		}
		if late != c.late || !late && (before != c.before || known != c.known) {
			t.Errorf("value %d: %v, %v, %v; want %v", n, before, known, late, c)
		}
	}
	d.message.Retained = true
	d.Keep(0, 1, &reading.Stamp{Time: at})
	if _, known, late := d.Last(0, &reading.Stamp{Time: at}); known || late || s.memory.last[0].known {
		t.Error("a retained copy without a time is a value")
	}
	if !i.reception.memories[s] {
		t.Error("it would not be in the next commit")
	}
	found := make(map[uint64]memory)
	if readMemories(s.appendMemory(nil), found); !reflect.DeepEqual(found[s.number], s.memory) {
		t.Errorf("%v is read as %v", s.memory, found[s.number])
	}
	for cut := range s.appendMemory(nil) {
		readMemories(s.appendMemory(nil)[:cut], make(map[uint64]memory))
	}
	s.shape = format.NewShape([]string{"b", "a"}, make([]string, 2), nil, nil)
	d.message.Retained = false
	if _, known, late := d.Last(1, stamp(at, 1)); known || late {
		t.Error("a field is compared with another")
	}
	nobody := &sensor{memory: memory{last: []last{{value: 1, known: true}}}}
	r := routing{roster: roster{sensors: []*sensor{s, nobody}}}
	s.aboutPeople = true
	if len(s.appendMemory(nil)) > 0 {
		t.Error("what is about people is on a disk")
	}
	if r.forgetReadings(); s.memory.last != nil || nobody.memory.last == nil {
		t.Errorf("after the epoch there are %d and %d values", len(s.memory.last), len(nobody.memory.last))
	}
}
