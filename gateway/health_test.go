package gateway

import (
	"strings"
	"testing"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/plan"
)

// TestNothingInForce: a policy whose decisions are all over, or all to come, is said.
func TestNothingInForce(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		from, until int // months from now
		want        string
	}{"in force": {-1, 1, ""}, "over": {-2, -1, "past its last day"}, "to come": {1, 2, "in force yet"}} {
		set := &compile.Set{Policy: &bundle.Policy{}, Streams: []*plan.Stream{{From: now.AddDate(0, c.from, 0), Until: now.AddDate(0, c.until, 0)}}}
		if said := outOfTime(set, now); (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: it says %q", name, said)
		}
	}
}
