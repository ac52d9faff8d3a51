package compile

import (
	"context"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/rego"
	"sluice/register"
)

// TestAnUnknownKindHasNoPlan, and it is said why.
func TestAnUnknownKindHasNoPlan(t *testing.T) {
	set, err := Files(context.Background(), rego.InProcess(), portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	plans, why, err := set.Plans(context.Background(),
		&register.Sensor{ID: "a", Owner: "o", Kind: "radar", Zone: "rambla"})
	if err != nil || len(plans) != 0 || len(why) != 1 || why[0].Rule != "P00" {
		t.Errorf("%d plans, %+v, %v", len(plans), why, err)
	}
}
