package mechanism

import (
	"math"
	"math/rand/v2"
	"testing"

	"sluice/test/chance"
)

// TestBounds: the balance's noise exceeds its bound at every edge in at most 2.5 of
// 100 draws of another sampler, at all scales, and where steps are small not in much
// less.
func TestBounds(t *testing.T) {
	const n, draws = 32, 10_000
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, q := range []float64{0.01, 0.5, 0.85, 0.99} {
		for _, l := range []Law{{false, 0.05}, {false, 0.1}, {false, 0.4}, {false, 1}, {false, 2}, {false, 7.9},
			{false, 8.1}, {false, 100}, {false, 1e9}, {true, 0.1}, {true, 0.3}, {true, 0.7}, {true, 8.3}, {true, 2},
			{true, 1e6}} {
			edges, over := bounds(l, q, n), make([]int, n-1)
			for range draws {
				var noise [n]float64
				total := 0.0
				for k := range noise {
					noise[k] = chance.Noise(l).Sample(rnd)
					total += noise[k]
				}
				sum := 0.0
				for k := range over {
					sum += noise[k]
					if (1-q)*sum-q*(total-sum) > edges[k] {
						over[k]++
					}
				}
			}
			for k, times := range over {
				if !chance.Often(draws-times, draws, 0.975) {
					t.Errorf("q %v, %+v: beyond the bound %v of edge %d in %d of %d", q, l, edges[k], k+1, times, draws)
				}
				if edges[k] > 30 && times < draws*15/1000 {
					t.Errorf("q %v, %+v: beyond the bound %v of edge %d in %d of %d only", q, l, edges[k], k+1, times,
						draws)
				}
			}
		}
	}
}

// TestSums: what is folded is what it should be, for sums of one and two by their
// formulas.
func TestSums(t *testing.T) {
	for _, b := range []float64{0.05, 0.5, 1, 8} {
		l := Law{false, b}
		list := l.sums(32)
		half := len(list[0]) / 2
		a := math.Exp(-1 / b)
		for x := -20; x <= 20 && half > 25; x++ {
			one := list[1][half+x] - list[1][half+x-1]
			two := list[2][half+x] - list[2][half+x-1]
			n := math.Abs(float64(x))
			want := (1 - a) / (1 + a) * (1 - a) / (1 + a) * math.Pow(a, n) * ((1+a*a)/(1-a*a) + n)
			if math.Abs(one-chance.Noise(l).Mass(float64(x))) > 1e-12 || math.Abs(two-want) > 1e-12 {
				t.Errorf("b %v: P(one = %d) is %v, %v by definition; of two %v, %v", b, x, one,
					chance.Noise(l).Mass(float64(x)), two, want)
			}
		}
		for _, l := range []Law{l, {true, b}} {
			list := l.sums(32)
			if whole := list[32][len(list[32])-1]; math.Abs(whole-1) > 1e-12 {
				t.Errorf("b %v: the masses of sums of 32 add up to %v", b, whole)
			}
		}
	}
}
