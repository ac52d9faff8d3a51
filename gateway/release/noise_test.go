package release

import (
	"math"
	"testing"

	"sluice/policy/plan"
)

// mass is P(noise = x), from the definition and not from tail.
func (l law) mass(x float64) float64 {
	if l.gaussian {
		return upper((x-0.5)/l.scale) - upper((x+0.5)/l.scale)
	}
	a := math.Exp(-1 / l.scale)
	return (1 - a) / (1 + a) * math.Pow(a, math.Abs(x))
}

// channels of every sort: small, wide, both distributions, shared and not.
var channels = []channel{
	{bound: 1, pairs: 1, parts: 1, epsilon: 1},
	{bound: 1, pairs: 1, parts: 1, epsilon: 5},
	{bound: 3, pairs: 8, parts: 2, epsilon: 1},
	{bound: 1, pairs: 500, parts: 3, epsilon: 0.25},
	{gaussian: true, bound: 1, pairs: 1, parts: 1, epsilon: 5, delta: 0.01},
	{gaussian: true, bound: 1, pairs: 8, parts: 1, epsilon: 1, delta: 0.01},
	{gaussian: true, bound: 7, pairs: 24, parts: 4, epsilon: 1, delta: 1e-6},
}

// TestSampler compares draws with the distribution that all else is computed from:
// chi-squared over about 20 classes, 20,000 draws each. The bound is exceeded by a
// right sampler with a probability below 10^-6 (Wilson-Hilferty).
func TestSampler(t *testing.T) {
	from := newRandom()
	for _, c := range channels {
		width := max(1, math.Round(c.law().deviation()/4))
		class := func(x float64) int { return int(min(10, max(-10, math.Floor(x/width)))) }
		want, got := make(map[int]float64), make(map[int]float64)
		for x := -40 * c.law().deviation(); x <= 40*c.law().deviation(); x++ {
			x := math.Round(x)
			want[class(x)] += c.law().mass(x)
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

// TestTails: tail, half width and deviation are those of the masses.
func TestTails(t *testing.T) {
	for _, c := range channels {
		far := math.Ceil(60*c.law().deviation()) + 20
		total, square := 0.0, 0.0
		tail := make([]float64, int(far)+2)
		for x := far; x >= 0; x-- {
			tail[int(x)] = tail[int(x)+1] + c.law().mass(x)
			total += c.law().mass(x)
			square += 2 * x * x * c.law().mass(x)
		}
		if whole := 2*total - c.law().mass(0); math.Abs(whole-1) > 1e-9 {
			t.Errorf("%+v: the masses add up to %v", c, whole)
		}
		if d := math.Sqrt(square); math.Abs(d/c.law().deviation()-1) > 5e-3 {
			t.Errorf("%+v: the deviation is %v; it is said to be %v", c, d, c.law().deviation())
		}
		for _, x := range []float64{0, 1, 5, 17} {
			if math.Abs(tail[int(x)]-c.law().tail(x)) > 1e-9 {
				t.Errorf("%+v: P(noise >= %v) is %v; it is said to be %v", c, x, tail[int(x)], c.law().tail(x))
			}
		}
		for _, p := range []float64{0.5, 0.95, 0.975, 0.999} {
			k := c.law().halfWidth(p)
			inside := func(k float64) float64 { return 1 - 2*tail[int(k)+1] }
			if inside(k) < p-1e-9 || k > 0 && inside(k-1) >= p+1e-9 {
				t.Errorf("%+v: plus or minus %v holds %v, one less %v; want the least that holds %v", c, k, inside(k), inside(k-1), p)
			}
		}
	}
}

// TestNoOtherNoiseIsSmaller: the noise that is taken is within 5 % of the better of
// discrete Laplace and analytic Gaussian, over decisions of all sorts.
func TestNoOtherNoiseIsSmaller(t *testing.T) {
	names := make(map[string]int)
	for _, pairs := range []int64{1, 2, 4, 8, 24, 200} {
		for _, epsilon := range []float64{0.1, 1, 4} {
			for _, delta := range []float64{1e-9, 1e-6, 0.01} {
				s := stream(t, func(s *plan.Stream) {
					s.Protect = plan.Protect{MinUnits: 3, Epsilon: epsilon, Delta: delta, MaxContributions: pairs}
				})
				m, err := NewMechanism(s)
				if err != nil {
					t.Fatal(err)
				}
				names[m.Name()]++
				a := math.Exp(-epsilon / float64(pairs))
				laplace := math.Sqrt(2*a) / (1 - a)
				gaussian := math.Sqrt(float64(pairs)) * tightSigma(epsilon, delta)
				if got := m.count.law().deviation(); got > 1.05*min(laplace, gaussian) {
					t.Errorf("%d pairs, epsilon %v, delta %v: %s noise of %.3f; Laplace %.3f, Gaussian %.3f", pairs, epsilon, delta, m.Name(), got, laplace, gaussian)
				}
			}
		}
	}
	if names["laplace"] == 0 || names["gaussian"] == 0 {
		t.Errorf("chosen: %v; both must be", names)
	}
}

// tightSigma is the least sigma for a sensitivity of 1, by bisection on the
// definition: the largest gap between two Gaussians, integrated.
func tightSigma(epsilon, delta float64) float64 {
	gap := func(sigma float64) float64 {
		sum, h := 0.0, sigma/500
		for x := -12 * sigma; x < 12*sigma; x += h {
			p := math.Exp(-(x-1)*(x-1)/(2*sigma*sigma)) - math.Exp(epsilon-x*x/(2*sigma*sigma))
			sum += max(0, p) * h / (sigma * math.Sqrt(2*math.Pi))
		}
		return sum
	}
	low, high := 0.05, 200.0
	for high/low > 1.0005 {
		if middle := math.Sqrt(low * high); gap(middle) > delta {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
