package activation

import (
	"slices"
	"time"

	"sluice/plan"
	"sluice/policy/compile"
)

// Silence is the public reason why nothing flows; empty while something does.
func Silence(set *compile.Set, running bool, now time.Time) string {
	switch {
	case set == nil:
		return "no_policy"
	case !running:
		return "policy_taken_away"
	case slices.ContainsFunc(set.Streams, func(s *plan.Stream) bool {
		return s.InForce(now) && set.Suspension(s.Decision) == nil
	}):
		return ""
	case slices.ContainsFunc(set.Streams, func(s *plan.Stream) bool { return s.InForce(now) }):
		return "suspended"
	case slices.ContainsFunc(set.Streams, func(s *plan.Stream) bool { return now.Before(s.From) }):
		return "not_yet"
	case len(set.Streams) > 0:
		return "sunset"
	}
	return "no_decision"
}
