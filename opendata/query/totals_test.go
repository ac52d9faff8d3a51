package query

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/books"
	"sluice/store"
)

// shelf is a store in memory.
type shelf []store.Observation

func (s shelf) Observations(_ context.Context, q store.Query) ([]store.Observation, error) {
	var out []store.Observation
	for _, o := range s {
		for _, m := range q.Measures {
			if o.Measure == m {
				out = append(out, o)
			}
		}
	}
	return out, nil
}

func (shelf) ClosedUntil(context.Context, string) (time.Time, error) { return time.Time{}, nil }

var counts = Stream{Stream: books.Stream{ID: "s", Timezone: "UTC", Measures: []books.Measure{
	{Name: "units", Of: "distinct(unit)"}, {Name: "n", Of: "count()"}, {Name: "sum", Of: "sum(x)"},
	{Name: "mean", Of: "mean(x)"},
	{Name: "h_0_1", Of: "histogram(x)", Group: "h"},
}}}

// lattice is zones times hours times two categories with random fates.
func lattice(t *rapid.T) shelf {
	var list shelf
	for zone := range rapid.IntRange(1, 3).Draw(t, "zones") {
		for hour := range rapid.IntRange(1, 3).Draw(t, "hours") {
			for _, category := range []string{"a", "b"} {
				o := store.Observation{
					Stream: "s", Start: time.Unix(int64(hour)*3600, 0).UTC(),
					End: time.Unix(int64(hour+1)*3600, 0).UTC(), Zone: fmt.Sprint("z", zone), Category: category,
					Cell: fmt.Sprintf("z%d/%s", zone, category), Measure: "n", Mechanism: "laplace", Scale: 2,
					Status: rapid.SampledFrom(
						[]store.Status{store.Published, store.Published, store.Withheld, store.NoData,
							store.Withdrawn}).Draw(t, "status"),
				}
				if o.Status == store.Published {
					v := float64(rapid.IntRange(0, 99).Draw(t, "value"))
					o.Value, o.Low, o.High = &v, &v, &v
				}
				list = append(list, o)
			}
		}
	}
	return list
}

// TestDifferencing is a stranger who asks for every total of every part of a small
// lattice and solves for what was withheld: each total is the sum of what is
// published anyway, to the last bit, so that every difference between a total and
// its published parts is exactly zero and says nothing of the others.
func TestDifferencing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := lattice(t)
		for _, over := range []string{"zones", "time"} {
			for subset := range 1 << len(list) {
				if len(list) > 6 && subset%37 != 0 && subset != 1<<len(list)-1 {
					continue
				}
				var part shelf
				for i, o := range list {
					if subset&(1<<i) != 0 {
						part = append(part, o)
					}
				}
				s := Source{Store: part}
				totals, err := s.Totals(context.Background(), url.Values{"over": {over}}, counts, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range totals {
					known, n := 0.0, 0
					for _, o := range part {
						if o.Value != nil && o.Category == x.Category &&
							(over == "zones" && o.Start.Equal(x.Start) || over == "time" && o.Cell == x.Cell) {
							known += *o.Value
							n++
						}
					}
					if x.Published != n || x.Parts != x.Published+x.Withheld+x.NoData+x.Withdrawn ||
						(x.Value == nil) != (n == 0) {
						t.Fatalf("%+v is over %d published parts", x, n)
					}
					if x.Value != nil && (*x.Value-known != 0 || *x.Low > *x.Value || *x.High < *x.Value) {
						t.Fatalf("a total is %v and its published parts are %v", *x.Value, known)
					}
				}
			}
		}
	})
}

// TestTotalsOfWhatAddsUp: different units, means and quantiles do not.
func TestTotalsOfWhatAddsUp(t *testing.T) {
	s := Source{Store: shelf{}}
	for query, ok := range map[string]bool{
		"over=zones": true, "over=time&measure=n": true, "over=time&measure=h": true, "measure=n": false,
		"over=cells":               false,
		"over=zones&measure=units": false, "over=zones&measure=mean": false,
		"over=zones&measure=n&measure=units": false,
	} {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Totals(context.Background(), v, counts, time.Now()); (err == nil) != ok {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestTotalsCover computes, by convolving the distributions themselves, how often
// the interval of a total holds the truth: at least 95 %, from one part to many and
// from the least scale on, and where whole steps are small not much more.
func TestTotalsCover(t *testing.T) {
	// What is common is held to a narrower bound than what is on few whole steps.
	lists := [][]float64{{1}, {2}, {2, 2}, {5, 5, 5}, {2, 10}, {1, 1, 1, 1, 30}, {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4}}
	common := len(lists)
	lists = append(lists, [][]float64{{0.1, 0.1, 0.1, 2}, {0.5, 0.5, 4}, {0.01, 1}}...)
	for _, b := range []float64{0.01, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9,
		1, 1.2, 1.5, 2, 3, 5} {
		for _, parts := range []int{1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 40} {
			lists = append(lists, slices.Repeat([]float64{b}, parts))
		}
	}
	for n, scales := range lists {
		for _, laplace := range []bool{true, false} {
			sum, variance := []float64{1}, 0.0
			for _, b := range scales {
				one := masses(b, laplace)
				if laplace {
					variance += discrete(b)
				} else {
					variance += b*b + 1.0/12
				}
				next := make([]float64, len(sum)+len(one)-1)
				for i, p := range sum {
					for j, q := range one {
						next[i+j] += p * q
					}
				}
				sum = next
			}
			covered, h := 0.0, half(variance, laplace)
			for i, p := range sum {
				if math.Abs(float64(i-len(sum)/2)) <= math.Ceil(h) {
					covered += p
				}
			}
			if covered < 0.95 || len(scales) > 1 && (n < common && covered > 0.985 || h > 8 && covered > 0.988) {
				t.Errorf("%d scales %v, Laplace %v: the interval holds the truth with %.4f", len(scales),
					scales[:min(3, len(scales))], laplace, covered)
			}
		}
	}
}

// masses are of noise from far below 0 to as far above.
func masses(b float64, laplace bool) []float64 {
	one := make([]float64, 2*int(25*b+2)+1)
	a := math.Exp(-1 / b)
	for i := range one {
		x := float64(i - len(one)/2)
		if laplace {
			one[i] = (1 - a) / (1 + a) * math.Pow(a, math.Abs(x))
		} else {
			one[i] = (math.Erfc((x-0.5)/b/math.Sqrt2) - math.Erfc((x+0.5)/b/math.Sqrt2)) / 2
		}
	}
	return one
}

// TestTotalsInterval: of counts it is whole, of sums it is not, of exact numbers it
// is the number.
func TestTotalsInterval(t *testing.T) {
	v := 10.0
	for _, c := range []struct {
		measure, mechanism string
		half               float64
	}{{"n", "laplace", 5}, {"sum", "laplace", laplace95 * math.Sqrt2 * 1.5}, {"n", "exact", 0}, {"n", "gaussian", 3}} {
		o := store.Observation{Stream: "s", Measure: c.measure, Mechanism: c.mechanism, Scale: 1.5,
			Status: store.Published, Value: &v}
		s := Source{Store: shelf{o}}
		list, err := s.Totals(context.Background(), url.Values{"over": {"time"}, "measure": {c.measure}}, counts,
			time.Now())
		if err != nil || len(list) != 1 || math.Abs(*list[0].High-v-c.half) > 1e-9 ||
			math.Abs(v-*list[0].Low-c.half) > 1e-9 {
			t.Errorf("%+v: %+v, %v", c, list[0], err)
		}
	}
}
