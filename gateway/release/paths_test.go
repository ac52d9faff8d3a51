package release

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
	"sluice/test/chance"
)

// steered is the method that the tests of noise go through, since its choice can be
// steered by delta and the number of pairs alone.
const steered = 1

// many publishes the same sums in so many cells, over the path that every number
// goes, and returns each part's numbers.
func many(t *testing.T, s *plan.Stream, cells int, sums Sums) map[string][]store.Observation {
	t.Helper()
	const each = 2000
	if cells == 0 || cells%each != 0 {
		t.Fatalf("%d cells are no windows of %d", cells, each)
	}
	s.Zones = nil
	for i := range each {
		s.Zones = append(s.Zones, fmt.Sprintf("z%04d", i))
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	list := make([]Sums, each)
	for i := range list {
		list[i] = sums
	}
	out := make(map[string][]store.Observation)
	for window := range cells / each {
		book, at := &memory{method: steered}, start.Add(time.Duration(window)*time.Hour)
		b := NewBatch(s, "policy", at, at.Add(time.Hour), list, "")
		if err := NewPublisher(book, true).Publish(context.Background(), b,
			Charter{EpsilonPerDay: map[string]float64{s.Unit.StandsFor: 1e3}}, rules{}); err != nil {
			t.Fatal(err)
		}
		for _, r := range book.released[b.Key()] {
			o := r.Observation()
			out[o.Measure] = append(out[o.Measure], o)
		}
	}
	return out
}

// price is a decision's protection, from the least scale to the greatest.
type price struct {
	epsilon, delta float64
	pairs          int64
	gaussian       bool
}

var prices = []price{
	{100, 1e-300, 1, false}, {20, 1e-300, 1, false}, {10, 1e-300, 1, false}, {7, 1e-300, 1, false},
	{1, 1e-300, 1, false}, {0.3, 1e-300, 3, false}, {0.01, 1e-300, 24, false}, {1e-6, 1e-300, 100, false},
	{5, 0.9, 8, true}, {1, 0.01, 100, true}, {0.02, 1e-6, 10_000, true}, {1e-6, 0.01, 500, true},
}

// law is that of one of the two noises.
func law(gaussian bool, scale float64) mechanism.Law {
	return mechanism.Law{Gaussian: gaussian, Scale: scale}
}

// protected is a stream about units with one measure at a price.
func protected(t *testing.T, p price, x plan.Measure) *plan.Stream {
	return stream(t, func(s *plan.Stream) {
		s.Measures = []plan.Measure{x}
		s.Protect = plan.Protect{MinUnits: 2, Epsilon: p.epsilon, Delta: p.delta, MaxContributions: p.pairs}
	})
}

// TestNumbers: what is published of numbers of units and readings, of sums and of
// classes differs from what was counted as the decision says, from the least scale
// to the greatest: E|X|, how often it is off by more than t for several t, and how
// often its interval holds, which is exactly as often as the law's and at least 95
// of 100.
func TestNumbers(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a minute")
	}
	const cells = 6_000
	home := plan.Unit{Sensor: true, StandsFor: "home"}
	seen := make(map[bool]int)
	low, high := math.Inf(1), 0.0
	for _, x := range []struct {
		plan.Measure
		unit  plan.Unit
		bound float64 // steps
	}{
		{plan.Measure{Of: plan.Distinct}, plan.Unit{}, 1},
		{plan.Measure{Of: plan.Distinct}, home, 1},
		{plan.Measure{Of: plan.Count, Bounded: true, High: 1}, plan.Unit{}, 1},
		{plan.Measure{Of: plan.Count, Bounded: true, High: 1e6}, plan.Unit{}, 1e6},
		{plan.Measure{Of: plan.Sum, Field: "x", Bounded: true, Low: 0, High: 1e-6}, plan.Unit{}, 1},
		{plan.Measure{Of: plan.Sum, Field: "x", Bounded: true, Low: -8, High: 3}, home, 8e6},
		{plan.Measure{Of: plan.Sum, Field: "x", Bounded: true, Low: -1e6, High: 1e6}, plan.Unit{}, 1e12},
		{plan.Measure{Of: plan.Histogram, Field: "x", Edges: []float64{0, 1, 5}}, plan.Unit{}, 1},
	} {
		for _, p := range prices {
			x.Name = "m"
			s := protected(t, p, x.Measure)
			if x.unit.StandsFor != "" {
				s.Unit = x.unit
			}
			m, err := mechanism.By(s, steered)
			if err != nil || refused(s) {
				continue // above the greatest scale; TestGreatestScale
			}
			if (m.Name() == "gaussian") != p.gaussian {
				t.Errorf("%+v is %s", p, m.Name())
			}
			parts := 2.0 // of the budget
			if x.Of == plan.Distinct {
				parts = 1
			}
			l := law(true, x.bound*math.Sqrt(float64(p.pairs)*parts)*chance.Sigma(p.epsilon, p.delta))
			if !p.gaussian {
				l = law(false, x.bound*float64(p.pairs)*parts/p.epsilon)
			}
			seen[p.gaussian]++
			low, high = min(low, l.Scale), max(high, l.Scale)
			truth := int64(100*l.Scale) + int64(2*m.Threshold()) + 1000
			for name, list := range many(t, s, cells, counted(s, truth)) {
				holds(t, l, fmt.Sprintf("%s %v %s %+v", x.Of, x.bound, name, p), list, float64(truth),
					mechanism.Steps(x.Measure))
			}
		}
	}
	if seen[false] < 30 || seen[true] < 15 || low > 0.1 || high < mechanism.MaxScale/100 {
		t.Errorf("looked at %v streams by noise, of scales from %v to %v", seen, low, high)
	}
}

// counted are sums of n each, whatever is measured.
func counted(s *plan.Stream, n int64) Sums {
	sums := NewSums(s)
	sums.Units, sums.Alive = n, true
	for i := range sums.Total {
		sums.Weight[i] = n
		for slot := range sums.Total[i] {
			sums.Total[i][slot] = n
		}
	}
	return sums
}

// holds compares published numbers with what was counted and the law of their noise,
// in steps of so many to the number's unit.
func holds(t *testing.T, l mechanism.Law, what string, list []store.Observation, truth, steps float64) {
	t.Helper()
	n, inside, sum := len(list), 0, 0.0
	off := make([]float64, n)
	for i, o := range list {
		if o.Status != store.Published {
			t.Fatalf("%s: %s", what, o.Status)
		}
		off[i] = math.Abs(math.Round(*o.Value*steps) - truth)
		sum += off[i]
		if *o.Low <= truth/steps && truth/steps <= *o.High {
			inside++
		}
	}
	if !chance.Noise(l).Near(sum/float64(n), n) {
		t.Errorf("%s: E|X| is %v; the scale is %v", what, sum/float64(n), l.Scale)
	}
	for _, times := range []float64{0, 0.3, 1, 2, 4, 7} {
		k, more := math.Floor(times*l.Scale), 0
		for _, v := range off {
			if v > k {
				more++
			}
		}
		if p := 2 * l.Tail(k+1); !chance.Fits(more, n, p) {
			t.Errorf("%s: %d of %d are off by more than %v; at scale %v the probability is %v", what, more, n, k,
				l.Scale, p)
		}
	}
	half := math.Round((*list[0].High - *list[0].Low) / 2 * steps)
	if p := 1 - 2*l.Tail(half+1); !chance.Fits(inside, n, p) || p < mechanism.Confidence-1e-4 {
		t.Errorf("%s: the interval of plus or minus %v holds in %d of %d; it should in %v", what, half, inside, n, p)
	}
	if half > 0 && 1-2*l.Tail(half) > mechanism.Confidence+5e-4 {
		t.Errorf("%s: plus or minus %v is not the least interval", what, half)
	}
}
