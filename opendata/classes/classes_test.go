package classes

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOf(t *testing.T) {
	for _, x := range []struct {
		low, high float64
		limits    []float64
		want      []float64
	}{
		{0, 778, nil, []float64{0, 200, 400, 600, 800}},
		{46, 71, nil, []float64{40, 50, 60, 70, 80}},
		{3, 71, []float64{50, 25}, []float64{0, 25, 40, 50, 60, 80}},
		{3, 30, []float64{1000}, []float64{0, 10, 20, 30}},
		{46, 71, []float64{65}, []float64{40, 50, 60, 65, 80}},
		{22, 22, nil, []float64{20, 25}}, {0, 0, nil, []float64{0, 1}}, {-8, 12, nil, []float64{-10, -5, 0, 5, 10, 15}},
		{0.2, 0.9, nil, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}}, {math.NaN(), 7, nil, []float64{0, 1}},
	} {
		got := Of(x.low, x.high, x.limits).Bounds
		same := slices.EqualFunc(got, x.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
		if !same {
			t.Errorf("from %v to %v with %v: %v; want %v", x.low, x.high, x.limits, got, x.want)
		}
	}
}

// TestClasses: bounds are in order, all numbers are between the first and the last, the same
// number has the same class whatever is beside it, a higher one none that is lower, and a
// limit that is near, and within the bounds, parts those below it from those above.
func TestClasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.OneOf(rapid.Float64Range(-50, 1000), rapid.Float64Range(1e-3, 1e-2),
			rapid.Float64Range(-1e12, 1e12))
		values := rapid.SliceOfN(any, 1, 20).Draw(t, "values")
		limits := rapid.SliceOfN(rapid.Float64Range(1, 500), 0, 3).Draw(t, "limits")
		low, high := slices.Min(values), slices.Max(values)
		s := Of(low, high, limits)
		slack := 1e-9 * max(math.Abs(low), math.Abs(high))
		if !slices.IsSorted(s.Bounds) || s.Len() < 1 || s.Len() > 12 || s.Bounds[0] > low+slack ||
			s.Bounds[s.Len()] < high-slack {
			t.Fatalf("from %v to %v: %v", low, high, s.Bounds)
		}
		slices.Sort(values)
		for i, v := range values {
			c := s.Class(v)
			if c != Of(low, high, limits).Class(v) || c < 0 || c >= s.Len() || i > 0 && c < s.Class(values[i-1]) {
				t.Fatalf("%v is of class %d of %v", v, c, s.Bounds)
			}
			if n := s.Shade(c, 7); n < 0 || n > 6 {
				t.Fatalf("class %d of %d has colour %d", c, s.Len(), n)
			}
		}
		for _, l := range limits {
			if slices.Contains(s.Bounds[1:s.Len()], l) && s.Class(l) == s.Class(math.Nextafter(l, -1)) {
				t.Fatalf("the limit %v parts nothing in %v", l, s.Bounds)
			}
		}
	})
}
