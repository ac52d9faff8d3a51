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
	{bound: 3, pairs: 8, parts: 2, rest: true, epsilon: 1},
	{bound: 1, pairs: 1, parts: epochParts, epsilon: 4},
	{gaussian: true, bound: 7, pairs: 24, parts: 4, rest: true, epsilon: 1, delta: 1e-6},
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

// TestTheOtherNoiseServesLess: over decisions of all sorts, the noise that is taken is
// published from no more units than the other would be, or one more; and where that is the
// same, its interval is no wider. Both are computed from the definitions.
func TestTheOtherNoiseServesLess(t *testing.T) {
	names := make(map[string]int)
	for _, pairs := range []int64{1, 2, 4, 8, 24, 200} {
		for _, epsilon := range []float64{0.1, 1, 4} {
			for _, delta := range []float64{1e-9, 1e-6, 0.01} {
				p := plan.Protect{MinUnits: 3, Epsilon: epsilon, Delta: delta, MaxContributions: pairs}
				m, err := NewMechanism(stream(t, func(s *plan.Stream) { s.Protect = p }))
				if err != nil {
					t.Fatal(err)
				}
				names[m.Name()]++
				from := map[string]float64{}
				half := map[string]float64{}
				for name, l := range map[string]law{
					"laplace":  {false, float64(pairs) / epsilon * 25 / 24},
					"gaussian": {true, math.Sqrt(float64(pairs)*25/24) * tightSigma(epsilon, delta)},
				} {
					from[name], half[name] = l.from(p), l.within(0.95)
				}
				other := map[string]string{"laplace": "gaussian", "gaussian": "laplace"}[m.Name()]
				fuzz := 1 + 0.003*from["gaussian"] // the sampler's sigma is up to a thousandth larger
				if from[m.Name()] > from[other]+1+fuzz || math.Abs(from[m.Name()]-from[other]) <= 1 && half[m.Name()] > half[other]+fuzz {
					t.Errorf("%d pairs, epsilon %v, delta %v: %s; published from %v, half %v", pairs, epsilon, delta, m.Name(), from, half)
				}
				if math.Abs(float64(m.PublicFrom())-from[m.Name()]) > fuzz {
					t.Errorf("%d pairs, epsilon %v, delta %v: published from %d; the definition says %v", pairs, epsilon, delta, m.PublicFrom(), from[m.Name()])
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
	}{{8, 1, "laplace", 164}, {8, 2, "gaussian", 101}, {2, 1, "laplace", 47}, {2, 2, "laplace", 47}, {100, 1, "gaussian", 346}, {100, 2, "gaussian", 346}} {
		m, err := MechanismBy(stream(t, func(s *plan.Stream) { s.Protect.MaxContributions = c.pairs }), c.method)
		if err != nil || m.Name() != c.name || m.PublicFrom() != c.from {
			t.Errorf("%d pairs, method %d: %s from %d, %v; want %s from %d", c.pairs, c.method, m.Name(), m.PublicFrom(), err, c.name, c.from)
		}
	}
	for _, method := range []int{-1, 0, Method + 1} {
		if _, err := MechanismBy(stream(t, nil), method); err == nil {
			t.Errorf("there is a method %d", method)
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

// from is PublicFrom for a distinct count, by adding masses up.
func (l law) from(p plan.Protect) float64 {
	most := 1 - math.Pow(1-p.Delta, 1/float64(p.MaxContributions))
	sum, threshold, from := 0.0, 0.0, 0.0
	for x := math.Ceil(60 * l.scale); x >= 0 && from == 0; x-- {
		if sum += l.mass(x); sum > most && threshold == 0 {
			threshold = float64(p.MinUnits) + x + 1
		}
		if sum > 0.01 {
			from = x
		}
	}
	return threshold + from
}

// within is the half width of an interval, by adding masses up.
func (l law) within(p float64) float64 {
	k, sum := 0.0, l.mass(0)
	for ; sum < p; k++ {
		sum += 2 * l.mass(k+1)
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
