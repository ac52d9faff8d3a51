// Package proof checks a city's public books as a stranger can: from the files
// alone, by computing everything in them again. docs/release.md says how, so that
// somebody else's program can do the same.
//
// It follows both chains; it adds up every day's budget; it computes from each
// plan, whose SHA-256 is its name, what a day costs and how much noise each number
// carries; it looks that every released window is on the plan's grid, paid for by
// the line that it names, and decided once; and it compares what the API shows
// with the digest that the window was entered under.
package proof

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"sluice/books"
	"sluice/gateway/release"
	"sluice/policy/plan"
)

// Report is what a check found.
type Report struct {
	Lines        int      `json:"lines"`    // of the ledger
	Releases     int      `json:"releases"` // windows
	Plans        int      `json:"plans"`
	Observations int      `json:"observations"` // compared with their window's digest
	Withdrawn    int      `json:"withdrawn"`    // windows that cannot be compared any more
	Lost         int      `json:"lost"`         // windows that are not shown, and of which gaps.jsonl says that the store has lost them
	Removed      int      `json:"removed"`      // windows that are not shown, and that were removed as their decision says
	Unchecked    int      `json:"unchecked"`    // lines of removals under earlier words of a decision, which the books have no more
	Problems     []string `json:"problems"`
}

// maxProblems is how many problems are named; more are counted.
const maxProblems = 100

func (r *Report) problem(format string, args ...any) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// planCache is plans by digest; nil for one that cannot be used.
type planCache map[string]*plan.Stream

// checker holds what the files say while they are compared.
type checker struct {
	Report
	books    books.Reader
	entries  []books.Entry
	releases []books.Released
	plans    planCache
	removals []books.Removal
}

// Check checks the files. Errors are of reading them; what is wrong in them is in
// the report.
func Check(r books.Reader) (*Report, error) {
	c, err := check(r)
	if err != nil {
		return nil, err
	}
	return &c.Report, nil
}

func check(r books.Reader) (*checker, error) {
	c := &checker{books: r, plans: planCache{}}
	for _, name := range []string{"ledger.jsonl", "releases.jsonl", "removals.jsonl"} {
		lines, err := r.Lines(name)
		if err != nil {
			return nil, err
		}
		if _, err := books.Chain(name, lines); err != nil {
			c.problem("%v", err)
		}
	}
	var err error
	if c.entries, err = r.Ledger(); err != nil {
		return nil, err
	}
	if c.releases, err = r.Releases(); err != nil {
		return nil, err
	}
	c.Lines, c.Releases = len(c.entries), len(c.releases)
	c.ledger()
	c.windows()
	c.Plans = len(c.plans)
	if err := c.removed(); err != nil {
		return nil, err
	}
	return c, c.decisions()
}

// plan reads a plan by its digest.
func (c *checker) plan(digest string) *plan.Stream {
	if s, known := c.plans[digest]; known {
		return s
	}
	c.plans[digest] = nil
	raw, err := c.books.Source.Get("plans/" + digest + ".json")
	if err != nil {
		c.problem("plan %.12s cannot be read: %v", digest, err)
		return nil
	}
	var s plan.Stream
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != digest {
		c.problem("plan %.12s is not what its name says", digest)
	} else if err := json.Unmarshal(raw, &s); err != nil {
		c.problem("plan %.12s cannot be read: %v", digest, err)
	} else if err := s.Finish(); err != nil || s.Digest != digest {
		c.problem("plan %.12s cannot be used: %v", digest, err)
	} else {
		c.plans[digest] = &s
	}
	return c.plans[digest]
}

// ledger adds every day up again.
func (c *checker) ledger() {
	spent := make(map[string]float64)
	seen := make(map[string]bool)
	for i, e := range c.entries {
		bad := func(format string, args ...any) {
			c.problem("ledger.jsonl, line %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		for _, amount := range []float64{e.Epsilon, e.Delta, e.Cap, e.Left} {
			if !(amount >= 0) || math.IsInf(amount, 0) {
				bad("an amount is negative or not finite")
			}
		}
		key := fmt.Sprintf("%q %q %q %q", e.Gateway, e.Decision, e.Plan, e.Day)
		if seen[key] {
			bad("this day of this plan is there twice")
		}
		seen[key] = true
		of := e.Gateway + " " + e.Day + " " + e.Unit
		fits := spent[of]+e.Epsilon <= e.Cap*(1+1e-9)
		switch {
		case e.Kind == "reserve" && !fits:
			bad("the day's budget is overdrawn: %v of %v were spent", spent[of], e.Cap)
		case e.Kind == "refuse" && fits:
			bad("it is refused although the day's budget would do")
		case e.Kind != "reserve" && e.Kind != "refuse":
			bad("its kind is unknown")
		}
		if e.Kind == "reserve" {
			spent[of] += e.Epsilon
		}
		if left := max(0, e.Cap-spent[of]); math.Abs(left-e.Left) > 1e-9*max(1, e.Cap) {
			bad("it leaves %v, and says %v", left, e.Left)
		}
		c.price(e, bad)
	}
}

// price compares a line's amounts with its plan.
func (c *checker) price(e books.Entry, bad func(string, ...any)) {
	s := c.plan(e.Plan)
	if s == nil {
		return
	}
	loc, err := time.LoadLocation(s.Timezone)
	if err != nil {
		bad("its plan's time zone is unknown")
		return
	}
	noon, err := time.ParseInLocation(time.DateOnly, e.Day, loc)
	if err != nil {
		bad("its day is none")
		return
	}
	epochs := float64(s.EpochsOfDay(noon.Add(12 * time.Hour)))
	if s.Decision != e.Decision || s.Unit.StandsFor != e.Unit {
		bad("its plan is of decision %s about %s", s.Decision, s.Unit.StandsFor)
	}
	if want := s.Protect.Epsilon * epochs; math.Abs(want-e.Epsilon) > 1e-9*want {
		bad("epsilon is %v; %v epochs of its plan cost %v", e.Epsilon, epochs, want)
	}
	if want := s.Protect.Delta * epochs; math.Abs(want-e.Delta) > 1e-9*want {
		bad("delta is %v; %v epochs of its plan cost %v", e.Delta, epochs, want)
	}
}

// windows looks at every released window.
func (c *checker) windows() {
	seen := make(map[string]bool)
	for i, r := range c.releases {
		bad := func(format string, args ...any) {
			c.problem("releases.jsonl, line %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		key := r.Gateway + " " + r.Stream + " " + r.Start.UTC().Format(time.RFC3339Nano)
		if seen[key] {
			bad("this window was decided before")
		}
		seen[key] = true
		s := c.plan(r.Plan)
		if s == nil {
			continue
		}
		if start, end := s.Window(r.Start); !start.Equal(r.Start) || !end.Equal(r.End) || s.ID != r.Stream || !s.InForce(r.Start) {
			bad("it is no window of its plan")
		}
		if rows := Rows(s); rows != r.Rows {
			bad("it has %d observations; its plan has %d", r.Rows, rows)
		}
		c.paid(r, s, bad)
	}
}

// Rows is how many observations each window of a stream has.
func Rows(s *plan.Stream) int {
	n := 0
	for _, m := range s.Measures {
		n += len(m.Parts())
	}
	return n * len(s.Cells)
}

func (c *checker) paid(r books.Released, s *plan.Stream, bad func(string, ...any)) {
	switch {
	case s.Unit.None() && r.Ledger != 0:
		bad("it is about nobody and names a line of the ledger")
	case s.Unit.None():
	case r.Ledger < 1 || r.Ledger > int64(len(c.entries)):
		bad("nothing paid for it")
	default:
		if e := c.entries[r.Ledger-1]; e.Plan != r.Plan || e.Day != s.Day(r.Start) || e.Gateway != r.Gateway {
			bad("line %d of the ledger is not for it", r.Ledger)
		}
	}
}

// decisions compares what the books say of each stream with its plan.
func (c *checker) decisions() error {
	streams, err := c.books.Streams()
	if err != nil {
		return err
	}
	for _, b := range streams {
		s := c.plan(b.Plan)
		if s == nil {
			continue
		}
		mech, err := release.NewMechanism(s)
		if err != nil {
			c.problem("stream %s: %v", b.ID, err)
			continue
		}
		if b.ID != s.ID || b.Decision != s.Decision || b.Unit != s.Unit.StandsFor || len(b.Cells) != len(s.Cells) {
			c.problem("stream %s is not that of its plan", b.ID)
		}
		n := 0
		for _, m := range s.Measures {
			for _, part := range m.Parts() {
				if n < len(b.Measures) && (b.Measures[n].Name != part.Name || b.Measures[n].PublicFrom != mech.PublicFrom() || b.Measures[n].TypicalError != mech.TypicalError(m)) {
					c.problem("stream %s: measure %s is not what its plan makes of it", b.ID, part.Name)
				}
				n++
			}
		}
		if n != len(b.Measures) {
			c.problem("stream %s has %d measures; its plan has %d", b.ID, len(b.Measures), n)
		}
	}
	return nil
}

// Shower is the open-data interface.
type Shower interface {
	// Streams are the ids of all streams that it shows.
	Streams(ctx context.Context) ([]string, error)
	// Walk hands out everything that it shows of a stream, page by page, in the order of
	// windows. A stream that it does not show has no pages.
	Walk(ctx context.Context, stream string, page func([]Shown) error) error
}
