package released

import (
	"encoding/json"
	"testing"

	"sluice/books"
	"sluice/plan"
	"sluice/store"
)

// TestEpochsHaveACell: of the numbers of epochs only those can be shown that the plan has:
// of its own cell, and where a field tells units apart.
func TestEpochsHaveACell(t *testing.T) {
	for field, want := range map[string]bool{"device": true, "": false} {
		s := plan.Stream{
			ID: "s", Zones: []string{"b", "a"}, Unit: plan.Unit{Field: field, StandsFor: "device"},
			Measures: []plan.Measure{{Name: "m", Of: plan.Count}},
		}
		raw, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		c := &closed{digest: books.Sum(raw)}
		if c.parse(raw); !c.known {
			t.Fatal("the plan is not read")
		}
		for _, x := range []struct {
			cell, measure string
			shown         bool
		}{
			{"a", "m", true}, {"a/", store.EpochUnits, want}, {"a/", store.EpochBounded, want},
			{"b/", store.EpochUnits, false}, {"a", store.EpochUnits, false}, {"a/", "m", false},
			{"/", store.EpochUnits, false},
		} {
			if got := c.has(&store.Observation{Stream: "s", Cell: x.cell, Measure: x.measure}); got != x.shown {
				t.Errorf("unit by field %q: %s of %s can be shown: %v", field, x.measure, x.cell, got)
			}
		}
	}
}
