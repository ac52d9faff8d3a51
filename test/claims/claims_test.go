package claims

import (
	"strings"
	"testing"
)

// TestCheck plants what must be found.
func TestCheck(t *testing.T) {
	const id = "In 95 of 100 cases what was counted is %s."
	right := [3]string{id, "En 95 de cada 100 casos el que es va comptar és %s.",
		"En 95 de cada 100 casos lo que se contó es %s."}
	holds := func() (float64, error) { return .96, nil }
	with := func(l int, text string) [3]string {
		out := right
		out[l] = text
		return out
	}
	for name, c := range map[string]struct {
		texts [3]string
		claim Claim
		least func() (float64, error)
		says  string
	}{
		"what is so":                 {right, Counted, Least, ""},
		"without a claim":            {right, "", Least, "say in claims_test.go"},
		"the truth, without a claim": {with(0, "The truth is %s."), "", Least, "say in claims_test.go"},
		"the truth, called counted": {with(0, "In 95 of 100 cases the truth is %s."), Counted, Least,
			"speaks of what passed"},
		"the truth, called nothing": {with(0, "In 95 of 100 cases the truth is %s."), Nothing, Least,
			"that claims something"},
		"Catalan alone says more": {with(1, "En 95 de cada 100 casos el valor real és %s."), Counted, Least,
			"speaks of what passed"},
		"Spanish alone says more": {with(2, "En 95 de cada 100 casos pasó lo que se contó: %s."), Counted,
			Least, "speaks of what passed"},
		"not of what": {with(2, "En 95 de cada 100 casos es %s."), Counted, Least,
			"does not say so"},
		"the truth, called so": {with(0, "In 95 of 100 cases the truth is %s."), Passed, Least,
			"the simulator finds that of 0.0"},
		"the truth, where it would be met": {with(0, "In 95 of 100 cases the truth is %s."), Passed, holds, ""},
	} {
		table := map[string]Claim{}
		if c.claim != "" {
			table[id] = c.claim
		}
		err := Check(map[string][3]string{id: c.texts}, table, c.least)
		if (c.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
	}
	if err := Check(nil, map[string]Claim{id: Counted}, Least); err == nil ||
		!strings.Contains(err.Error(), "nobody says it") {
		t.Error(err)
	}
}
