package window

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/internal/civil"
	"sluice/plan"
)

// days is a stream of all levels, by the day.
func days(t *testing.T, of []plan.Aggregation, start time.Time) *plan.Stream {
	t.Helper()
	s := &plan.Stream{
		ID: "s", Decision: "s", Timezone: "UTC", Every: civil.MustPeriod("P1D"), From: start,
		Until: start.AddDate(1, 0, 0),
		Unit:  plan.Unit{StandsFor: "none"}, Zones: []string{"a"},
	}
	for _, x := range of {
		s.Measures = append(s.Measures,
			plan.Measure{Name: string(x), Of: x, Field: "laeq", Bounded: true, Low: 20, High: 140})
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s
}

// partOf the day of an hour: 0 day, 1 evening, 2 night.
func partOf(h int) int {
	switch {
	case h < 7 || h == 23:
		return 2
	case h < 19:
		return 0
	}
	return 1
}

// TestLevelsInAnyOrder: a day's readings give the same levels in whatever order they come,
// each of its own part of the day; what a part is missing for is not there.
func TestLevelsInAnyOrder(t *testing.T) {
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	of := []plan.Aggregation{plan.Leq, plan.Lday, plan.Levening, plan.Lnight, plan.Lden}
	s := days(t, of, start)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "n")
		hours := rapid.SliceOfN(rapid.IntRange(0, 23), n, n).Draw(t, "hours")
		levels := rapid.SliceOfN(rapid.Int64Range(20*plan.Fixed, 140*plan.Fixed), n, n).Draw(t, "levels")
		live := func(order []int) *Window {
			w := New(s, "p", start, start.AddDate(0, 0, 1))
			for _, i := range order {
				e := Entry{Sensor: 1, Sequenced: true, Seq: uint64(i),
					Time: start.Add(time.Duration(hours[i]) * time.Hour).UnixNano(), Has: 0x1f}
				for k := range of {
					e.Values[k] = levels[i]
				}
				w.Apply(&e)
			}
			return w
		}
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		one := live(order).Sums(nil)[0]
		other := live(rapid.Permutation(order).Draw(t, "order")).Sums(nil)[0]
		energy, count := map[int]float64{}, map[int]int{}
		for i, h := range hours {
			energy[partOf(h)] += math.Pow(10, float64(levels[i])/plan.Fixed/10)
			count[partOf(h)]++
		}
		for k, x := range of {
			if one.Weight[k] != other.Weight[k] || len(one.Total[k]) != len(other.Total[k]) {
				t.Fatalf("%s: in another order %v, not %v", x, other, one)
			}
			for slot := range one.Total[k] {
				if one.Total[k][slot] != other.Total[k][slot] {
					t.Fatalf("%s: in another order %v, not %v", x, other, one)
				}
			}
		}
		for k, p := range []int{0, 1, 2} { // lday, levening, lnight
			m := &s.Measures[k+1]
			if one.Weight[k+1] != int64(count[p]) {
				t.Fatalf("%s is of %d readings, not %d", m.Of, one.Weight[k+1], count[p])
			}
			want := 10 * math.Log10(energy[p]/float64(count[p]))
			if got := 0.0; count[p] > 0 {
				if got = m.Decibels(one.Total[k+1]); math.Abs(got-want) > 2e-6 {
					t.Fatalf("%s is %v, not %v", m.Of, got, want)
				}
			}
		}
		if whole := count[0] > 0 && count[1] > 0 && count[2] > 0; (one.Weight[4] > 0) != whole {
			t.Fatalf("lden of %v readings has weight %d", count, one.Weight[4])
		}
	})
}
