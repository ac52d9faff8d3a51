package ledger

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
)

// noRules withhold nothing.
type noRules struct{}

func (noRules) Withhold(context.Context, plan.Question) (map[string]string, error) { return nil, nil }

// BenchmarkClose closes a window of 10,000 cells: noise, reservation, and the one
// transaction. Target: about 1 s.
func BenchmarkClose(b *testing.B) {
	for name, contributions := range map[string]int64{"laplace": 2, "gaussian": 100} {
		b.Run(name, func(b *testing.B) {
			start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
			s := &plan.Stream{
				ID: "s", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"),
				Forget: civil.MustPeriod("P1D"),
				From:   start, Until: start.AddDate(50, 0, 0), Unit: plan.Unit{Field: "device", StandsFor: "device"},
				Measures: []plan.Measure{{Name: "devices", Of: plan.Distinct, Unit: "device"}},
				Protect:  plan.Protect{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: contributions},
			}
			for i := range 10_000 {
				s.Zones = append(s.Zones, fmt.Sprintf("z%04d", i))
			}
			if err := s.Finish(); err != nil {
				b.Fatal(err)
			}
			l, err := Open(context.Background(), filepath.Join(b.TempDir(), "ledger.db"), "edge-1", 1<<40)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			p := release.NewPublisher(l, true)
			sums := make([]release.Sums, len(s.Cells))
			for i := range sums {
				sums[i] = release.NewSums(s)
				sums[i].Units, sums[i].Alive, sums[i].Total[0][0] = int64(i%200), true, int64(i%200)
			}
			b.ResetTimer()
			for n := range b.N {
				at := start.Add(time.Duration(n) * time.Hour)
				if err := p.Publish(context.Background(), release.NewBatch(s, "p", at, at.Add(time.Hour), sums, ""),
					release.Charter{EpsilonPerDay: map[string]float64{"device": 1}}, noRules{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
