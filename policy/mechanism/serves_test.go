package mechanism

import (
	"math"
	"testing"

	"sluice/plan"
	"sluice/test/chance"
)

// TestTheOtherNoiseServesLess: over decisions of all sorts, the noise that is taken is
// published from no more units than the other would be, or one more; and where that is the
// same, its interval is no wider. Both are computed from the definitions.
func TestTheOtherNoiseServesLess(t *testing.T) {
	names := make(map[string]int)
	for _, pairs := range []int64{1, 2, 4, 8, 24, 200} {
		for _, epsilon := range []float64{0.1, 1, 4} {
			for _, delta := range []float64{1e-9, 1e-6, 0.01} {
				p := plan.Protect{MinUnits: 3, Epsilon: epsilon, Delta: delta, MaxContributions: pairs}
				m, err := New(stream(t, func(s *plan.Stream) { s.Protect = p }))
				if err != nil {
					t.Fatal(err)
				}
				names[m.Name()]++
				from := map[string]float64{}
				half := map[string]float64{}
				for name, l := range map[string]Law{
					"laplace":  {false, float64(pairs) / epsilon * 25 / 24},
					"gaussian": {true, math.Sqrt(float64(pairs)*25/24) * tightSigma(epsilon, delta)},
				} {
					from[name], half[name] = l.from(p), l.within(0.95)
				}
				other := map[string]string{"laplace": "gaussian", "gaussian": "laplace"}[m.Name()]
				fuzz := 1 + 0.003*from["gaussian"] // the sampler's sigma is up to a thousandth larger
				if from[m.Name()] > from[other]+1+fuzz ||
					math.Abs(from[m.Name()]-from[other]) <= 1 && half[m.Name()] > half[other]+fuzz {
					t.Errorf("%d pairs, epsilon %v, delta %v: %s; published from %v, half %v", pairs, epsilon, delta,
						m.Name(), from, half)
				}
				if math.Abs(float64(m.PublicFrom())-from[m.Name()]) > fuzz {
					t.Errorf("%d pairs, epsilon %v, delta %v: published from %d; the definition says %v", pairs,
						epsilon, delta, m.PublicFrom(), from[m.Name()])
				}
			}
		}
	}
	if names["laplace"] == 0 || names["gaussian"] == 0 {
		t.Errorf("chosen: %v; both must be", names)
	}
}

// TestWhatServes are choices that the two methods make: at epsilon 1, delta 1e-6 and 8
// pairs a place is published by Laplace noise from 164 units, by Gaussian from 101.
func TestWhatServes(t *testing.T) {
	for _, c := range []struct {
		pairs  int64
		method int
		name   string
		from   int64
	}{{8, 1, "laplace", 164}, {8, 2, "gaussian", 101}, {2, 1, "laplace", 47}, {2, 2, "laplace", 47},
		{100, 1, "gaussian", 346}, {100, 2, "gaussian", 346}} {
		m, err := By(stream(t, func(s *plan.Stream) { s.Protect.MaxContributions = c.pairs }), c.method)
		if err != nil || m.Name() != c.name || m.PublicFrom() != c.from {
			t.Errorf("%d pairs, method %d: %s from %d, %v; want %s from %d", c.pairs, c.method, m.Name(),
				m.PublicFrom(), err, c.name, c.from)
		}
	}
	for _, method := range []int{-1, 0, Method + 1} {
		if _, err := By(stream(t, nil), method); err == nil {
			t.Errorf("there is a method %d", method)
		}
	}
}

// from is PublicFrom for a distinct count, by adding masses up.
func (l Law) from(p plan.Protect) float64 {
	most := 1 - math.Pow(1-p.Delta, 1/float64(p.MaxContributions))
	sum, threshold, from := 0.0, 0.0, 0.0
	for x := math.Ceil(60 * l.Scale); x >= 0 && from == 0; x-- {
		if sum += chance.Noise(l).Mass(x); sum > most && threshold == 0 {
			threshold = float64(p.MinUnits) + x + 1
		}
		if sum > 0.01 {
			from = x
		}
	}
	return threshold + from
}

// within is the half width of an interval, by adding masses up.
func (l Law) within(p float64) float64 {
	k, sum := 0.0, chance.Noise(l).Mass(0)
	for ; sum < p; k++ {
		sum += 2 * chance.Noise(l).Mass(k+1)
	}
	return k
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
