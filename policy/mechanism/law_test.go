package mechanism

import (
	"math"
	"testing"
	"time"

	"sluice/test/chance"
)

// noises of every sort: small, wide, both distributions, shared and not.
var noises = []Noise{
	{Bound: 1, Pairs: 1, Parts: 1, Epsilon: 1},
	{Bound: 1, Pairs: 1, Parts: 1, Epsilon: 5},
	{Bound: 3, Pairs: 8, Parts: 2, Epsilon: 1},
	{Bound: 1, Pairs: 500, Parts: 3, Epsilon: 0.25},
	{Bound: 3, Pairs: 8, Parts: 2, Rest: true, Epsilon: 1},
	{Bound: 1, Pairs: 1, Parts: epochParts, Epsilon: 4},
	{Gaussian: true, Bound: 7, Pairs: 24, Parts: 4, Rest: true, Epsilon: 1, Delta: 1e-6},
	{Gaussian: true, Bound: 1, Pairs: 1, Parts: 1, Epsilon: 5, Delta: 0.01},
	{Gaussian: true, Bound: 1, Pairs: 8, Parts: 1, Epsilon: 1, Delta: 0.01},
	{Gaussian: true, Bound: 7, Pairs: 24, Parts: 4, Epsilon: 1, Delta: 1e-6},
}

// TestTails: tail, half width and deviation are those of the masses.
func TestTails(t *testing.T) {
	for _, c := range noises {
		far := math.Ceil(60*c.Law().Deviation()) + 20
		total, square := 0.0, 0.0
		tail := make([]float64, int(far)+2)
		for x := far; x >= 0; x-- {
			tail[int(x)] = tail[int(x)+1] + chance.Noise(c.Law()).Mass(x)
			total += chance.Noise(c.Law()).Mass(x)
			square += 2 * x * x * chance.Noise(c.Law()).Mass(x)
		}
		if whole := 2*total - chance.Noise(c.Law()).Mass(0); math.Abs(whole-1) > 1e-9 {
			t.Errorf("%+v: the masses add up to %v", c, whole)
		}
		if d := math.Sqrt(square); math.Abs(d/c.Law().Deviation()-1) > 5e-3 {
			t.Errorf("%+v: the deviation is %v; it is said to be %v", c, d, c.Law().Deviation())
		}
		for _, x := range []float64{0, 1, 5, 17} {
			if math.Abs(tail[int(x)]-c.Law().Tail(x)) > 1e-9 {
				t.Errorf("%+v: P(noise >= %v) is %v; it is said to be %v", c, x, tail[int(x)], c.Law().Tail(x))
			}
		}
		for _, p := range []float64{0.5, 0.95, 0.975, 0.999} {
			k := c.Law().HalfWidth(p)
			inside := func(k float64) float64 { return 1 - 2*tail[int(k)+1] }
			if inside(k) < p-1e-9 || k > 0 && inside(k-1) >= p+1e-9 {
				t.Errorf("%+v: plus or minus %v holds %v, one less %v; want the least that holds %v", c, k, inside(k),
					inside(k-1), p)
			}
		}
	}
}

// TestBeyondEnds: even where whole steps are finer than a float64, and for no
// probability at all.
func TestBeyondEnds(t *testing.T) {
	for _, l := range []Law{{false, 1e18}, {true, 1e18}, {false, 0.01}, {true, 0.01}} {
		for _, p := range []float64{0.9, 0.5, 1e-30, 1e-307, 0} {
			done := make(chan float64, 1)
			go func() { done <- l.Beyond(p) }()
			select {
			case k := <-done:
				if !(l.Tail(k) <= p) {
					t.Errorf("%+v: the tail of %v is %v; wanted at most %v", l, k, l.Tail(k), p)
				}
			case <-time.After(10 * time.Second): // it takes a microsecond
				t.Fatalf("%+v: the search for a tail of %v does not end", l, p)
			}
		}
	}
}

// TestQuantile: of an even u, as many draws are at least t as the law says.
func TestQuantile(t *testing.T) {
	for _, l := range []Law{{false, .3}, {false, 4.2}, {false, 5e6}, {true, 3.7}, {true, 250}} {
		for _, k := range []float64{-40, -3, -1, 0, 1, 2, 17} {
			k := int64(k * max(1, l.Scale/10))
			below := 1 - l.atLeast(float64(k)) // P(noise < k)
			if below < 1e-9 || below > 1-1e-9 {
				continue
			}
			if a, b := l.Quantile(below-1e-12), l.Quantile(below+1e-12); a >= k || b < k {
				t.Errorf("%+v: %d and %d around %d", l, a, b, k)
			}
		}
	}
}
