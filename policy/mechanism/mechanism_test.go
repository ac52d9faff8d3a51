package mechanism

import (
	"testing"

	"sluice/plan"
	"sluice/test/footfall"
)

// The example of gateway/release's package doc.
var (
	start  = footfall.Start
	stream = footfall.Stream
)

func TestExampleOfTheDoc(t *testing.T) {
	s := stream(t, nil)
	m, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	if m.threshold != 40 || m.PublicFrom() != 48 || m.TypicalError(s.Measures[0]) != 6 || m.count.Scale() != 50./24 ||
		m.Name() != "laplace" {
		t.Errorf("threshold %v, public from %d, typical error %v, scale %v; want 40, 48, 6, 50/24",
			m.threshold, m.PublicFrom(), m.TypicalError(s.Measures[0]), m.count.Scale())
	}
}

func TestNoiseThatDoesNotFit(t *testing.T) {
	s := stream(t, func(s *plan.Stream) {
		s.Measures = []plan.Measure{{Name: "sum", Of: plan.Sum, Field: "x", Bounded: true, Low: -1e6, High: 1e6}}
		s.Protect.Epsilon, s.Protect.MaxContributions = 1e-3, 10_000
	})
	if _, err := New(s); err == nil {
		t.Error("a scale of 10^19 steps was taken")
	}
}

// TestTheEpochAtTheStep: where all of a unit's pairs are at the step, the epoch's numbers
// still lose a little under Gaussian noise, so that the step's probability is a little
// less than pairs alone would allow; for Laplace noise, and where nothing is counted of
// epochs, it is all of that.
func TestTheEpochAtTheStep(t *testing.T) {
	s := stream(t, func(s *plan.Stream) {
		s.Protect = plan.Protect{MinUnits: 3, Epsilon: 0.05, Delta: 0.8, MaxContributions: 3}
	})
	for _, method := range []int{2, 3} {
		for _, gaussian := range []bool{false, true} {
			m := draft(s, method, gaussian)
			less := gaussian && method == 3
			if p := m.chance() / m.step(); p > 1 || p < 0.95 || p < 1 != less {
				t.Errorf("method %d, Gaussian %v: the step's probability is %v of what pairs alone allow", method,
					gaussian, p)
			}
		}
	}
}
