package plan

import "slices"

// Fate is what becomes of a field of a reading.
type Fate string

// The fates. A field that tells units apart is counted, and seen by nobody; one that is
// generalised is kept as the lower edge of its class, or as the zone that holds a point.
const (
	Dropped     Fate = "dropped"
	Kept        Fate = "kept"
	Generalised Fate = "generalised"
	Counted     Fate = "counted"
)

// FateOf is what the stream's decision makes of a field.
func (s *Stream) FateOf(field string) Fate {
	switch {
	case !slices.Contains(s.Keep, field):
		return Dropped
	case field == s.Unit.Field:
		return Counted
	case field == s.Place.Lat || field == s.Place.Lon,
		slices.ContainsFunc(s.Generalise, func(g Generalise) bool { return g.Field == field }):
		return Generalised
	}
	return Kept
}
