package check

import (
	"fmt"
	"math"
	"strings"
	"time"

	"sluice/plan"
	"sluice/policy/decision"
)

// limits finds limits of a measure that can be compared with nothing that is published: over a
// time of which pages compute no mean (D38, D40), of a value that the measure never has (D41),
// and one that is there already (D42).
func (c *checker) limits(file, place string, d *decision.Document, m decision.Measure) {
	if len(m.Limits) > 0 && strings.HasPrefix(m.Of, "histogram(") {
		c.at(file, "D39", place+"/limits", m.Name)
		return
	}
	type limit struct {
		value float64
		over  time.Duration
	}
	seen := make(map[limit]bool)
	low, high := c.reach(d, m)
	every := d.Publish.Every.Nominal()
	for i, l := range m.Limits {
		at, over := fmt.Sprintf("%s/limits/%d", place, i), every
		if !l.Over.IsZero() {
			over = l.Over.Nominal()
		}
		switch {
		case over < every:
			c.at(file, "D38", at+"/over", l.Over, d.Publish.Every)
		case over != every && !averaged(m.Of):
			c.at(file, "D40", at+"/over", l.Over, m.Name)
			c.found[len(c.found)-1].Case = "measure"
		case over > day || day%over != 0 || every > 0 && over%every != 0:
			c.at(file, "D40", at+"/over", l.Over, m.Name, d.Publish.Every)
		}
		if l.Value == nil {
			continue // said by the schema
		}
		if v := *l.Value; v < low || v > high {
			c.outside(file, at+"/value", m.Name, v, low, high)
		}
		if seen[limit{*l.Value, over}] {
			c.at(file, "D42", at+"/value", m.Name, plan.Plain(*l.Value))
		}
		seen[limit{*l.Value, over}] = true
	}
}

// outside notes a limit that the measure can never be at.
func (c *checker) outside(file, place, name string, value, low, high float64) {
	c.at(file, "D41", place, plan.Plain(value), name, plan.Plain(low), plan.Plain(high))
	switch f := &c.found[len(c.found)-1]; {
	case math.IsInf(high, 1):
		f.Case = "least"
	case math.IsInf(low, -1):
		f.Case = "most"
	}
}

// averaged reports whether pages compute a measure's mean over several windows.
func averaged(of string) bool { return strings.HasPrefix(of, "mean(") || strings.HasPrefix(of, "leq(") }

// night is what lden adds to what is heard at night, in decibels: the most that it can be above
// a level (Directive 2002/49/EC, annex I).
const night = 10

// reach is between what a measure's numbers are; infinite where that is not known.
func (c *checker) reach(d *decision.Document, m decision.Measure) (low, high float64) {
	low, high = math.Inf(-1), math.Inf(1)
	of, rest, _ := strings.Cut(m.Of, "(")
	field, _, _ := strings.Cut(strings.TrimSuffix(rest, ")"), ",")
	switch of {
	case "count", "distinct":
		return 0, high
	case "share":
		return 0, 1
	}
	least, most := c.sent(d, field)
	if len(m.Between) == 2 {
		least, most = m.Between[0], m.Between[1]
	}
	switch {
	case of == "sum":
		if least >= 0 {
			low = 0
		}
		if most <= 0 {
			high = 0
		}
		return low, high
	case of == "lden":
		return least, most + night
	}
	return least, most
}

// sent is between what the values of a field are, of all kinds that a decision is about.
func (c *checker) sent(d *decision.Document, field string) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, id := range d.AppliesTo.Kinds {
		for _, f := range c.kinds[id].Fields {
			switch {
			case f.Name != field:
			case len(f.Valid) != 2:
				return math.Inf(-1), math.Inf(1)
			default:
				low, high = min(low, f.Valid[0]), max(high, f.Valid[1])
			}
		}
	}
	if low > high {
		return math.Inf(-1), math.Inf(1)
	}
	return low, high
}
