package release

import (
	"fmt"
	"testing"

	"sluice/policy/plan"
)

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

// BenchmarkMechanism is what a decision with a quantile costs once.
func BenchmarkMechanism(b *testing.B) {
	for _, pairs := range []int64{1, 2, 2000} {
		s := &plan.Stream{
			ID: "s", Decision: "1", Timezone: "UTC", Every: plan.MustPeriod("PT1H"), Forget: plan.MustPeriod("P1D"), From: start, Until: start.AddDate(1, 0, 0), Zones: []string{"a"},
			Unit:     plan.Unit{Field: "device", StandsFor: "device"},
			Measures: []plan.Measure{{Name: "m", Of: plan.Quantile, Field: "x", Q: 0.5, Bounded: true, Low: 0, High: 32}},
			Protect:  plan.Protect{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: pairs},
		}
		if err := s.Finish(); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(pairs, " pairs"), func(b *testing.B) {
			for range b.N {
				m, err := NewMechanism(s)
				if err != nil {
					b.Fatal(err)
				}
				m.noises[0].edges()
			}
		})
	}
}
