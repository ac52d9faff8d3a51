package proof

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"sluice/books"
	"sluice/gateway/release"
	"sluice/policy/plan"
	"sluice/store"
)

// Shown is one observation as the open-data interface shows it.
type Shown = store.Observation

// The books follow the store within seconds: what is shown and has no line yet is
// looked for again, so often and after such a pause.
const (
	lookAgain = 5
	lookPause = 3 * time.Second
)

// CheckShown is Check, and compares everything that is shown with the books, in both
// directions: what was released must be shown, and what is shown must have been
// released. Done is told how many windows have been compared, of how many.
func CheckShown(ctx context.Context, r books.Reader, from Shower, done func(n, of int)) (*Report, error) {
	return checkShown(ctx, r, from, done, lookPause)
}

func checkShown(ctx context.Context, r books.Reader, from Shower, done func(n, of int), pause time.Duration) (*Report, error) {
	c, err := check(r)
	if err != nil {
		return nil, err
	}
	w := walk{checker: c, todo: make(map[window]books.Released), done: done}
	if w.hidden, err = withdrawn(r); err != nil {
		return nil, err
	}
	streams, err := from.Streams(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range c.releases {
		w.todo[windowOf(x.Stream, x.Start)] = x
		streams = append(streams, x.Stream)
	}
	slices.Sort(streams)
	w.all = len(w.todo)
	for _, stream := range slices.Compact(streams) {
		w.rows, w.stream = nil, stream
		if err := from.Walk(ctx, stream, w.page); err != nil {
			return nil, err
		}
		w.window(w.rows)
	}
	gaps, err := r.Gaps()
	if err != nil {
		return nil, err
	}
	for _, x := range w.todo {
		if c.gone(x) {
			c.Removed++
			continue
		}
		if slices.ContainsFunc(gaps, func(g books.Gap) bool {
			return g.Reason == books.StoreLost && g.Stream == x.Stream && !x.Start.Before(g.Start) && !x.End.After(g.End)
		}) {
			c.Lost++
			continue
		}
		c.problem("%s at %s: it was released and is not shown; if the store was away, try again later", x.Stream, x.Start.Format(time.RFC3339))
	}
	return &c.Report, w.young(ctx, pause)
}

// window is what is released at once.
type window struct {
	stream string
	start  int64
}

func windowOf(stream string, start time.Time) window { return window{stream, start.UnixNano()} }

// walk compares what is shown, window by window, and holds one window's rows.
type walk struct {
	*checker
	todo   map[window]books.Released // what was not met yet
	hidden map[window][]books.Withdrawal
	all    int
	done   func(n, of int)
	stream string
	rows   []Shown            // of the window at hand
	none   map[window][]Shown // what no line is known of, yet
	over   int                // more of those, which are not kept
}

// page takes the next rows of a stream.
func (w *walk) page(rows []Shown) error {
	for _, o := range rows {
		o.Stream = w.stream
		if len(w.rows) > 0 && !o.Start.Equal(w.rows[0].Start) {
			w.window(w.rows)
			w.rows = w.rows[:0]
		}
		w.rows = append(w.rows, o)
	}
	return nil
}

// window compares all rows of one window.
func (w *walk) window(rows []Shown) {
	if len(rows) == 0 {
		return
	}
	key := windowOf(rows[0].Stream, rows[0].Start)
	r, known := w.todo[key]
	switch {
	case known:
		delete(w.todo, key)
		w.compare(r, rows, w.hidden[key])
		w.done(w.all-len(w.todo), w.all)
	case len(w.none) >= maxProblems:
		w.over++
	default:
		if w.none == nil {
			w.none = make(map[window][]Shown)
		}
		w.none[key] = slices.Clone(rows)
	}
}

// young looks again for lines of what is shown without one: a window that was released
// a moment ago has its line by then. What has none was never released.
func (w *walk) young(ctx context.Context, pause time.Duration) error {
	for n := 0; n < lookAgain && len(w.none) > 0; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		releases, err := w.books.Releases()
		if err != nil {
			return err
		}
		for _, r := range releases[min(len(releases), len(w.releases)):] {
			key := windowOf(r.Stream, r.Start)
			if rows := w.none[key]; rows != nil {
				delete(w.none, key)
				w.compare(r, rows, w.hidden[key])
			}
		}
	}
	if w.over > 0 {
		w.problem("%d more windows are shown and were never released", w.over)
	}
	for _, rows := range w.none {
		w.problem("%s at %s: it is shown and was never released", rows[0].Stream, rows[0].Start.UTC().Format(time.RFC3339))
	}
	return nil
}

// withdrawn are the public lines of what was taken back, by window.
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

// compare holds a window against what is shown of it.
func (c *checker) compare(r books.Released, shown []Shown, hidden []books.Withdrawal) {
	bad := func(format string, args ...any) {
		c.problem("%s at %s: %s", r.Stream, r.Start.Format(time.RFC3339), fmt.Sprintf(format, args...))
	}
	if c.gone(r) {
		bad("it is shown, and removals.jsonl says that it was removed")
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

// half looks at a window of which something was withdrawn, so that its digest says
// nothing any more: as many rows are shown, and those are withdrawn that a line names.
func (c *checker) half(r books.Released, shown []Shown, hidden []books.Withdrawal, bad func(string, ...any)) {
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

// method is the one that a window's day was paid under; the first line of the ledger
// that could name one did.
func (c *checker) method(r books.Released) int {
	if r.Ledger < 1 || r.Ledger > int64(len(c.entries)) {
		return release.Method
	}
	return max(1, c.entries[r.Ledger-1].Method)
}

// mechanism looks that each number carries the noise that its plan asks for.
func (c *checker) mechanism(s *plan.Stream, r books.Released, shown []Shown, bad func(string, ...any)) {
	mech, err := release.MechanismBy(s, c.method(r))
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
	unpaid := !s.Unit.None() && r.Ledger >= 1 && r.Ledger <= int64(len(c.entries)) && c.entries[r.Ledger-1].Kind != "reserve"
	for _, o := range shown {
		m, known := measures[o.Measure]
		epsilon, scale, threshold := mech.Parameters(m)
		if o.OfEpoch() {
			known, threshold = release.CountsEpochs(s, c.method(r)) && s.EndsEpoch(r.Start, r.End) && o.Cell == store.EpochCell(s.FirstZone()), 0
			epsilon, scale = mech.EpochParameters()
		}
		switch {
		case !known:
			bad("measure %s is not of its plan", o.Measure)
		case o.Mechanism != mech.Name() || !near(o.Epsilon, epsilon) || !near(o.Scale, scale) || o.Threshold != threshold:
			bad("%s of %s says other noise than its plan asks for", o.Measure, o.Cell)
		case o.Status == store.Published && (o.Value == nil || o.Low == nil || o.High == nil || *o.Low > *o.Value || *o.Value > *o.High):
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
