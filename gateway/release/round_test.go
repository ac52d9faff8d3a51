package release

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"sluice/plan"
)

// TestRounded: a mean is told in hundred-thousandths of its range or a little finer, in as few
// digits as that has; an interval holds what it held.
func TestRounded(t *testing.T) {
	for _, x := range []struct {
		low, high, v float64
		want         string
	}{
		{0, 1000, 157.0 / 3, "52.33"}, {0, 140, 52.114193, "52.114"}, {0, 1, 1.0 / 3, "0.33333"},
		{-20, 50, -1.0 / 3, "-0.3333"}, {0, 1e6, 1234567.0 / 8, "154320"}, {0, 0.01, 0.001234567, "0.001234567"},
		{0, 0, 1.0 / 3, "0.3333333333333333"}, {0, 1000, 1000, "1000"}, {0, 1000, 0, "0"},
	} {
		e := estimate{x.v, x.v, x.v}.rounded(plan.Measure{Of: plan.Mean, Low: x.low, High: x.high})
		if got := strconv.FormatFloat(e.value, 'f', -1, 64); got != x.want || e.low != e.value || e.high != e.value {
			t.Errorf("%v of [%v, %v] is %s; want %s", x.v, x.low, x.high, got, x.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-1e6, 1e6).Draw(t, "low")
		m := plan.Measure{Of: plan.Mean, Low: low, High: low + rapid.Float64Range(0.001, 1e9).Draw(t, "span")}
		some := rapid.Float64Range(m.Low, m.High)
		list := []float64{some.Draw(t, "a"), some.Draw(t, "b"), some.Draw(t, "c")}
		e := estimate{list[1], min(list[0], list[1], list[2]), max(list[0], list[1], list[2])}
		r, step := e.rounded(m), resolution(m)
		if r.low > e.low+2e-6 || r.high < e.high-2e-6 || r.low > r.value+1e-9 || r.value > r.high+1e-9 ||
			math.Abs(r.value-e.value) > step/2+2e-6 || e.low-r.low > 2*step+2e-6 || r.high-e.high > 2*step+2e-6 {
			t.Fatalf("%+v of [%v, %v] is %+v", e, m.Low, m.High, r)
		}
	})
}
