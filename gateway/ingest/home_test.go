package ingest

import (
	"testing"

	"sluice/gateway/ingest/internal/fault"
	"sluice/policy/plan"
)

// TestHomesGetNoFeedback: neither a sensor whose kind can stand for a home nor one
// that a plan makes stand for one is told what was dropped, where others listen.
func TestHomesGetNoFeedback(t *testing.T) {
	home := footfall(t, 2)
	home.Unit, home.Where = plan.Unit{Sensor: true, StandsFor: "home"}, nil
	if err := home.Finish(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec *plan.Stream
		told int
	}{{footfall(t, 2), 1}, {home, 0}} {
		i := still(t, c.spec)
		i.feedback.add(i.at, fault.New(fault.NotJSON))
		if len(i.feedback) != c.told {
			t.Errorf("%s: %d sensors are told; want %d", c.spec.Unit.StandsFor, len(i.feedback), c.told)
		}
	}
}
