package check

import (
	"sluice/internal/civil"
	"sluice/policy/bundle"
)

// reviewed finds days of review on which there is nothing to look at: outside the decision's
// time (T05), or over already where it is new or has another than in force (T06). A first
// policy may be of a time that is over.
func (c *checker) reviewed(file string, inForce *bundle.Policy) {
	d := c.decisions[file]
	if d == nil || d.Review == (civil.Date{}) {
		return // said elsewhere
	}
	review := d.Review.String()
	switch {
	case d.Until.String() < d.From.String(): // said elsewhere
	case review < d.From.String(), review > d.Until.String():
		c.at(file, "T05", "review", review, d.From.String(), d.Until.String())
	case inForce == nil || c.today == (civil.Date{}) || review >= c.today.String():
	default:
		if old := inForce.Decision(d.Decision); old == nil || old.Review != d.Review {
			c.at(file, "T06", "review", review)
		}
	}
}
