// Package footfall is the decision of gateway/release's package doc, and kinds of
// protection that differ: for tests of what is computed from a decision, and of what is
// drawn by it, which are about the same.
package footfall

import (
	"testing"
	"time"

	"sluice/internal/civil"
	"sluice/plan"
)

// Start is that of a window in the midst of the decision's days.
var Start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// Stream is the decision's, with changes where given.
func Stream(t testing.TB, change func(*plan.Stream)) *plan.Stream {
	t.Helper()
	s := &plan.Stream{
		ID: "footfall", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"),
		Forget: civil.MustPeriod("P1D"),
		From:   Start.AddDate(0, -1, 0), Until: Start.AddDate(0, 1, 0), Zones: []string{"rambla"},
		Unit:     plan.Unit{Field: "device", StandsFor: "device"},
		Measures: []plan.Measure{{Name: "devices", Of: plan.Distinct, Unit: "device"}},
		Protect:  plan.Protect{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 2},
	}
	if change != nil {
		change(s)
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Conditional are protections of both noises and floors, under which a number is shown or
// is not.
var Conditional = []plan.Protect{
	{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 2},
	{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 4},
	{MinUnits: 3, Epsilon: 1, Delta: 0.01, MaxContributions: 1},
	{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: 4, Floor: plan.Noisy},
	{MinUnits: 6, Epsilon: 1, Delta: 0.01, MaxContributions: 24, Floor: plan.Noisy},
	{MinUnits: 5, Epsilon: 6, Delta: 1e-6, MaxContributions: 1},
	{MinUnits: 1, Epsilon: 0.2, Delta: 0.5, MaxContributions: 2, Floor: plan.Noisy},
}
