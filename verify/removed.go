package verify

import (
	"fmt"
	"regexp"
	"time"

	"sluice/books"
	"sluice/internal/civil"
)

// retained finds how long a decision keeps its numbers: a key at the beginning of a line is
// at the top level of the document.
var retained = regexp.MustCompile(`(?m)^retain:[ \t]*["']?(P[0-9A-Z]+)`)

// removed checks every removal: nothing may be removed before the time that its decision
// states. If the decision states another time now than then, the books no longer have the
// text of then, and the line is not checked.
func (c *checker) removed() (err error) {
	err = lines(c, "removals.jsonl", func(_ int, r *books.Removal) { c.removals = append(c.removals, *r) })
	if err != nil || len(c.removals) == 0 {
		return err
	}
	decisions, err := c.books.Decisions()
	if err != nil {
		return err
	}
	city, err := c.books.City()
	if err != nil {
		return err
	}
	words := make(map[string]books.Decision)
	for _, d := range decisions {
		words[d.ID] = d
	}
	for i, r := range c.removals {
		bad := func(format string, args ...any) {
			c.problem("removals.jsonl, line %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		kept, err := civil.ParsePeriod(r.Retain)
		if err != nil || kept.IsZero() {
			bad("it does not say for how long numbers are kept")
			continue
		}
		if later(r.Until, kept).After(r.At) {
			bad("numbers until %s were removed at %s, before %s were over", r.Until.Format(time.RFC3339),
				r.At.Format(time.RFC3339), r.Retain)
		}
		if !city.Simulation && r.At.After(time.Now().Add(24*time.Hour)) {
			bad("its time has not come")
		}
		d, known := words[r.Decision]
		match := retained.FindStringSubmatch(d.YAML)
		if !known || match == nil {
			bad("decision %s does not say for how long its numbers are kept", r.Decision)
			continue
		}
		today, err := civil.ParsePeriod(match[1])
		switch {
		case err != nil:
			bad("decision %s does not say for how long its numbers are kept", r.Decision)
		case !later(r.Until, kept).Before(later(r.Until, today)):
		case d.Policy == r.Policy:
			bad("it says %s; decision %s says %s", r.Retain, r.Decision, match[1])
		default:
			c.Unchecked++
		}
	}
	return nil
}

// later adds a period to an instant; years, months and days are those of UTC.
func later(t time.Time, p civil.Period) time.Time {
	return t.UTC().AddDate(p.Years, p.Months, p.Days).Add(p.Clock)
}

// gone reports whether a window's numbers were removed.
func (c *checker) gone(r books.Released) bool {
	for _, x := range c.removals {
		if x.Gateway == r.Gateway && x.Stream == r.Stream && !r.End.After(x.Until) {
			if s := c.plan(r.Plan); s != nil && s.Decision == x.Decision {
				return true
			}
		}
	}
	return false
}
