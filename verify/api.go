package verify

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"sluice/books"
	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
)

// Observation is one observation as an API shows it.
type Observation = store.Observation

// API is a city's open-data API.
type API interface {
	// Streams returns the ids of all streams.
	Streams(ctx context.Context) ([]string, error)
	// Walk calls page for all observations of a stream, in the order of windows. An unknown
	// stream has no pages.
	Walk(ctx context.Context, stream string, page func([]Observation) error) error
}

// The books follow the store within seconds: for windows that are shown and have no line
// yet, the books are read again, up to lookAgain times with a pause of lookPause.
const (
	lookAgain = 5
	lookPause = 3 * time.Second
)

// CheckAPI is Check, and compares everything that an API shows with the books, in both
// directions: what was released must be shown, and what is shown must have been released.
// It calls done with the number of windows compared so far, and of all.
func CheckAPI(ctx context.Context, gateways []books.Reader, api API, done func(n, of int)) (*Report, error) {
	return checkAPI(ctx, gateways, api, done, lookPause)
}

func checkAPI(
	ctx context.Context, gateways []books.Reader, api API, done func(n, of int), pause time.Duration,
) (*Report, error) {
	w := walk{todo: make(map[window]line), done: done}
	streams, err := api.Streams(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range gateways {
		c, err := checkAndKeep(r)
		if err != nil {
			return nil, err
		}
		if c.hidden, err = withdrawn(r); err != nil {
			return nil, err
		}
		w.of = append(w.of, c)
		for _, x := range c.releases {
			w.enter(c, x)
			streams = append(streams, x.Stream)
		}
	}
	slices.Sort(streams)
	w.all = len(w.todo)
	for _, stream := range slices.Compact(streams) {
		w.rows, w.stream = nil, stream
		if err := api.Walk(ctx, stream, w.page); err != nil {
			return nil, err
		}
		w.window(w.rows)
	}
	if err := w.missing(); err != nil {
		return nil, err
	}
	if err := w.young(ctx, pause); err != nil {
		return nil, err
	}
	return w.report()
}

// missing reports windows that were released and are not shown.
func (w *walk) missing() error {
	gaps := make(map[*checker][]books.Gap)
	for _, c := range w.of {
		var err error
		if gaps[c], err = c.books.Gaps(); err != nil {
			return err
		}
	}
	for _, x := range w.todo {
		c := x.of
		if c.gone(x.Released) {
			c.Removed++
			continue
		}
		if slices.ContainsFunc(gaps[c], func(g books.Gap) bool {
			return g.Reason == books.StoreLost && g.Stream == x.Stream && !x.Start.Before(g.Start) &&
				!x.End.After(g.End)
		}) {
			c.Lost++
			continue
		}
		c.problem("%s at %s: it was released and is not shown; if the store was away, try again later", x.Stream,
			x.Start.Format(time.RFC3339))
	}
	return nil
}

// report adds up the reports of all gateways, and names the gateway of each problem.
func (w *walk) report() (*Report, error) {
	out := &w.Report
	own := out.Problems
	out.Problems = nil
	w.ownNames()
	elsewhere, err := w.elsewhere()
	if err != nil {
		return nil, err
	}
	for _, c := range w.of {
		r := &c.Report
		out.Lines, out.Releases, out.Plans, out.Observations = out.Lines+r.Lines, out.Releases+r.Releases,
			out.Plans+r.Plans, out.Observations+r.Observations
		out.Withdrawn, out.Lost, out.Removed, out.Unchecked = out.Withdrawn+r.Withdrawn, out.Lost+r.Lost,
			out.Removed+r.Removed, out.Unchecked+r.Unchecked
		out.Months += r.Months
		out.Votes, out.Statements = out.Votes+r.Votes, out.Statements+r.Statements
		for _, p := range r.Problems {
			if len(w.of) > 1 {
				p = c.name() + ": " + p
			}
			out.problem("%s", p)
		}
	}
	for _, p := range own {
		out.problem("%s", p)
	}
	if len(w.of) > 1 {
		out.Gateways = len(w.of)
	}
	out.Elsewhere, out.Charters = elsewhere, w.charters()
	w.votes()
	return out, nil
}

// withdrawn returns the withdrawals, by window.
func withdrawn(r books.Reader) (map[window][]books.Withdrawal, error) {
	list, err := r.Withdrawals()
	if err != nil {
		return nil, err
	}
	out := make(map[window][]books.Withdrawal)
	for _, w := range list {
		key := windowOf(w.Stream, w.Start)
		out[key] = append(out[key], w)
	}
	return out, nil
}

// compare compares a window with what is shown of it.
func (c *checker) compare(r books.Released, shown []Observation, hidden []books.Withdrawal) {
	bad := func(format string, args ...any) {
		c.problem("%s at %s: %s", r.Stream, r.Start.Format(time.RFC3339), fmt.Sprintf(format, args...))
	}
	if c.gone(r) {
		bad("it is shown, and removals.jsonl says that it was removed")
	} else if c.overstays(r) {
		bad("it is shown, and its decision keeps it no longer")
	}
	switch {
	case len(hidden) > 0:
		c.Withdrawn++
		c.half(r, shown, hidden, bad)
	case store.Digest(shown) != r.SHA256:
		bad("what is shown is not what was released")
	default:
		c.Observations += len(shown)
	}
	for _, o := range shown {
		if !o.End.Equal(r.End) || o.Policy != r.Policy {
			bad("%s of %s says another end or policy than it was released under", o.Measure, o.Cell)
		}
	}
	if s := c.plan(r.Plan); s != nil {
		c.mechanism(s, r, shown, bad)
	}
}

// half checks a window of which something was withdrawn, so that its digest cannot be
// compared: the number of rows is right, and exactly the rows that a withdrawal names are
// withdrawn.
func (c *checker) half(r books.Released, shown []Observation, hidden []books.Withdrawal, bad func(string, ...any)) {
	if len(shown) != r.Rows {
		bad("%d numbers are shown of %d that were released", len(shown), r.Rows)
	}
	for _, o := range shown {
		named := slices.ContainsFunc(hidden, func(w books.Withdrawal) bool {
			return (w.Cell == "" || w.Cell == o.Cell) && (w.Measure == "" || w.Measure == o.Measure)
		})
		if named != (o.Status == store.Withdrawn) {
			bad("%s of %s is withdrawn: %v; the books say %v", o.Measure, o.Cell, o.Status == store.Withdrawn, named)
		}
	}
}

// method is the method of the ledger line that paid for a window.
func (c *checker) method(r books.Released) int {
	if r.Ledger < 1 || r.Ledger > int64(len(c.entries)) {
		return mechanism.Method
	}
	return max(1, c.entries[r.Ledger-1].Method)
}

// mechanism checks that each number carries the noise that its plan asks for.
func (c *checker) mechanism(s *plan.Stream, r books.Released, shown []Observation, bad func(string, ...any)) {
	mech, err := mechanism.By(s, c.method(r))
	if err != nil {
		bad("%v", err)
		return
	}
	measures := make(map[string]plan.Measure)
	for _, m := range s.Measures {
		for _, part := range m.Parts() {
			measures[part.Name] = m
		}
	}
	unpaid := !s.Unit.None() && r.Ledger >= 1 && r.Ledger <= int64(len(c.entries)) &&
		c.entries[r.Ledger-1].Kind != "reserve"
	for _, o := range shown {
		m, known := measures[o.Measure]
		epsilon, scale, threshold := mech.Parameters(m)
		if o.OfEpoch() {
			known, threshold = mechanism.CountsEpochs(s, c.method(r)) && s.EndsEpoch(r.Start, r.End) &&
				o.Cell == store.EpochCell(s.FirstZone()), 0
			epsilon, scale = mech.EpochParameters()
		}
		switch {
		case !known:
			bad("measure %s is not of its plan", o.Measure)
		case o.Mechanism != mech.Name() || !near(o.Epsilon, epsilon) || !near(o.Scale, scale) ||
			o.Threshold != threshold:
			bad("%s of %s says other noise than its plan asks for", o.Measure, o.Cell)
		case o.Status == store.Published &&
			(o.Value == nil || o.Low == nil || o.High == nil || *o.Low > *o.Value || *o.Value > *o.High):
			bad("%s of %s has no number inside its interval", o.Measure, o.Cell)
		case o.Status != store.Published && (o.Value != nil || o.Low != nil || o.High != nil):
			bad("%s of %s is %s and has a number", o.Measure, o.Cell, o.Status)
		case o.Status == store.Published && unpaid:
			bad("%s of %s is published although the budget was refused", o.Measure, o.Cell)
		case o.Status == store.Published && m.Of == plan.Distinct && *o.Value < threshold:
			bad("%s of %s is published below the threshold", o.Measure, o.Cell)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }
