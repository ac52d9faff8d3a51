package release

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/test/chance"
)

// recorder stands where noise is drawn: it notes what is asked for and adds the
// same to everything.
type recorder struct {
	scales []float64
	exact  []int64
	add    int64
}

func (r *recorder) draw(c mechanism.Noise, exact int64) (int64, error) {
	r.scales = append(r.scales, c.Scale())
	r.exact = append(r.exact, exact)
	return exact + r.add, nil
}

// TestWhatIsDrawn: for one cell of each measure, exactly these draws are made, of
// these scales, over these sums: none is left out, made twice or made smaller, with
// anybody there or nobody. C is 2, epsilon 1.
func TestWhatIsDrawn(t *testing.T) {
	home := plan.Unit{Sensor: true, StandsFor: "home"}
	device := plan.Unit{Field: "device", StandsFor: "device"}
	of := func(m plan.Measure) []plan.Measure { return []plan.Measure{m} }
	distinct := plan.Measure{Name: "d", Of: plan.Distinct}
	count := plan.Measure{Name: "n", Of: plan.Count, Bounded: true, High: 4}
	sum := plan.Measure{Name: "s", Of: plan.Sum, Field: "x", Bounded: true, Low: -3, High: 1}
	mean := plan.Measure{Name: "m", Of: plan.Mean, Field: "x", Bounded: true, Low: 0, High: 9}
	classes := plan.Measure{Name: "h", Of: plan.Histogram, Field: "x", Edges: []float64{0, 1, 2, 3}}
	median := plan.Measure{Name: "q", Of: plan.Quantile, Field: "x", Q: 0.5, Bounded: true, Low: 0, High: 9}
	for name, c := range map[string]struct {
		unit     plan.Unit
		measures []plan.Measure
		// Sensitivity times parts of the budget, by definition; the first is of the
		// number of units.
		want []float64
	}{
		"distinct":       {device, of(distinct), []float64{1}},
		"count":          {device, of(count), []float64{2, 4 * 2}},
		"sum":            {device, of(sum), []float64{2, 3e6 * 2}},
		"sum of homes":   {home, of(sum), []float64{2, 3e6 * 2}},
		"mean":           {device, of(mean), []float64{2, 4.5e6 * 4, 1 * 4}},
		"mean of homes":  {home, of(mean), []float64{2, 4.5e6 * 4, 1 * 4}},
		"classes":        {device, of(classes), []float64{2, 2, 2, 2}},
		"quantile":       {device, of(median), append([]float64{2}, slices.Repeat([]float64{2}, 32)...)},
		"units and sum":  {device, []plan.Measure{distinct, sum}, []float64{2, 3e6 * 2}},
		"mean and count": {device, []plan.Measure{mean, count}, []float64{3, 4.5e6 * 6, 1 * 6, 4 * 3}},
		"quantile, units": {device, []plan.Measure{median, distinct},
			append([]float64{2}, slices.Repeat([]float64{2}, 32)...)},
	} {
		for _, gaussian := range []bool{false, true} {
			s := stream(t, func(s *plan.Stream) {
				s.Unit, s.Measures = c.unit, c.measures
				if gaussian {
					s.Protect.MaxContributions, s.Protect.Delta = 200, 0.01
				}
			})
			for _, alive := range []bool{true, false} {
				for _, units := range []int64{0, 9, 1e6} {
					what := fmt.Sprintf("%s, Gaussian %v, %d units, alive %v", name, gaussian, units, alive)
					r := &recorder{}
					sums := counted(s, units)
					sums.Alive = alive
					publishWith(t, s, r, sums)
					want := slices.Clone(c.want)
					parts := want[0] // of the number of units, whose sensitivity is 1
					for i, v := range want {
						want[i] = 2 * v
						if gaussian { // bound * sqrt(C parts) * s, with twice the parts where a share is halved
							p := parts
							if v == 4.5e6*2*parts || v == 2*parts {
								p *= 2
							}
							want[i] = v / p * math.Sqrt(200*p) * chance.Sigma(1, 0.01)
						}
					}
					if !same(r.scales, want) {
						t.Errorf("%s: drawn are scales %v; want %v", what, r.scales, want)
					}
					if slices.ContainsFunc(r.exact, func(v int64) bool { return v != units }) {
						t.Errorf("%s: noise is added to %v; want %d", what, r.exact, units)
					}
				}
			}
		}
	}
}

// same compares sets of numbers, to a part in five hundred.
func same(a, b []float64) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x/y-1) < 0.002 })
}

func publishWith(t *testing.T, s *plan.Stream, r source, sums Sums) map[string]float64 {
	t.Helper()
	book, p := &memory{method: steered}, NewPublisher(nil, true)
	p.book, p.source = book, func() source { return r }
	b := NewBatch(s, "policy", start, start.Add(time.Hour), []Sums{sums}, "")
	if err := p.Publish(context.Background(), b, Charter{EpsilonPerDay: map[string]float64{s.Unit.StandsFor: 1}},
		rules{}); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, x := range book.released[b.Key()] {
		if o := x.Observation(); o.Value != nil {
			out[o.Measure] = *o.Value
		}
	}
	return out
}

// TestWhatIsShown: every number that is shown is made of what was drawn, and of
// nothing else: where all noise is 1000, all of it is in each.
func TestWhatIsShown(t *testing.T) {
	s := stream(t, func(s *plan.Stream) {
		s.Measures = []plan.Measure{
			{Name: "units", Of: plan.Distinct}, {Name: "n", Of: plan.Count, Bounded: true, High: 4},
			{Name: "sum", Of: plan.Sum, Field: "x", Bounded: true, Low: -3, High: 1},
			{Name: "mean", Of: plan.Mean, Field: "x", Bounded: true, Low: 0, High: 9},
			{Name: "h", Of: plan.Histogram, Field: "x", Edges: []float64{0, 1, 2}},
			{Name: "q", Of: plan.Quantile, Field: "x", Q: 0.5, Bounded: true, Low: 0, High: 32},
		}
		s.Protect.Epsilon = 60
	})
	sums := counted(s, 1000)
	sums.Total[2][0], sums.Total[3][0] = 1000*plan.Fixed, 2000*plan.Fixed
	for slot := range sums.Total[5] {
		sums.Total[5][slot] = int64(max(0, 900-1000*slot)) // all in the first class
	}
	got := publishWith(t, s, &recorder{add: 1000}, sums)
	want := map[string]float64{
		"units": 2000, "n": 2000, "h_0_1": 2000, "h_1_2": 2000,
		"sum":  1000.001,              // a thousand millionths more
		"mean": 4.5 + 2000.001/2000.0, // from the middle; with the exact number it would be 6.5
		"q":    15.55,                 // 1900 in the first class, 1000 in each of 31 others: where 16,450 of 32,900 are
	}
	for name, v := range want {
		if math.Abs(got[name]-v) > 1e-9*v+0.001 {
			t.Errorf("%s is %v; want %v", name, got[name], v)
		}
	}
	// What is withheld depends on the noisy number of units alone, from min_units on.
	if got := publishWith(t, s, &recorder{add: -995}, sums); len(got) > 0 {
		t.Errorf("with 5 of 1000 units left by noise these are shown: %v", got)
	}
}
