package store

// Series names what has rows of its own over time: one measure of one cell of a stream, in
// windows of one length, with the unit of its numbers.
type Series struct {
	Stream, Decision, Every, Zone, Category, Measure, Unit string
}

// Cell is ZONE or ZONE/CATEGORY.
func (s *Series) Cell() string {
	if s.Category == "" {
		return s.Zone
	}
	return s.Zone + "/" + s.Category
}
