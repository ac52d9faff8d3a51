package window

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
)

// TestRunsAreExact compares with a plain set, over any order.
func TestRunsAreExact(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var s Runs
		plain := map[[2]int64]bool{}
		n := rapid.IntRange(1, 200).Draw(r, "n")
		for range n {
			seq := rapid.Uint64Range(0, 20).Draw(r, "seq")
			at := rapid.Int64Range(0, 12).Draw(r, "at")
			if rapid.Bool().Draw(r, "regular") {
				at = 100 + 10*int64(seq)
			}
			key := [2]int64{int64(seq), at}
			if s.Has(seq, at) != plain[key] {
				r.Fatalf("(%d, %d) is %v; want %v", seq, at, s.Has(seq, at), plain[key])
			}
			if !plain[key] {
				s.Add(seq, at)
				plain[key] = true
			}
		}
		for key := range plain {
			if !s.Has(uint64(key[0]), key[1]) {
				r.Fatalf("%v is forgotten", key)
			}
		}
	})
}

func TestAMillionContiguousReadingsCostBytes(t *testing.T) {
	for name, order := range map[string]func(int) int{
		"in order":        func(i int) int { return i },
		"pairs swapped":   func(i int) int { return i ^ 1 },
		"blocks shuffled": func(i int) int { return i/1000*1000 + (i%1000)*7%1000 },
	} {
		var s Runs
		for i := range 1_000_000 {
			seq := order(i)
			s.Add(uint64(seq), int64(seq)*1e9)
		}
		if len(s.layer) != 1 || runsOf(&s.layer[0]) != 1 || s.rest != nil {
			t.Errorf("%s: %d layers, %d runs; want one run", name, len(s.layer), runsOf(&s.layer[0]))
		}
	}
}

func runsOf(l *layer) (n int) {
	for _, c := range l.chunks {
		n += len(c)
	}
	return n
}

func TestSeqAtTheEndOfItsRange(t *testing.T) {
	var s Runs
	for _, seq := range []uint64{1<<64 - 1, 0, 1<<64 - 2, 1} {
		s.Add(seq, int64(seq))
	}
	for _, seq := range []uint64{1<<64 - 1, 0, 1<<64 - 2, 1} {
		if !s.Has(seq, int64(seq)) || s.Has(seq, int64(seq)+1) {
			t.Errorf("seq %d is wrong", seq)
		}
	}
}

// people is a stream about units with every measure.
func people(t interface{ Fatal(...any) }, unit plan.Unit) *plan.Stream {
	s := &plan.Stream{
		ID: "s", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"), Forget: civil.MustPeriod("P1D"),
		From: time.Unix(0, 0), Until: time.Unix(1e9, 0), Unit: unit, Zones: []string{"a", "b"},
		Measures: []plan.Measure{
			{Name: "units", Of: plan.Distinct}, {Name: "n", Of: plan.Count, Bounded: true, High: 3},
			{Name: "sum", Of: plan.Sum, Field: "x", Bounded: true, Low: -5, High: 2},
			{Name: "mean", Of: plan.Mean, Field: "x", Bounded: true, Low: -1, High: 4},
			{Name: "classes", Of: plan.Histogram, Field: "x", Edges: []float64{-3, 0, 0.5, 7}},
			{Name: "median", Of: plan.Quantile, Field: "x", Q: 0.5, Bounded: true, Low: -4, High: 4},
		},
		Protect: plan.Protect{MinUnits: 1, Epsilon: 1, Delta: 1e-6, MaxContributions: 2},
	}
	if unit.None() {
		s.Measures = s.Measures[1:]
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s
}

func entries(r *rapid.T) []Entry {
	list := make([]Entry, rapid.IntRange(1, 40).Draw(r, "n"))
	for i := range list {
		e := &list[i]
		e.Accounted, e.Sequenced, e.Seq = true, true, uint64(i)
		e.Sensor = uint64(rapid.IntRange(0, 2).Draw(r, "sensor"))
		e.Time = rapid.Int64Range(0, 5).Draw(r, "time")
		e.Cell = uint32(rapid.IntRange(0, 1).Draw(r, "cell"))
		e.Unit = pseudonym.Tag{byte(rapid.IntRange(1, 4).Draw(r, "unit"))}
		v := rapid.Int64Range(-8_000_000, 8_000_000).Draw(r, "value")
		e.Has = 0b111111
		for m := range 6 {
			e.Values[m] = v
		}
	}
	return list
}

// offerUnit applies an entry as ingest does.
func offerUnit(w *Window, e Entry) {
	again := w.Seen(&e)
	w.HasUnit(&e)
	if !again || w.News(&e) {
		w.Apply(&e)
	}
}

func apply(w *Window, list []Entry) []release.Sums {
	for i := range list {
		offerUnit(w, list[i])
	}
	feeders := NewFeeders(w.Stream)
	feeders.Add("", Feeder{Sensor: 1, Known: new(atomic.Bool)})
	return w.Sums(feeders)
}

// TestOrderAndRedelivery: any order and any repetition give the same sums.
func TestOrderAndRedelivery(t *testing.T) {
	for _, unit := range []plan.Unit{{Field: "u", StandsFor: "device"}, {StandsFor: "none"}} {
		s := people(t, unit)
		rapid.Check(t, func(r *rapid.T) {
			list := entries(r)
			fresh := func() *Window { return New(s, "p", time.Unix(0, 0), time.Unix(3600, 0)) }
			want := fmt.Sprint(apply(fresh(), list))
			again := append(append([]Entry{}, list...), list[:len(list)/2]...)
			rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
			rnd.Shuffle(len(again), func(a, b int) { again[a], again[b] = again[b], again[a] })
			if got := fmt.Sprint(apply(fresh(), again)); got != want {
				r.Fatalf("another order gives\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestSensitivity: all that one unit did in one pair moves each total by no more
// than the bound that its noise is made for.
func TestSensitivity(t *testing.T) {
	s := people(t, plan.Unit{Field: "u", StandsFor: "device"})
	rapid.Check(t, func(r *rapid.T) {
		list := entries(r)
		if rapid.Bool().Draw(r, "extreme") {
			for i := range list {
				for m := range list[i].Values {
					list[i].Values[m] = rapid.SampledFrom(
						[]int64{1e15, -1e15, 0, math.MaxInt64, math.MinInt64, math.MinInt64 + 1}).Draw(r, "huge")
				}
			}
		}
		gone := pseudonym.Tag{1}
		var without []Entry
		for _, e := range list {
			if e.Unit != gone {
				without = append(without, e)
			}
		}
		fresh := func() *Window { return New(s, "p", time.Unix(0, 0), time.Unix(3600, 0)) }
		with, less := apply(fresh(), list), apply(fresh(), without)
		for c := range with {
			if d := with[c].Units - less[c].Units; d < 0 || d > 1 {
				r.Fatalf("one unit adds %d units", d)
			}
			for m := range s.Measures {
				moved := int64(0)
				for slot := range with[c].Total[m] {
					d := with[c].Total[m][slot] - less[c].Total[m][slot]
					moved += max(d, -d)
				}
				if bound := s.Measures[m].Bound(); moved > bound {
					r.Fatalf("one unit moves %s by %d; the bound is %d", s.Measures[m].Name, moved, bound)
				}
				if d := with[c].Weight[m] - less[c].Weight[m]; d < 0 || d > 1 {
					r.Fatalf("one unit moves the weight of %s by %d", s.Measures[m].Name, d)
				}
			}
		}
	})
}

func TestAlive(t *testing.T) {
	s := people(t, plan.Unit{Field: "u", StandsFor: "device"})
	w := New(s, "p", time.Unix(0, 0), time.Unix(3600, 0))
	w.Apply(&Entry{Sensor: 7, Sequenced: true, Unit: pseudonym.Tag{1}, Has: 1})
	var yes, later atomic.Bool
	yes.Store(true)
	feeders := NewFeeders(s)
	feeders.Add("a", Feeder{Sensor: 7, Known: &yes, Until: math.MaxInt64})
	feeders.Add("b", Feeder{Sensor: 8, Known: &later, Until: math.MaxInt64})
	feeders.Add("b", Feeder{Sensor: 9, Known: &yes, Until: math.MaxInt64})
	if sums := w.Sums(feeders); sums[0].Alive || !sums[1].Alive {
		t.Error("readings about people must not decide whether a sensor lives; an unknown one counts as living")
	}
	w.Apply(&Entry{Alive: true, Sensor: 7})
	if sums := w.Sums(feeders); !sums[0].Alive {
		t.Error("a heartbeat was not seen")
	}
	if later.Store(true); w.Sums(feeders)[1].Alive {
		t.Error("a sensor that sends heartbeats by now, and sent none, counts as living")
	}
	if moving := NewFeeders(s); w.Sums(moving)[0].Alive {
		t.Error("a cell that nobody measures counts as measured")
	} else if moving.Add("", Feeder{Sensor: 7, Known: &yes}); !w.Sums(moving)[0].Alive || !w.Sums(moving)[1].Alive {
		t.Error("a sensor that moves does not measure all cells")
	}
	// Where sensors are the units, whether they live is their own business.
	stream := people(t, plan.Unit{Sensor: true, StandsFor: "home"})
	if homes := New(stream, "p", time.Unix(0, 0), time.Unix(3600, 0)); true {
		silent := NewFeeders(homes.Stream)
		silent.Add("a", Feeder{Sensor: 7, Known: &yes})
		if sums := homes.Sums(silent); !sums[0].Alive || sums[1].Alive {
			t.Error("a silent home decides whether its zone was measured, or a zone without homes is")
		}
	}
	// How many are registered is known without any reading: by zone, and anywhere of those that move,
	// those of later and of before left out.
	feeders.Add("", Feeder{Sensor: 10, Known: &yes, Until: math.MaxInt64})
	feeders.Add("a", Feeder{Sensor: 11, Known: &yes, From: w.Start.Add(time.Hour).UnixNano(), Until: math.MaxInt64})
	feeders.Add("a", Feeder{Sensor: 12, Known: &yes, Until: w.Start.UnixNano()})
	if sums := w.Sums(feeders); sums[0].Registered != 2 || sums[1].Registered != 3 || w.Sums(nil)[0].Registered != 0 {
		t.Errorf("%d and %d are registered; want 2 and 3, and without a register none", sums[0].Registered,
			sums[1].Registered)
	}
	w.Lost = true
	if sums := w.Sums(feeders); sums[0].Alive || sums[0].Units != 0 || sums[1].Alive {
		t.Error("a lost window shows something")
	}
}
