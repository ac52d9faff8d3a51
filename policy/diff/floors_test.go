package diff

import (
	"testing"

	"sluice/plan"
	"sluice/policy/decision"
)

// TestWhatACharterPermits: what a charter permits more of is weaker, and taking it back is
// stronger; that only exact floors are allowed is the same whether it says so or not.
func TestWhatACharterPermits(t *testing.T) {
	exact, both := []plan.Floor{plan.Exact}, []plan.Floor{plan.Exact, plan.Noisy}
	for _, c := range []struct {
		key      string
		old, new decision.Charter
		want     Mark
	}{
		{"kinds_not_about_people", decision.Charter{}, decision.Charter{KindsNotAboutPeople: []string{"camera"}},
			Weaker},
		{"kinds_not_about_people", decision.Charter{KindsNotAboutPeople: []string{"camera"}}, decision.Charter{},
			Stronger},
		{"floors", decision.Charter{}, decision.Charter{Floors: both}, Weaker},
		{"floors", decision.Charter{Floors: both}, decision.Charter{Floors: exact}, Stronger},
		{"floors", decision.Charter{Floors: both}, decision.Charter{}, Stronger},
		{"floors", decision.Charter{Floors: exact}, decision.Charter{}, Neutral},
	} {
		tried := false
		for _, f := range charterKeys {
			if f.name != c.key {
				continue
			}
			tried = true
			if got := f.mark(&c.old, &c.new); got != c.want {
				t.Errorf("%s from %v%v to %v%v is %s; want %s", c.key, c.old.KindsNotAboutPeople, c.old.Floors,
					c.new.KindsNotAboutPeople, c.new.Floors, got, c.want)
			}
		}
		if !tried {
			t.Errorf("%s is not compared", c.key)
		}
	}
}
