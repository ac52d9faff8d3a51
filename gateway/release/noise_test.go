package release

import (
	"math"
	"testing"

	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/test/chance"
)

// noises of every sort: small, wide, both distributions, shared and not.
var noises = []mechanism.Noise{
	{Bound: 1, Pairs: 1, Parts: 1, Epsilon: 1},
	{Bound: 1, Pairs: 1, Parts: 1, Epsilon: 5},
	{Bound: 3, Pairs: 8, Parts: 2, Epsilon: 1},
	{Bound: 1, Pairs: 500, Parts: 3, Epsilon: 0.25},
	{Bound: 3, Pairs: 8, Parts: 2, Rest: true, Epsilon: 1},
	{Bound: 1, Pairs: 1, Parts: 50, Epsilon: 4},
	{Gaussian: true, Bound: 7, Pairs: 24, Parts: 4, Rest: true, Epsilon: 1, Delta: 1e-6},
	{Gaussian: true, Bound: 1, Pairs: 1, Parts: 1, Epsilon: 5, Delta: 0.01},
	{Gaussian: true, Bound: 1, Pairs: 8, Parts: 1, Epsilon: 1, Delta: 0.01},
	{Gaussian: true, Bound: 7, Pairs: 24, Parts: 4, Epsilon: 1, Delta: 1e-6},
}

// TestSampler compares draws with the distribution that all else is computed from:
// chi-squared over about 20 classes, 20,000 draws each. The bound is exceeded by a
// right sampler with a probability below 10^-6 (Wilson-Hilferty).
func TestSampler(t *testing.T) {
	from := newRandom()
	for _, c := range noises {
		width := max(1, math.Round(c.Law().Deviation()/4))
		class := func(x float64) int { return int(min(10, max(-10, math.Floor(x/width)))) }
		want, got := make(map[int]float64), make(map[int]float64)
		for x := -40 * c.Law().Deviation(); x <= 40*c.Law().Deviation(); x++ {
			x := math.Round(x)
			want[class(x)] += chance.Noise(c.Law()).Mass(x)
		}
		const draws = 20_000
		for range draws {
			x, err := from.draw(c, 1000)
			if err != nil {
				t.Fatal(err)
			}
			got[class(float64(x-1000))]++
		}
		chi, freedom := 0.0, -1.0
		for k, p := range want {
			if p*draws < 5 {
				continue
			}
			freedom++
			chi += (got[k] - p*draws) * (got[k] - p*draws) / (p * draws)
		}
		v := 2 / (9 * freedom)
		if most := freedom * math.Pow(1-v+4.9*math.Sqrt(v), 3); chi > most {
			t.Errorf("%+v: chi-squared is %.1f; a right sampler stays below %.1f", c, chi, most)
		}
	}
}

// TestTheDaysMethod: what is released is protected by the method that its day was
// entered with.
func TestTheDaysMethod(t *testing.T) {
	s := stream(t, func(s *plan.Stream) { s.Protect.MaxContributions = 8 })
	for method, want := range map[int]string{1: "laplace", 2: "gaussian", 0: "gaussian"} {
		if o := publish(t, s, &memory{method: method}, rules{}, distinct(500))[0]; o.Mechanism != want {
			t.Errorf("a day of method %d has %s noise; want %s", method, o.Mechanism, want)
		}
	}
}
