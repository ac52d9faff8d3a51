package window

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/plan"
)

// TestAnotherUnitsReadingHidesNothing: readings of many units with the same sensor, boot,
// seq and time each count for their unit, once, in any order; those of one unit are a
// function of its own.
func TestAnotherUnitsReadingHidesNothing(t *testing.T) {
	s := people(t, plan.Unit{Field: "u", StandsFor: "device"})
	rapid.Check(t, func(r *rapid.T) {
		list := entries(r)
		for i := range list {
			e := &list[i]
			e.Seq = rapid.Uint64Range(0, 2).Draw(r, "seq")
			e.Sequenced, e.Untimed = rapid.IntRange(0, 4).Draw(r, "sequenced") > 0, rapid.Bool().Draw(r, "untimed")
			// A repetition says the same, whatever else it is like.
			e.Message = pseudonym.Tag{e.Unit[0], byte(e.Sensor), byte(e.Seq), byte(e.Time), byte(e.Cell), 1}
			for m := range e.Values {
				e.Values[m] = int64(e.Seq)*1_000_000 + int64(e.Sensor) + e.Time
				if e.Untimed {
					e.Values[m] -= e.Time
				}
			}
		}
		gone := pseudonym.Tag{1}
		with, less, twice := New(s, "p", time.Unix(0, 0), time.Unix(3600, 0)),
			New(s, "p", time.Unix(0, 0), time.Unix(3600, 0)), New(s, "p", time.Unix(0, 0), time.Unix(3600, 0))
		for _, e := range list {
			offerUnit(with, e)
			if e.Unit != gone {
				offerUnit(less, e)
			}
			offerUnit(twice, e)
		}
		for _, e := range list {
			if !e.Untimed { // a repetition is received later, and is known all the same
				offerUnit(twice, e)
			} else {
				e.Time += 7
				offerUnit(twice, e)
			}
		}
		for c := range with.cells {
			for unit, m := range less.cells[c].units {
				a, b := with.of(c, unit), less.cells[c].state[m.at:int(m.at)+len(s.Measures)]
				if !reflect.DeepEqual(a, b) {
					r.Fatalf("unit %d is %+v, and without another %+v", unit[0], a, b)
				}
			}
			for unit := range with.cells[c].units {
				a, b := with.of(c, unit), twice.of(c, unit)
				if len(a) != len(b) {
					r.Fatalf("unit %d is %+v, and sent twice %+v", unit[0], a, b)
				}
				for m := range s.Measures {
					if of := s.Measures[m].Of; of == plan.Count && a[m].n != b[m].n ||
						of == plan.Sum && a[m].sum != b[m].sum || a[m].lastValue != b[m].lastValue {
						r.Fatalf("measure %d of unit %d is %+v, and sent twice %+v", m, unit[0], a[m], b[m])
					}
				}
			}
		}
	})
}

// of is what one unit did in a cell.
func (w *Window) of(c int, unit pseudonym.Tag) []latest {
	m, ok := w.cells[c].units[unit]
	if !ok {
		return nil
	}
	return w.cells[c].state[m.at : int(m.at)+len(w.Stream.Measures)]
}

// TestWhatASensorBringsIsItsOwn: how many units a sensor may still bring does not depend
// on whether others have brought them, or whether they count.
func TestWhatASensorBringsIsItsOwn(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		list := entries(r)
		for i := range list {
			list[i].Seq = uint64(i)
			list[i].Bounded = list[i].Unit[0] == 4 // it has counted elsewhere
		}
		s := people(t, plan.Unit{Field: "u", StandsFor: "device"})
		all, own := New(s, "p", time.Unix(0, 0), time.Unix(3600, 0)), New(s, "p", time.Unix(0, 0), time.Unix(3600, 0))
		for _, e := range list {
			offerUnit(all, e)
			if e.Sensor == 1 {
				e.Bounded = false
				offerUnit(own, e)
			}
		}
		a, b := all.memory.accounts[1], own.memory.accounts[1]
		if (a == nil) != (b == nil) || a != nil &&
			(a.units != b.units || a.read != b.read || a.exact != b.exact || a.coarse != b.coarse) {
			r.Fatalf("beside others it has %+v, alone %+v", a, b)
		}
	})
}

// TestAtItsBound: a sensor that may bring no more units goes on with those that it has
// brought, also with one that another had brought before it or that counts nowhere.
func TestAtItsBound(t *testing.T) {
	for _, before := range []bool{false, true} {
		w := New(people(t, plan.Unit{Field: "u", StandsFor: "device"}), "p", time.Unix(0, 0), time.Unix(60, 0))
		w.memory.units = 3
		seq := uint64(0)
		room := func(sensor uint64, unit byte) bool {
			seq++
			e := Entry{Sensor: sensor, Sequenced: true, Seq: seq, Unit: pseudonym.Tag{unit}, Has: 0b111111,
				Bounded: unit == 3}
			w.Seen(&e)
			w.HasUnit(&e)
			ok, _ := w.UnitRoom(&e)
			if ok {
				w.Apply(&e)
			}
			return ok
		}
		if before && !room(2, 1) {
			t.Fatal("the first sensor has no room")
		}
		for _, unit := range []byte{1, 2, 3, 1, 2, 3} {
			if !room(1, unit) {
				t.Errorf("brought before by another: %v; unit %d has no room", before, unit)
			}
		}
		if room(1, 4) {
			t.Errorf("brought before by another: %v; a fourth unit has room", before)
		}
	}
}

// TestReadingsOfUnitsAreBounded: one sensor sends readings that add up without end;
// another's have room, and a window that is closed gives back what they took.
func TestReadingsOfUnitsAreBounded(t *testing.T) {
	b := &Budget{}
	w := New(people(t, plan.Unit{Field: "u", StandsFor: "device"}), "p", time.Unix(0, 0), time.Unix(60, 0))
	w.Share(b)
	send := func(sensor uint64, n int) (taken int) {
		for i := range uint64(n) {
			e := Entry{Sensor: sensor, Sequenced: true, Seq: i, Time: int64(i), Unit: pseudonym.Tag{byte(sensor)},
				Has: 0b111111}
			if w.Seen(&e) {
				t.Fatal("a new reading was seen")
			}
			w.HasUnit(&e)
			if _, more := w.UnitRoom(&e); more {
				w.Apply(&e)
				taken++
			}
		}
		return taken
	}
	if got, want := send(1, 200_000), readBurst+60*readRate; got != want {
		t.Errorf("one sensor's %d readings are taken; want %d", got, want)
	}
	if got := send(2, 1000); got != 1000 {
		t.Errorf("beside it %d of 1000 readings are taken", got)
	}
	if w.Forget(); *b != (Budget{}) {
		t.Errorf("%+v is not given back", *b)
	}
}

// TestMarks compares with a plain set, small and in parts.
func TestMarks(t *testing.T) {
	var m marks
	plain := map[[2]uint64]bool{}
	rnd := rand.New(rand.NewPCG(7, 8))
	for i := range 4 * large {
		hash, who := rnd.Uint64N(3*large)*0x9e3779b97f4a7c15, int32(rnd.IntN(3))
		if i%5 == 0 {
			hash = uint64(i % 7) // 0 among them, and all in one part
		}
		key := [2]uint64{max(hash, 1), uint64(who)}
		if m.has(hash, who) != plain[key] || m.add(hash, who) == plain[key] || !m.has(hash, who) {
			t.Fatalf("(%x, %d) is wrong; it was there: %v", hash, who, plain[key])
		}
		plain[key] = true
	}
	if m.n != len(plain) || m.parts == nil {
		t.Errorf("%d are in it, in parts: %v; want %d", m.n, m.parts != nil, len(plain))
	}
}
