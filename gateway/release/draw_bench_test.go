package release

import "testing"

// BenchmarkDraw is one draw of a channel of each sort.
func BenchmarkDraw(b *testing.B) {
	for name, c := range map[string]channel{
		"laplace b 2":    {bound: 1, pairs: 2, parts: 1, epsilon: 1},
		"laplace b 1e15": {bound: 1_000_000_000_000, pairs: 333, parts: 1, epsilon: 0.333},
		"gaussian":       {gaussian: true, bound: 1, pairs: 100, parts: 1, epsilon: 1, delta: 1e-6},
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
