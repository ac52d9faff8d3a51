package release

import (
	"time"

	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
)

// Rehearse is what would be released of one cell and window of a stream about units, by the same
// arithmetic as a release: publication, numbers and intervals. Its noise is the caller's, for a
// picture that is the same each time, and so no protection: it takes sums that the caller has,
// never a Batch, and gives observations, which no book commits. All are marked as of a simulation.
func Rehearse(
	m *mechanism.Mechanism, s *plan.Stream, c plan.Cell, start, end time.Time, sums Sums,
	noise func(mechanism.Noise) int64,
) ([]store.Observation, error) {
	a := answer{batch: Batch{stream: s, start: start, end: end}, cell: c, mech: m, noise: rehearsal(noise), sim: true}
	list, err := a.noisy(sums)
	out := make([]store.Observation, len(list))
	for i, r := range list {
		out[i] = r.o
	}
	return out, err
}

// rehearsal is a source of somebody's numbers.
type rehearsal func(mechanism.Noise) int64

func (r rehearsal) draw(n mechanism.Noise, exact int64) (int64, error) { return exact + r(n), nil }
