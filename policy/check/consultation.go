package check

import (
	"strconv"

	"sluice/policy/decision"
)

// consultation finds links that no page could show (D44), times that end before they begin (D45), and
// a page that is linked to twice.
func (c *checker) consultation(file string, d *decision.Document) {
	links := make(map[string]bool)
	for i, x := range d.Consultation {
		place := "consultation/" + strconv.Itoa(i)
		if decision.CheckLink(x.Link) != nil {
			c.at(file, "D44", place+"/link")
		} else if links[x.Link] {
			c.at(file, "D10", place+"/link", x.Link)
		}
		links[x.Link] = true
		if x.Backwards() {
			c.at(file, "D45", place+"/until")
		}
	}
}
