package simulate

import (
	"math"
	"testing"
)

// TestLaw compares with sums over the definition.
func TestLaw(t *testing.T) {
	for _, b := range []float64{.3, 1, 4, 30} {
		l := law{scale: b, step: 1}
		p := func(k float64) float64 { return math.Exp(-math.Abs(k)/b) * math.Tanh(1/(2*b)) }
		variance := 0.0
		for k := -2000.0; k <= 2000; k++ {
			variance += k * k * p(k)
		}
		if math.Abs(variance/l.variance()-1) > 1e-9 {
			t.Errorf("scale %v: variance %v; want %v", b, l.variance(), variance)
		}
		for _, c := range [][2]float64{{-3, 5}, {0, 0}, {-7.5, -1.5}, {2, 2000}, {3, 1}, {-.5, .5}} {
			want := 0.0
			for k := math.Ceil(c[0]); k <= c[1]; k++ {
				want += p(k)
			}
			if got := l.between(c[0], c[1]); math.Abs(got-want) > 1e-9 {
				t.Errorf("scale %v: P%v = %v; want %v", b, c, got, want)
			}
		}
	}
	if got := (law{gaussian: true, scale: 2}).between(-3.92, 3.92); math.Abs(got-.95) > 1e-4 {
		t.Errorf("Gaussian: %v", got)
	}
	got, want := law{scale: 4, step: 1}.between(3, math.Inf(1)), math.Exp(-.75)/(1+math.Exp(-.25))
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("the tail: %v", got)
	}
}
