package mechanism

import (
	"fmt"
	"math"
	"testing"

	"sluice/plan"
	"sluice/test/chance"
)

// outcomes is the exact distribution of what is released of one pair's noisy
// number of units: -1 for withheld, else the value.
func (m *Mechanism) outcomes(units int64) map[float64]float64 {
	out := make(map[float64]float64)
	far := math.Ceil(45 * m.count.Law().Deviation())
	for x := -far; x <= far; x++ {
		v := float64(units) + x
		if units < m.stream.Protect.MinUnits && m.stream.Protect.Floor != plan.Noisy || v < m.threshold {
			v = -1
		}
		out[v] += chance.Noise(m.count.Law()).Mass(x)
	}
	return out
}

// TestPrivacyByBruteForce computes, for every way in which one unit's pairs can
// lie, the least delta at which the joint distribution of all that is released is
// (epsilon, delta)-private, without using any theorem: by convolving privacy
// losses. A unit with C pairs puts j of them at the step from min_units - 1, the
// rest where everything is seen, at the threshold, or from nobody to one.
func TestPrivacyByBruteForce(t *testing.T) {
	for _, p := range []plan.Protect{
		{MinUnits: 1, Epsilon: 1, Delta: 0.01, MaxContributions: 1},
		{MinUnits: 3, Epsilon: 1, Delta: 0.01, MaxContributions: 1},
		{MinUnits: 3, Epsilon: 1, Delta: 0.01, MaxContributions: 8},
		{MinUnits: 3, Epsilon: 1, Delta: 1e-6, MaxContributions: 2},
		{MinUnits: 5, Epsilon: 4, Delta: 1e-4, MaxContributions: 3},
		{MinUnits: 2, Epsilon: 0.3, Delta: 0.3, MaxContributions: 2},
		{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 24},
		{MinUnits: 2, Epsilon: 0.5, Delta: 0.8, MaxContributions: 2}, // made Laplace below, where delta is nearly all
	} {
		s := stream(t, func(s *plan.Stream) { s.Protect = p })
		m, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		if p.Epsilon == 0.5 {
			m.gaussian = false
			m.count = m.noise(s.Measures[0])
			m.threshold = float64(p.MinUnits) + m.count.Law().Beyond(m.step())
		}
		worst, where := 0.0, ""
		for _, more := range []bool{true, false} {
			step := losses(m, p.MinUnits-1, more)
			steps := m.epochLosses(step.step).upTo(p.MaxContributions, step)
			for name, n := range map[string]int64{"seen": int64(m.threshold) + 200,
				"at the threshold": max(p.MinUnits, int64(m.threshold)-1), "unseen": p.MinUnits - 2} {
				if n < 0 {
					continue
				}
				rests := nothing(step.step).upTo(p.MaxContributions, losses(m, n, more))
				for j := range steps {
					if d := steps[j].deltaWith(rests[len(rests)-1-j], p.Epsilon); d > worst {
						worst, where = d,
							fmt.Sprintf("%d of %d pairs at the step, the rest %s, more: %v", j, p.MaxContributions,
								name, more)
					}
				}
			}
		}
		if worst > p.Delta*1.01 {
			t.Errorf("%+v (%s, threshold %v): delta is %.4g with %s", p, m.Name(), m.threshold, worst, where)
		}
		if worst < p.Delta/20 && p.Delta < 0.1 {
			t.Errorf("%+v (%s): delta is %.4g at most; the threshold %v is higher than need be", p, m.Name(), worst,
				m.threshold)
		}
	}
}

// TestNoisyFloorByBruteForce: where the noisy number alone decides, what is released is
// no more than that number: Laplace noise loses epsilon and no delta, Gaussian noise the
// decision's delta, wherever one unit's pairs lie, at the threshold of min_units. The
// exact floor at that threshold would lose more.
func TestNoisyFloorByBruteForce(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a minute")
	}
	names := make(map[string]int)
	for _, p := range []plan.Protect{
		{MinUnits: 1, Epsilon: 1, Delta: 0.01, MaxContributions: 1},
		{MinUnits: 3, Epsilon: 1, Delta: 0.01, MaxContributions: 8},
		{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 4},
		{MinUnits: 2, Epsilon: 0.3, Delta: 0.3, MaxContributions: 2},
		{MinUnits: 5, Epsilon: 4, Delta: 1e-4, MaxContributions: 12},
	} {
		p.Floor = plan.Noisy
		s := stream(t, func(s *plan.Stream) { s.Protect = p })
		m, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		names[m.Name()]++
		if m.threshold != float64(p.MinUnits) {
			t.Errorf("%+v: the threshold is %v", p, m.threshold)
		}
		allowed := p.Delta * 1.01
		if m.Name() == "laplace" {
			allowed = 1e-9
		}
		everywhere := []int64{0, p.MinUnits - 1, p.MinUnits, p.MinUnits + int64(m.count.Law().Scale), p.MinUnits + 200}
		if d := m.worst(everywhere); d > allowed {
			t.Errorf("%+v (%s): delta is %.4g", p, m.Name(), d)
		}
		s.Protect.Floor = "" // at the same threshold
		if d := m.worst(everywhere); d <= p.Delta {
			t.Errorf("%+v (%s): an exact floor at a threshold of min_units has a delta of %.4g only", p, m.Name(), d)
		}
	}
	if names["laplace"] == 0 || names["gaussian"] == 0 {
		t.Errorf("chosen: %v; both must be", names)
	}
}

// worst is the least delta at which all that is released of one unit's pairs is private,
// over two places, of those given, among which they are divided in any way.
func (m *Mechanism) worst(places []int64) (worst float64) {
	p := m.stream.Protect
	for _, more := range []bool{true, false} {
		var each [][]loss // by place, of so many pairs in it
		for _, n := range places {
			one := losses(m, n, more)
			each = append(each, nothing(one.step).upTo(p.MaxContributions, one))
		}
		for i, first := range each {
			for _, second := range each[i:] {
				for j := range first {
					worst = max(worst, first[j].deltaWith(second[len(second)-1-j], p.Epsilon))
				}
			}
		}
	}
	return worst
}

// TestSafeByBruteForce: the two conditions hold exactly where the joint
// distribution says so, for thresholds on both sides of the border.
func TestSafeByBruteForce(t *testing.T) {
	held := map[bool]int{}
	for _, p := range []plan.Protect{
		{MinUnits: 3, Epsilon: 1, Delta: 0.01, MaxContributions: 8},
		{MinUnits: 3, Epsilon: 0.05, Delta: 0.8, MaxContributions: 3},
		{MinUnits: 2, Epsilon: 0.3, Delta: 0.3, MaxContributions: 2},
		{MinUnits: 2, Epsilon: 3, Delta: 0.05, MaxContributions: 6},
	} {
		s := stream(t, func(s *plan.Stream) { s.Protect = p })
		m, err := New(s)
		if err != nil || !m.gaussian {
			t.Fatal(m.Name(), err)
		}
		border := m.count.Law().Beyond(m.step())
		epoch := m.epochLosses(losses(m, p.MinUnits-1, true).step)
		for t0 := max(0, border-6); t0 <= border+3; t0++ {
			m.threshold = float64(p.MinUnits) + t0
			worst := 0.0
			for _, more := range []bool{true, false} {
				step, rest := losses(m, p.MinUnits-1, more), losses(m, int64(m.threshold)+200, more)
				steps := epoch.upTo(p.MaxContributions, step)
				rests := nothing(step.step).upTo(p.MaxContributions-1, rest)
				for j := range rests {
					worst = max(worst, steps[len(steps)-1-j].deltaWith(rests[j], p.Epsilon))
				}
			}
			if math.Abs(worst/p.Delta-1) < 0.01 {
				continue // the grid cannot tell
			}
			safe := m.safe(m.count.Law().Tail(t0))
			held[safe]++
			if safe != (worst < p.Delta) {
				t.Errorf("%+v, threshold %v: safe is %v; delta is %v", p, m.threshold, safe, worst)
			}
		}
	}
	if held[true] == 0 || held[false] == 0 {
		t.Errorf("safe and not: %v; both sides must be tried", held)
	}
}

// loss is a privacy loss distribution: mass by loss, from grid index first on, and
// the mass of what the other world never shows. A loss between two points of the
// grid is split so that its mean stays, which is off by the square of a step.
type loss struct {
	step  float64
	first int
	grid  []float64
	never float64
}

// losses compares a pair with n and n+1 units; more says in which direction. The
// step divides what a Laplace pair loses.
func losses(m *Mechanism, n int64, more bool) loss {
	p, q := m.outcomes(n+1), m.outcomes(n)
	if !more {
		p, q = q, p
	}
	// What a Laplace pair loses, and what the epoch's numbers do, are whole steps.
	part := m.stream.Protect.Epsilon / epochParts
	return lossOf(p, q, part/math.Ceil(part/0.004))
}

// epochLosses compares the two numbers of the epoch, of each of which a unit is 1.
func (m *Mechanism) epochLosses(step float64) loss {
	l := m.Epoch().Law()
	p, q := make(map[float64]float64), make(map[float64]float64)
	for x := -math.Ceil(45 * l.Deviation()); x <= 45*l.Deviation(); x++ {
		p[x], q[x] = chance.Noise(l).Mass(x-1), chance.Noise(l).Mass(x)
	}
	one := lossOf(p, q, step)
	return one.with(one)
}

// lossOf compares two distributions, on a grid of a step.
func lossOf(p, q map[float64]float64, step float64) loss {
	out := loss{step: step}
	for _, add := range []bool{false, true} { // first the range, then the masses
		low, high := 0, 0
		for v, mass := range p {
			other := q[v]
			switch {
			case other > 0 && mass > 1e-16:
				at := math.Log(mass/other) / out.step
				if math.Abs(at-math.Round(at)) < 1e-6 {
					at = math.Round(at)
				}
				k := int(math.Floor(at))
				low, high = min(low, k), max(high, k+1)
				if add {
					part := at - float64(k)
					out.grid[k-out.first] += mass * (1 - part)
					out.grid[k+1-out.first] += mass * part
				}
			case add:
				out.never += mass
			}
		}
		if !add {
			out.first, out.grid = low, make([]float64, high-low+1)
		}
	}
	return out
}

// nothing is what no pair loses.
func nothing(step float64) loss { return loss{step: step, grid: []float64{1}} }

// upTo is it with no pair of a loss, with one, and so on up to the most.
func (l loss) upTo(most int64, pair loss) []loss {
	all := []loss{l}
	for n := range most {
		all = append(all, all[n].with(pair))
	}
	return all
}

func (l loss) with(o loss) loss {
	out := loss{step: l.step, first: l.first + o.first, grid: make([]float64, len(l.grid)+len(o.grid)-1),
		never: 1 - (1-l.never)*(1-o.never)}
	for a, p := range l.grid {
		if p < 1e-18 {
			continue
		}
		for b, q := range o.grid {
			out.grid[a+b] += p * q
		}
	}
	return out
}

func (l loss) delta(epsilon float64) float64 {
	d := l.never
	for k, p := range l.grid {
		if at := float64(l.first+k) * l.step; at > epsilon+1e-9 {
			d -= p * math.Expm1(epsilon-at)
		}
	}
	return d
}

// deltaWith is l.with(o).delta, without making that: to each loss of l belongs what o has above the rest of
// epsilon, of which sums from the end are made once.
func (l loss) deltaWith(o loss, epsilon float64) float64 {
	mass, kept := make([]float64, len(o.grid)+1), make([]float64, len(o.grid)+1)
	for k := len(o.grid) - 1; k >= 0; k-- {
		mass[k] = mass[k+1] + o.grid[k]
		kept[k] = kept[k+1] + o.grid[k]*math.Exp(-float64(o.first+k)*o.step)
	}
	above := int(math.Floor((epsilon+1e-9)/l.step)) + 1
	d := 1 - (1-l.never)*(1-o.never)
	for k, p := range l.grid {
		from := min(len(o.grid), max(0, above-l.first-k-o.first))
		d += p * (mass[from] - math.Exp(epsilon-float64(l.first+k)*l.step)*kept[from])
	}
	return d
}

// TestTheSameSums: deltaWith is what it says, at each place and number of pairs.
func TestTheSameSums(t *testing.T) {
	for _, contributions := range []int64{1, 8} { // Laplace and Gaussian
		m, err := New(stream(t, func(s *plan.Stream) {
			s.Protect = plan.Protect{MinUnits: 3, Epsilon: 1, Delta: 0.01, MaxContributions: contributions}
		}))
		if err != nil {
			t.Fatal(err)
		}
		for _, more := range []bool{true, false} {
			one := losses(m, 2, more)
			steps := m.epochLosses(one.step).upTo(2, one)
			for _, rest := range nothing(one.step).upTo(2, losses(m, int64(m.threshold), more)) {
				for n, step := range steps {
					for _, epsilon := range []float64{0.01, 0.3, 1} {
						got, want := step.deltaWith(rest, epsilon), step.with(rest).delta(epsilon)
						if !(math.Abs(got-want) < 1e-12) {
							t.Errorf("%s, %d steps, epsilon %v: %v; want %v", m.Name(), n, epsilon, got, want)
						}
					}
				}
			}
		}
	}
}

// TestTheStepByTheSameSums: a threshold one lower would break the promise, so
// that the brute force above can fail.
func TestTheStepByTheSameSums(t *testing.T) {
	s := stream(t, func(s *plan.Stream) {
		s.Protect = plan.Protect{MinUnits: 3, Epsilon: 1, Delta: 0.01, MaxContributions: 1}
	})
	m, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	m.threshold--
	if d := losses(m, 2, true).delta(1); d <= 0.01 {
		t.Errorf("with a threshold of %v delta is still %v", m.threshold, d)
	}
	m.threshold++
	m.count.Epsilon *= 1.25 // noise too small
	if d := losses(m, 100, true).delta(1); d <= 0.01 {
		t.Errorf("with noise too small by 1.25 delta is still %v", d)
	}
}
