package mechanism

import (
	"fmt"
	"testing"

	"sluice/internal/civil"
	"sluice/plan"
)

// BenchmarkMechanism is what a decision with a quantile costs once.
func BenchmarkMechanism(b *testing.B) {
	for _, pairs := range []int64{1, 2, 2000} {
		s := &plan.Stream{
			ID: "s", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"), Forget: civil.MustPeriod("P1D"),
			From: start, Until: start.AddDate(1, 0, 0), Zones: []string{"a"},
			Unit: plan.Unit{Field: "device", StandsFor: "device"},
			Measures: []plan.Measure{{Name: "m", Of: plan.Quantile, Field: "x", Q: 0.5, Bounded: true, Low: 0,
				High: 32}},
			Protect: plan.Protect{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: pairs},
		}
		if err := s.Finish(); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(pairs, " pairs"), func(b *testing.B) {
			for range b.N {
				m, err := New(s)
				if err != nil {
					b.Fatal(err)
				}
				m.noises[0].edges()
			}
		})
	}
}
