package proof

import (
	"context"
	"fmt"
	"math"
	"time"

	"sluice/books"
	"sluice/gateway/release"
	"sluice/policy/plan"
	"sluice/store"
)

// Shown is one observation as the open-data interface shows it.
type Shown = store.Observation

// day is how much is asked for at a time.
const day = 24 * time.Hour

// CheckShown is Check, and compares everything that is shown with the books. Done
// is told how many of all windows have been compared.
func CheckShown(ctx context.Context, r books.Reader, from Shower, done func(n, of int)) (*Report, error) {
	c, err := check(r)
	if err != nil {
		return nil, err
	}
	withdrawals, err := r.Withdrawals()
	if err != nil {
		return nil, err
	}
	hidden := make(map[string]bool)
	for _, w := range withdrawals {
		hidden[id(w.Stream, w.Start)] = true
	}
	by := make(map[string][]books.Released)
	for _, x := range c.releases {
		by[x.Stream] = append(by[x.Stream], x)
	}
	n := 0
	for stream, list := range by {
		for len(list) > 0 {
			start := list[0].Start
			end, k := start.Add(day), 0
			for k < len(list) && list[k].Start.Before(end) && !list[k].Start.Before(start) {
				k++
			}
			rows, err := from.Observations(ctx, stream, start, end)
			if err != nil {
				return nil, err
			}
			c.compare(list[:k], rows, hidden)
			list, n = list[k:], n+k
			done(n, len(c.releases))
		}
	}
	return &c.Report, nil
}

func id(stream string, start time.Time) string {
	return stream + " " + start.UTC().Format(time.RFC3339Nano)
}

// compare holds windows against what is shown of them.
func (c *checker) compare(list []books.Released, rows []Shown, hidden map[string]bool) {
	by := make(map[string][]Shown)
	for _, o := range rows {
		by[id(o.Stream, o.Start)] = append(by[id(o.Stream, o.Start)], o)
	}
	for _, r := range list {
		shown := by[id(r.Stream, r.Start)]
		bad := func(format string, args ...any) {
			c.problem("%s at %s: %s", r.Stream, r.Start.Format(time.RFC3339), fmt.Sprintf(format, args...))
		}
		s := c.plan(r.Plan)
		switch {
		case len(shown) == 0:
			bad("it was released and is not shown; if the store was away, try again later")
			continue
		case hidden[id(r.Stream, r.Start)]:
			c.Withdrawn++
		case store.Digest(shown) != r.SHA256:
			bad("what is shown is not what was released")
		default:
			c.Observations += len(shown)
		}
		if s != nil {
			c.mechanism(s, r, shown, bad)
		}
	}
}

// mechanism looks that each number carries the noise that its plan asks for.
func (c *checker) mechanism(s *plan.Stream, r books.Released, shown []Shown, bad func(string, ...any)) {
	mech, err := release.NewMechanism(s)
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
