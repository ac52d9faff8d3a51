// Package verify checks a city's public books as any stranger can: from the files alone, by
// recomputing everything in them. docs/release.md describes how, so that other programs can
// do the same.
//
// It follows the hash chains, adds up every day's budget, and recomputes from each plan,
// whose name is its SHA-256, what a day costs and how much noise each number carries. It
// checks that every released window is on its plan's grid, paid for by the ledger line that
// it names, and released once. It compares what the API shows with the digests of the
// released windows.
package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/books"
	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
)

// Report is what a check found.
type Report struct {
	Lines        int `json:"lines"`    // of the ledger
	Releases     int `json:"releases"` // windows
	Plans        int `json:"plans"`
	Observations int `json:"observations"` // compared with their window's digest
	Withdrawn    int `json:"withdrawn"`    // windows that cannot be compared any more
	Lost         int `json:"lost"`         // windows that are not shown: the store has lost them, says gaps.jsonl
	Removed      int `json:"removed"`      // windows that are not shown, since their decision has them removed
	// lines of removals under earlier words of a decision, which the books have no more
	Unchecked int      `json:"unchecked"`
	Months    int      `json:"months"`              // of streams, that are final and have a line
	Files     int      `json:"files"`               // of the archive, compared with it
	Gateways  int      `json:"gateways,omitempty"`  // whose books were checked, where there are several
	Elsewhere []string `json:"elsewhere,omitempty"` // gateways that have zones and whose books are not here
	Charters  []string `json:"charters,omitempty"`  // gateways with different charters, where there are
	Problems  []string `json:"problems"`
	// Decisions is how many the books have; Unvoted are those without a verified vote.
	Decisions  int      `json:"decisions"`
	Unvoted    []string `json:"unvoted,omitempty"`
	Votes      int      `json:"votes,omitempty"`      // that hold: signed by their members over the motion
	Statements int      `json:"statements,omitempty"` // signed ballots against, abstentions, and reasons of votes
	Simulation bool     `json:"simulation,omitempty"` // by the books, nothing of it was measured
}

// maxProblems bounds the problems that are listed.
const maxProblems = 100

func (r *Report) problem(format string, args ...any) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// planCache holds plans by digest; nil for an unusable one.
type planCache map[string]*plan.Stream

// checker checks one gateway's books, and holds what they say meanwhile.
type checker struct {
	Report
	books    books.Reader
	entries  []books.Entry
	releases []books.Released // only where what is shown is compared
	plans    planCache
	kept     keeping
	words    map[string]string // that many lines say, each once
	decided  map[string]*decided
	city     books.City
	names    []string                      // that its lines have, in order; a gateway that was renamed has several
	hidden   map[window][]books.Withdrawal // only where what is shown is compared
	voted    map[string]bool               // whether a decision has a verified vote, by id
}

// Check checks the books of a city's gateways. It returns an error if they cannot be read;
// what is wrong in them is in the report.
func Check(gateways ...books.Reader) (*Report, error) {
	var w walk
	for _, r := range gateways {
		c, err := checkEach(r, func(books.Released) {})
		if err != nil {
			return nil, err
		}
		w.of = append(w.of, c)
	}
	return w.report()
}

// checkAndKeep checks one gateway's books and keeps the list of releases.
func checkAndKeep(r books.Reader) (*checker, error) {
	var releases []books.Released
	c, err := checkEach(r, func(x books.Released) { releases = append(releases, x) })
	if err == nil {
		c.releases = releases
	}
	return c, err
}

// checkEach checks one gateway's books and calls each for every released window. It holds
// the ledger, a line for each day and plan, but only eight bytes of each release: a city
// has a million in five years.
func checkEach(r books.Reader, each func(books.Released)) (*checker, error) {
	c := &checker{books: r, plans: planCache{}, words: make(map[string]string), decided: make(map[string]*decided)}
	var err error
	if c.city, err = r.City(); err != nil {
		return nil, err
	}
	if err := c.ledger(); err != nil {
		return nil, err
	}
	if err := c.windows(each); err != nil {
		return nil, err
	}
	c.Plans = len(c.plans)
	if err := c.removed(); err != nil {
		return nil, err
	}
	if err := c.months(); err != nil {
		return nil, err
	}
	if err := c.votes(); err != nil {
		return nil, err
	}
	return c, c.decisions()
}

// lines calls each for every line of a growing file, numbered from 1, and follows the
// chain.
func lines[T any](c *checker, name string, each func(n int, v *T)) error {
	chain, broken, n := books.Chained{Name: name}, false, 0
	return c.books.Each(name, func(text string) error {
		if !broken {
			if err := chain.Next(text); err != nil {
				broken = true
				c.problem("%v", err)
			}
		}
		var v T
		if n++; json.Unmarshal([]byte(text), &v) != nil {
			return fmt.Errorf("%s, line %d: it cannot be read", name, n)
		}
		each(n, &v)
		return nil
	})
}

// word interns a text.
func (c *checker) word(text string) string {
	known, ok := c.words[text]
	if !ok {
		known = strings.Clone(text)
		c.words[known] = known
	}
	return known
}

// plan returns the plan with a digest; nil if it is unusable.
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

// ledger checks the ledger, and adds up every day.
func (c *checker) ledger() error {
	spent := make(map[string]float64)
	seen := make(map[[sha256.Size]byte]bool)
	return lines(c, "ledger.jsonl", func(n int, e *books.Entry) {
		bad := func(format string, args ...any) {
			c.problem("ledger.jsonl, line %d: %s", n, fmt.Sprintf(format, args...))
		}
		for _, amount := range []float64{e.Epsilon, e.Delta, e.Cap, e.Left} {
			if !(amount >= 0) || math.IsInf(amount, 0) {
				bad("an amount is negative or not finite")
			}
		}
		key := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", e.Gateway, e.Decision, e.Plan, e.Day))
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
		if e.Method < 0 || e.Method > mechanism.Method {
			bad("its method is %d, which nobody here knows", e.Method)
		}
		if e.Kind == "reserve" {
			spent[of] += e.Epsilon
		}
		if left := max(0, e.Cap-spent[of]); math.Abs(left-e.Left) > 1e-9*max(1, e.Cap) {
			bad("it leaves %v, and says %v", left, e.Left)
		}
		c.price(*e, bad)
		e.Gateway, e.Decision, e.Plan, e.Day, e.Unit, e.Kind, e.PrevSHA256 = c.word(e.Gateway), c.word(e.Decision),
			c.word(e.Plan), c.word(e.Day), c.word(e.Unit), c.word(e.Kind), ""
		c.entries, c.Lines = append(c.entries, *e), n
	})
}

// price compares a ledger line with what its plan costs.
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

// windows checks every released window.
func (c *checker) windows(each func(books.Released)) error {
	return lines(c, "releases.jsonl", func(n int, r *books.Released) {
		bad := func(format string, args ...any) {
			c.problem("releases.jsonl, line %d: %s", n, fmt.Sprintf(format, args...))
		}
		if c.again(r) {
			bad("this window was decided before")
		}
		c.Releases = n
		if r.End.After(c.kept.newest) {
			c.kept.newest = r.End
		}
		c.names = with(c.names, c.word(r.Gateway))
		each(*r)
		s := c.plan(r.Plan)
		if s == nil {
			return
		}
		if start, end := s.Window(r.Start); !start.Equal(r.Start) || !end.Equal(r.End) || s.ID != r.Stream ||
			!s.InForce(r.Start) {
			bad("it is no window of its plan")
		}
		rows := Rows(s)
		if mechanism.CountsEpochs(s, c.method(*r)) && s.EndsEpoch(r.Start, r.End) {
			rows += len(store.EpochMeasures)
		}
		if rows != r.Rows {
			bad("it has %d observations; its plan has %d", r.Rows, rows)
		}
		c.paid(*r, s, bad)
	})
}

// decided holds the released windows of a stream: those that came in order, and the others.
type decided struct {
	order []int64
	odd   map[int64]bool
}

// again records a window, and reports whether it was there before.
func (c *checker) again(r *books.Released) bool {
	of := r.Gateway + " " + r.Stream
	d := c.decided[of]
	if d == nil {
		d = &decided{odd: make(map[int64]bool)}
		c.decided[of] = d
	}
	at := r.Start.UnixNano()
	if n := len(d.order); n == 0 || at > d.order[n-1] {
		d.order = append(d.order, at)
		return false
	}
	_, there := slices.BinarySearch(d.order, at)
	there = there || d.odd[at]
	d.odd[at] = true
	return there
}

// Rows is the number of observations in each window of a stream, without those of an epoch
// that ends with it.
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

// decisions compares the description of each stream with its plan.
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
		if b.ID != s.ID || b.Decision != s.Decision || b.Unit != s.Unit.StandsFor || len(b.Cells) != len(s.Cells) {
			c.problem("stream %s is not that of its plan", b.ID)
		}
		if rows := Rows(s) / len(s.Cells); rows != len(b.Measures) {
			c.problem("stream %s has %d measures; its plan has %d", b.ID, len(b.Measures), rows)
			continue
		}
		if b.Floor != string(s.Protect.Floor) || b.Membership != string(s.Protect.Membership) {
			c.problem("stream %s: what it says decides whether a number is shown is not what its plan says", b.ID)
		}
		// Books of an earlier version have the numbers of its method.
		wrong := differs(b, s, mechanism.Method)
		for method := 1; method < mechanism.Method && wrong != ""; method++ {
			if differs(b, s, method) == "" {
				wrong = ""
			}
		}
		if wrong != "" {
			c.problem("stream %s: %s", b.ID, wrong)
		}
	}
	return c.ownZones(streams)
}

// differs describes how a stream's description differs from what a method makes of its
// plan; empty if it does not.
func differs(b books.Stream, s *plan.Stream, method int) string {
	mech, err := mechanism.By(s, method)
	if err != nil {
		return err.Error()
	}
	// Books of earlier versions have none of these.
	if b.ShareFrom != mech.ShareFrom() ||
		b.ShareFrom > 0 && (b.MaxContributions != s.Protect.MaxContributions || b.Epoch != s.Forget.String()) {
		return "what it says of its epochs is not what its plan makes of them"
	}
	n := 0
	for _, m := range s.Measures {
		for _, part := range m.Parts() {
			if b.Measures[n].Name != part.Name || b.Measures[n].PublicFrom != mech.PublicFrom() ||
				b.Measures[n].TypicalError != mech.TypicalError(m) {
				return fmt.Sprintf("measure %s is not what its plan makes of it", part.Name)
			}
			n++
		}
	}
	return ""
}
