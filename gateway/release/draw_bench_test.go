package release

import (
	"testing"

	"sluice/policy/mechanism"
)

// BenchmarkDraw is one draw of noise of each sort.
func BenchmarkDraw(b *testing.B) {
	for name, c := range map[string]mechanism.Noise{
		"laplace b 2":    {Bound: 1, Pairs: 2, Parts: 1, Epsilon: 1},
		"laplace b 1e15": {Bound: 1_000_000_000_000, Pairs: 333, Parts: 1, Epsilon: 0.333},
		"gaussian":       {Gaussian: true, Bound: 1, Pairs: 100, Parts: 1, Epsilon: 1, Delta: 1e-6},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			from := newRandom()
			for range b.N {
				if _, err := from.draw(c, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
