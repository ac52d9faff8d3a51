package policy

import (
	"context"
	"errors"
	"testing"

	"sluice/configs/portalba"
	"sluice/register"
)

// TestSomethingElse: what has no code of its own is said as R99, and nothing as nothing.
func TestSomethingElse(t *testing.T) {
	if code := CodeOf(errors.New("the sky fell")); code != "R99" {
		t.Errorf("it is %s; want R99", code)
	}
}

// TestAnUnknownKindHasNoPlan, and it is said why.
func TestAnUnknownKindHasNoPlan(t *testing.T) {
	set, err := Compile(context.Background(), InProcess(), portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	plans, why, err := set.Plans(context.Background(), &register.Sensor{ID: "a", Owner: "o", Kind: "radar", Zone: "rambla"})
	if err != nil || len(plans) != 0 || len(why) != 1 || why[0].Rule != "P00" {
		t.Errorf("%d plans, %+v, %v", len(plans), why, err)
	}
}
