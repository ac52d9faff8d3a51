package verify

import (
	"fmt"
	"time"

	"sluice/books"
	"sluice/internal/retention"
)

// overdue is how long after its time was over a number may still be shown: until the midnight
// behind that, and for as long as a gateway may be down at a weekend.
const overdue = 4 * 24 * time.Hour

// series is what a decision has released in a stream.
type series struct{ stream, decision string }

// keeping is for how long numbers are kept, as the books' decisions say it.
type keeping struct {
	words    map[string]books.Decision // by id
	terms    map[series]retention.Term
	removals []books.Removal
	newest   time.Time // end of the latest window that was released
}

// keeps reads the decisions: a series is kept as its decision says, and where that had windows
// of hours and of days, for the longer time.
func (c *checker) keeps() error {
	decisions, err := c.books.Decisions()
	if err != nil {
		return err
	}
	c.kept.words, c.kept.terms = make(map[string]books.Decision), make(map[series]retention.Term)
	terms := make(map[string]retention.Retention)
	for _, d := range decisions {
		c.kept.words[d.ID], terms[d.ID] = d, retention.FromYAML(d.YAML)
	}
	for _, s := range c.plans {
		if s == nil {
			continue
		}
		of, term := series{s.ID, s.Decision}, terms[s.Decision].For(s.Every)
		if old, known := c.kept.terms[of]; !known || term.Longer(old) {
			c.kept.terms[of] = term
		}
	}
	return nil
}

// removed checks every removal: nothing may be removed before the time that its decision
// states. If the decision states another time now than then, the books no longer have the
// text of then, and the line is not checked.
func (c *checker) removed() error {
	err := lines(c, "removals.jsonl", func(_ int, r *books.Removal) { c.kept.removals = append(c.kept.removals, *r) })
	if err != nil {
		return err
	}
	if err := c.keeps(); err != nil {
		return err
	}
	for i, r := range c.kept.removals {
		bad := func(format string, args ...any) {
			c.problem("removals.jsonl, line %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		kept, err := retention.ParseTerm(r.Retain)
		if err != nil || !kept.Ends() {
			bad("it does not say for how long numbers are kept")
			continue
		}
		if kept.Of(r.Until).After(r.At) {
			bad("numbers until %s were removed at %s, before %s were over", r.Until.Format(time.RFC3339),
				r.At.Format(time.RFC3339), r.Retain)
		}
		if !c.city.Simulation && r.At.After(time.Now().Add(24*time.Hour)) {
			bad("its time has not come")
		}
		d, today := c.kept.words[r.Decision], c.kept.terms[series{r.Stream, r.Decision}]
		switch {
		case today.Ends() && !kept.Of(r.Until).Before(today.Of(r.Until)):
		case d.ID != "" && d.Policy != r.Policy:
			c.Unchecked++
		case today.Ends():
			bad("it says %s; decision %s says %s", r.Retain, r.Decision, today)
		default:
			bad("decision %s does not say for how long its numbers are kept", r.Decision)
		}
	}
	return nil
}

// gone reports whether a window's numbers were removed.
func (c *checker) gone(r books.Released) bool {
	for _, x := range c.kept.removals {
		if x.Gateway == r.Gateway && x.Stream == r.Stream && !r.End.After(x.Until) {
			if s := c.plan(r.Plan); s != nil && s.Decision == x.Decision {
				return true
			}
		}
	}
	return false
}

// overstays reports whether a window is shown although its decision has said for long enough
// that it is kept no longer. Time is that of the books: a city that has stopped is not late.
func (c *checker) overstays(r books.Released) bool {
	s := c.plan(r.Plan)
	if s == nil {
		return false
	}
	term := c.kept.terms[series{s.ID, s.Decision}]
	said := c.kept.words[s.Decision].Published
	return term.Ends() && term.Of(r.End).Add(overdue).Before(c.kept.newest) &&
		said.Add(overdue).Before(c.kept.newest)
}
