package release

import (
	"math"
	"testing"
	"time"

	"sluice/policy/plan"
)

// TestEveryDecisionEnds: at the limits of what a decision may say, its protection is
// computed at once, and what is computed can be drawn.
func TestEveryDecisionEnds(t *testing.T) {
	for _, epsilon := range []float64{1e-6, 1e-3, 1, 100} {
		for _, delta := range []float64{1e-300, 1e-30, 1e-17, 1e-9, 0.5, 1 - 1e-16} {
			for _, pairs := range []int64{1, 2, 10_000} {
				s := stream(t, func(s *plan.Stream) {
					s.Protect = plan.Protect{MinUnits: 1_000_000, Epsilon: epsilon, Delta: delta, MaxContributions: pairs}
				})
				begun := time.Now()
				m, err := NewMechanism(s)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took > 2*time.Second { // it takes milliseconds
					t.Errorf("%+v takes %v", s.Protect, took)
				}
				if _, err := newRandom().draw(m.count, 0); err != nil {
					t.Errorf("%+v: %v", s.Protect, err)
				}
				p := m.chance()
				k := m.threshold - float64(s.Protect.MinUnits)
				if l := m.count.law(); l.tail(k) > p || k > 0 && k < 1<<53 && l.tail(k-1) <= p || math.IsInf(k, 0) || m.PublicFrom() < 1 {
					t.Errorf("%+v (%s, scale %v): the threshold is %v above min_units, whose tail is %v; one less, %v; wanted at most %v", s.Protect, m.Name(), l.scale, k, l.tail(k), l.tail(k-1), p)
				}
			}
		}
	}
	for _, p := range []plan.Protect{
		{MinUnits: 10, Epsilon: 9e-7, Delta: 1e-6, MaxContributions: 1}, {MinUnits: 10, Epsilon: 101, Delta: 1e-6, MaxContributions: 1},
		{MinUnits: 10, Epsilon: 1, Delta: 1e-301, MaxContributions: 1}, {MinUnits: 10, Epsilon: 1, Delta: 1, MaxContributions: 1},
	} {
		s := *stream(t, nil)
		s.Protect = p
		if err := s.Finish(); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}

// TestGreatestScale: just below the greatest scale numbers are drawn and fit, just
// above it the decision is refused, for every measure that can reach it.
func TestGreatestScale(t *testing.T) {
	for _, x := range []plan.Measure{
		{Name: "sum", Of: plan.Sum, Field: "x", Bounded: true, Low: -1e6, High: 0}, {Name: "mean", Of: plan.Mean, Field: "x", Bounded: true, Low: 0, High: 1e6},
		{Name: "n", Of: plan.Count, Bounded: true, High: 1e6},
	} {
		s := stream(t, func(s *plan.Stream) {
			s.Measures, s.Protect.Delta, s.Protect.MaxContributions = []plan.Measure{x}, 1e-300, 10_000
		})
		low, high := 1e-9, 1e9
		for high/low > 1.0001 {
			if s.Protect.Epsilon = math.Sqrt(low * high); refused(s) {
				low = s.Protect.Epsilon
			} else {
				high = s.Protect.Epsilon
			}
		}
		s.Protect.Epsilon = high
		m, err := NewMechanism(s)
		if err != nil {
			t.Fatal(err)
		}
		l := m.noises[0].law
		if r := l.scale / maxScale; !(r > 0.99 && r <= 1) {
			t.Errorf("%s: the greatest scale is %v", x.Name, l.scale)
		}
		from := newRandom()
		for range 1000 {
			if v, err := from.draw(m.noises[0].channel, 0); err != nil || math.Abs(float64(v)) > 60*l.scale {
				t.Fatalf("%s: %v, %v at a scale of %v", x.Name, v, err, l.scale)
			}
		}
	}
}

func refused(s *plan.Stream) bool {
	_, err := NewMechanism(s)
	return err != nil
}

// TestBeyondEnds: even where whole steps are finer than a float64, and for no
// probability at all.
func TestBeyondEnds(t *testing.T) {
	for _, l := range []law{{false, 1e18}, {true, 1e18}, {false, 0.01}, {true, 0.01}} {
		for _, p := range []float64{0.9, 0.5, 1e-30, 1e-307, 0} {
			done := make(chan float64, 1)
			go func() { done <- l.beyond(p) }()
			select {
			case k := <-done:
				if !(l.tail(k) <= p) {
					t.Errorf("%+v: the tail of %v is %v; wanted at most %v", l, k, l.tail(k), p)
				}
			case <-time.After(10 * time.Second): // it takes a microsecond
				t.Fatalf("%+v: the search for a tail of %v does not end", l, p)
			}
		}
	}
}
