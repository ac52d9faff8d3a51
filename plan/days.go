package plan

import (
	"errors"
	"slices"

	"sluice/internal/civil"
)

// DaysSuffix is what the id of a stream of days has behind that of the one whose days it has.
const DaysSuffix = "-days"

// MaxID is how long a stream's id is at most.
const MaxID = 63

// Days is the same stream in windows of a day, which the stream does not add up but counts
// anew: a mean or a level of a day is not one of its hours'. Only a stream about nobody has it:
// a second look at units costs, and a decision of its own pays for it.
func (s *Stream) Days() (*Stream, error) {
	if !s.Unit.None() {
		return nil, errors.New("days of units need a decision of their own, with every: P1D")
	}
	if len(s.ID+DaysSuffix) > MaxID {
		return nil, errors.New("retain: the stream's name is too long for its days to have one; 58 letters at most")
	}
	d := *s
	d.ID, d.Of, d.Every, d.Forget = s.ID+DaysSuffix, s.ID, civil.MustPeriod("P1D"), civil.MustPeriod("P1D")
	d.Cells, d.Measures = nil, slices.Clone(s.Measures)
	return &d, d.Finish()
}
