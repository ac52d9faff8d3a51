package release

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/plan"
	"sluice/store"
)

// TestQuantileAboutNobody: the interval is the class that holds the quantile, for
// any values.
func TestQuantileAboutNobody(t *testing.T) {
	for _, q := range []float64{0.01, 0.25, 0.5, 0.95} {
		s := stream(t, func(s *plan.Stream) {
			s.Unit = plan.Unit{StandsFor: "none"}
			s.Measures = []plan.Measure{{Name: "q", Of: plan.Quantile, Field: "x", Q: q, Bounded: true, Low: -10,
				High: 90}}
		})
		x := &s.Measures[0]
		rnd := rand.New(rand.NewPCG(1, uint64(q*100)))
		for range 500 {
			sums, values := NewSums(s), make([]int64, 1+rnd.IntN(60))
			for i := range values {
				values[i] = rnd.Int64N(120*plan.Fixed) - 20*plan.Fixed
				sums.Total[0][x.Slot(values[i])]++
			}
			sums.Weight[0] = int64(len(values))
			slices.Sort(values)
			truth := float64(values[int(math.Ceil(q*float64(len(values))-1e-9))-1]) / plan.Fixed
			truth = min(90, max(-10, truth))
			o := publish(t, s, &memory{}, rules{}, sums)[0]
			if o.Status != store.Published || *o.Low > truth || truth > *o.High || *o.Value < *o.Low ||
				*o.Value > *o.High || *o.High-*o.Low > 0.2 {
				t.Fatalf("the %v quantile of %d values is %v in [%v, %v]; it is %v", q, len(values), *o.Value, *o.Low,
					*o.High, truth)
			}
		}
	}
}

// TestQuantileAboutUnits: the interval holds the truth in at least 93.5 of 100 of
// 2,000 draws, which a right one at 95 misses with a probability of about 0.1 %; it
// holds more. It is not much wider than need be, and values are near the truth.
func TestQuantileAboutUnits(t *testing.T) {
	for _, epsilon := range []float64{1, 4} { // Gaussian and Laplace
		s := stream(t, func(s *plan.Stream) {
			s.Measures = []plan.Measure{{Name: "q", Of: plan.Quantile, Field: "x", Q: 0.85, Bounded: true, Low: 0,
				High: 160}}
			s.Protect = plan.Protect{MinUnits: 10, Epsilon: epsilon, Delta: 1e-4,
				MaxContributions: int64(9 - 2*epsilon)}
		})
		const units, draws = 250, 2000 // few, so that noise and not the classes' width decides
		rnd := rand.New(rand.NewPCG(1, 2))
		sums, values := NewSums(s), make([]int64, units)
		for i := range values {
			values[i] = int64(min(160, max(0, 50+12*rnd.NormFloat64())) * plan.Fixed)
			sums.Total[0][s.Measures[0].Slot(values[i])]++
		}
		sums.Units, sums.Alive, sums.Weight[0] = units, true, units
		slices.Sort(values)
		truth := float64(values[units*85/100-1]) / plan.Fixed
		inside, off := 0, 0.0
		var o store.Observation
		for _, o = range many(t, s, draws, sums)["q"] {
			if *o.Low <= truth && truth <= *o.High {
				inside++
			}
			off += math.Abs(*o.Value-truth) / draws
		}
		if inside < draws*935/1000 || off > 16 || *o.Low > *o.Value || *o.Value > *o.High {
			t.Errorf("%s: inside in %d of %d, off by %.2f on average, e.g. %v in [%v, %v]; the truth is %v",
				o.Mechanism, inside, draws, off, *o.Value, *o.Low, *o.High, truth)
		}
	}
}

// TestHistogram: one release for each class, each with the noise of one unit.
func TestHistogram(t *testing.T) {
	s := stream(t, func(s *plan.Stream) {
		s.Measures = []plan.Measure{{Name: "speeds", Of: plan.Histogram, Field: "x", Edges: []float64{0, 30, 50.5, 80}}}
	})
	sums := Sums{Units: 300, Alive: true, Total: [][]int64{{100, 200, 0}}, Weight: []int64{300}}
	got := publish(t, s, &memory{method: steered}, rules{}, sums)
	for i, name := range []string{"speeds_0_30", "speeds_30_50.5", "speeds_50.5_80"} {
		o := got[i]
		if o.Measure != name || o.Status != store.Published ||
			math.Abs(*o.Value-float64(sums.Total[0][i])) > 40*o.Scale || *o.Low < 0 {
			t.Errorf("class %d is %+v", i, o)
		}
		if o.Epsilon != 0.5 || o.Scale != 4 {
			t.Errorf("class %d has epsilon %v and scale %v; want half of 1, and 2 pairs at a half", i, o.Epsilon,
				o.Scale)
		}
	}
	for _, o := range publish(t, s, &memory{}, rules{},
		Sums{Units: 9, Alive: true, Total: [][]int64{{9, 0, 0}}, Weight: []int64{9}}) {
		if o.Status != store.Withheld || o.Value != nil {
			t.Errorf("with 9 units %s is %s", o.Measure, o.Status)
		}
	}
}
