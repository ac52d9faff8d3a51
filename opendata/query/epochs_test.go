package query

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
)

// epochs is a store of epochs' numbers, in order.
type epochs []store.Observation

func (s epochs) Observations(_ context.Context, q store.Query) (out []store.Observation, err error) {
	if q.Which != store.Epochs {
		return nil, errors.New("more is asked for")
	}
	for _, o := range s {
		if !o.Start.Before(q.From) && o.Start.Before(q.To) {
			out = append(out, o)
		}
	}
	return out, nil
}

func (epochs) ClosedUntil(context.Context, string) (time.Time, error) { return time.Time{}, nil }

// ended is the store of a city in Madrid: each day's numbers, in the row of its last
// window.
func ended(days int, units, bounded, half float64) (list epochs) {
	loc := Place("Europe/Madrid")
	for d := range days {
		end := time.Date(2026, 3, 1+d+1, 0, 0, 0, 0, loc).UTC()
		for _, m := range store.EpochMeasures {
			v := bounded
			if m == store.EpochUnits {
				v = units
			}
			low, high := max(0, v-half), v+half
			list = append(list, store.Observation{
				Stream: "footfall", Start: end.Add(-time.Hour), End: end, Every: "P1D", Cell: "rambla/", Measure: m,
				Status: store.Published, Value: &v, Low: &low, High: &high,
			})
		}
	}
	return list
}

// TestEpochs: an epoch is found by any part of it, whole, with its local beginning and end;
// one that has not ended is not there.
func TestEpochs(t *testing.T) {
	st := footfall
	st.Stream = books.Stream{ID: "footfall", Timezone: "Europe/Madrid", ShareFrom: 100}
	s := &Source{Store: ended(40, 1000, 190, 10)} // the 29th has 23 hours
	loc := Place("Europe/Madrid")
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, loc) }
	for name, c := range map[string]struct {
		from, to    time.Time
		first, many int
	}{
		"an hour":             {at(3, 10), at(3, 11), 3, 1},
		"the last one":        {at(3, 23), at(4, 0), 3, 1},
		"the first one":       {at(3, 0), at(3, 1), 3, 1},
		"over midnight":       {at(3, 23), at(4, 1), 3, 2},
		"a short day":         {at(29, 0), at(29, 1), 29, 1},
		"and the next":        {at(30, 0), at(30, 1), 30, 1},
		"a week":              {at(2, 12), at(9, 12), 2, 8},
		"nothing":             {at(3, 0), at(3, 0), 0, 0},
		"what has not ended":  {at(50, 0), at(50, 1), 0, 0},
		"before the first":    {at(0, 0), at(0, 9), 0, 0},
		"until the first one": {at(0, 0), at(1, 1), 1, 1},
	} {
		list, err := s.Epochs(t.Context(), st, c.from, c.to)
		if err != nil || len(list) != c.many {
			t.Errorf("%s: %d epochs, %v; want %d", name, len(list), err, c.many)
			continue
		}
		for n, e := range list {
			if !e.Start.Equal(at(c.first+n, 0)) || !e.End.Equal(at(c.first+n+1, 0)) || *e.Units.Value != 1000 ||
				*e.Bounded.Value != 190 {
				t.Errorf("%s: from %s to %s: %+v", name, e.Start.In(loc), e.End.In(loc), e)
			}
			if got := Covering(list, "", e.End.Add(-time.Minute)); got == nil || !got.Start.Equal(e.Start) {
				t.Errorf("%s: the epoch of its last minute is %+v", name, got)
			}
		}
	}
	st.ShareFrom = 0
	if list, err := s.Epochs(t.Context(), st, at(3, 0), at(4, 0)); len(list) > 0 || err != nil {
		t.Errorf("a stream without them has %d, %v", len(list), err)
	}
	if Covering(nil, "", at(3, 0)).Share() != nil {
		t.Error("no epoch has a share")
	}
}

// TestShare: what is shown, and from how many units on.
func TestShare(t *testing.T) {
	one := func(units, bounded, half float64) *Share {
		s := &Source{Store: ended(1, units, bounded, half)}
		list, err := s.Epochs(t.Context(),
			Stream{Stream: books.Stream{ID: "footfall", Timezone: "Europe/Madrid", ShareFrom: 1}}, time.Unix(0, 0),
			time.Unix(1<<33, 0))
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0].Share()
	}
	if s := one(1000, 190, 10); s == nil || math.Abs(s.Value-0.19) > 1e-12 || s.Low != 0.1782 || s.High != 0.2021 {
		// 180 of 1,010 to 200 of 990, outwards
		t.Errorf("190 of 1000: %+v", s)
	}
	if s := one(1000, 0, 10); s == nil || s.Value != 0 || s.Low != 0 {
		t.Errorf("none of 1000: %+v", s)
	}
	if s := one(1000, 1010, 10); s == nil || s.Value != 1 || s.High != 1 {
		t.Errorf("more than all: %+v", s)
	}
	for _, bounded := range []float64{-5, -math.MaxFloat64} { // no store of ours has such a number
		if s := one(1000, bounded, 10); s == nil || s.Value != 0 || s.Low != 0 || s.High < 0 {
			t.Errorf("%v of 1000: %+v", bounded, s)
		}
	}
	if one(149, 60, 10) != nil || one(150, 60, 10) == nil {
		t.Error("it is shown from other than fifteen half widths on")
	}
	if s := one(150, 75, 10); s.High-s.Low > 0.21 {
		t.Errorf("where units are just enough, it is %+v", s)
	}
	if s := one(0, 0, 0); s == nil || s.Value != 0 {
		t.Errorf("nobody, and without noise: %+v", s)
	}
}

// TestShareHolds: the share's interval holds what was counted in at least 95 of 100 epochs,
// for shares from none to all, also among those epochs of which it is shown, where units
// are few. Noise is another sampler's. Of 4,000 draws a right interval is right less often
// than in 3,700 with a probability below 10^-8 (Hoeffding).
func TestShareHolds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	const b = 50.0
	half := math.Ceil(b * math.Log(40/(1+math.Exp(-1/b))))
	draw := func() float64 { return math.Floor(b*rnd.ExpFloat64()) - math.Floor(b*rnd.ExpFloat64()) }
	for _, units := range []float64{15 * half, 16 * half, 10_000} {
		for _, share := range []float64{0, 0.02, 0.19, 0.5, 0.98, 1} {
			bounded, held, shown := math.Round(share*units), 0, 0
			for shown < 4000 {
				e := Epoch{}
				for _, x := range []struct {
					o *store.Observation
					v float64
				}{{&e.Units, units}, {&e.Bounded, bounded}} {
					v := x.v + draw()
					low, high, v := max(0, v-half), max(0, v+half), max(0, v)
					x.o.Value, x.o.Low, x.o.High = &v, &low, &high
				}
				if s := e.Share(); s != nil {
					shown++
					if s.Low <= bounded/units && bounded/units <= s.High {
						held++
					}
				}
			}
			if held < 3700 {
				t.Errorf("%v of %v units: %d of 4000 hold", bounded, units, held)
			}
		}
	}
}

// TestCoveringIsNoOtherGateways: where two gateways have an epoch each, neither's share
// stands beside the other's numbers.
func TestCoveringIsNoOtherGateways(t *testing.T) {
	first := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	epoch := func(days int) Epoch { return Epoch{Start: first.AddDate(0, 0, days), End: first.AddDate(0, 0, days+1)} }
	list := []Epoch{epoch(0), epoch(1), epoch(1), epoch(2)}
	for days, want := range []*Epoch{&list[0], nil, &list[3], nil} {
		if got := Covering(list, "", first.AddDate(0, 0, days).Add(time.Hour)); got != want {
			t.Errorf("day %d is of %+v; want %+v", days, got, want)
		}
	}
}

// TestEpochsOfTwoGateways: each gateway's epoch is its own, also where they have one cell's
// name because a zone has changed hands; the latest of each is there, beside its zones, and
// a row's share is its gateway's, also while the other has none.
func TestEpochsOfTwoGateways(t *testing.T) {
	of := func(gateway, cell string, units float64) (list epochs) {
		for _, o := range ended(3, units, units/5, 10) {
			o.Gateway, o.Cell = gateway, cell
			list = append(list, o)
		}
		return list
	}
	st := At(books.Stream{ID: "footfall", Timezone: "Europe/Madrid", ShareFrom: 1},
		time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC))
	st.shares = []share{{cells: []books.Cell{{ID: "rambla", Zone: "rambla"}, {ID: "raval", Zone: "raval"}}},
		{cells: []books.Cell{{ID: "port", Zone: "port"}}}}
	for name, second := range map[string]epochs{"two zones": of("edge-2", "port/", 2000),
		"one zone": of("edge-2", "rambla/", 2000), "of before": of("", "port/", 2000)} {
		all := append(of("edge-1", "rambla/", 1000), second...)
		if name == "of before" {
			for n := range all {
				all[n].Gateway = ""
			}
		}
		slices.SortStableFunc(all, func(a, b store.Observation) int {
			return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Measure, b.Measure),
				cmp.Compare(a.Gateway, b.Gateway))
		})
		s := &Source{Store: all}
		list, err := s.Epochs(t.Context(), st, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), st.Through)
		if err != nil || len(list) != 6 {
			t.Fatalf("%s: %d epochs, %v; want 6", name, len(list), err)
		}
		for _, e := range list {
			if e.Share() == nil || math.Abs(e.Share().Value-0.2) > 1e-9 || e.Units.Gateway != e.Bounded.Gateway {
				t.Errorf("%s: an epoch is mixed: %+v", name, e)
			}
		}
		last, err := s.lastEpochs(t.Context(), st)
		if err != nil || len(last) != 2 || *last[0].Units.Value+*last[1].Units.Value != 3000 ||
			len(last[0].Zones) == 0 {
			t.Errorf("%s: the latest are %+v, %v", name, last, err)
		}
		start := list[0].Start.Add(time.Hour)
		if name == "of before" {
			if Covering(list, "", start) != nil {
				t.Errorf("%s: one's share stands beside all numbers", name)
			}
			continue
		}
		for gateway, units := range map[string]float64{"edge-1": 1000, "edge-2": 2000} {
			if e := Covering(list, gateway, start); e == nil || *e.Units.Value != units {
				t.Errorf("%s: of %s it is %+v", name, gateway, e)
			}
		}
		if Covering(LastOf(list)[:1], "edge-3", start.Add(48*time.Hour)) != nil {
			t.Errorf("%s: one's share stands beside another's number", name)
		}
	}
}
