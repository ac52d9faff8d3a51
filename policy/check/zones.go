package check

import (
	"bytes"
)

// maxOverlaps bounds how many overlaps are named.
const maxOverlaps = 20

// overlaps warns of zones that lie one over another: the first by id gets the
// points that both hold, so that taking it out measures more, not less.
func (c *checker) overlaps() {
	const file = "zones.geojson"
	for i, pair := range c.zones.Overlapping() {
		if i == maxOverlaps {
			return
		}
		c.add(Finding{File: file, Line: lineOf(c.files[file], pair[1]), Column: 1, Rule: "W01",
			Args: []any{pair[0], pair[1]}})
	}
}

// lineOf is the line on which a name first stands in quotes, or the first line.
func lineOf(raw []byte, name string) int {
	return 1 + bytes.Count(raw[:max(0, bytes.Index(raw, []byte(`"`+name+`"`)))], []byte("\n"))
}
