package query

import (
	"cmp"
	"context"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"sluice/store"
)

// Total is a sum of released values only, so it reveals no more than they do. Withheld
// parts are missing from it, and counted.
type Total struct {
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Cell     string    `json:"cell,omitempty"` // of a total over time
	Category string    `json:"category"`
	Measure  string    `json:"measure"`
	// Parts is the number of (cell, window) pairs that it covers, and how many have each
	// status.
	Parts     int `json:"parts"`
	Published int `json:"published"`
	Withheld  int `json:"withheld"`
	NoData    int `json:"no_data"`
	Withdrawn int `json:"withdrawn"`
	// Value is the sum of the published parts, null where there is none; Low and High
	// hold the sum of their true values in at least 95 of 100 totals.
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
	Unit  string   `json:"unit"`

	variance float64
	laplace  bool
	whole    bool // it counts
}

// TotalParameters are those of totals.
var TotalParameters = []string{"from", "to", "cell", "measure", "over", "format"}

// maxParts bounds what one total is computed from.
const maxParts = 100_000

// Totals adds up the observations of a series over its zones, for each window and
// category, or over time, for each cell.
func (s *Source) Totals(ctx context.Context, v url.Values, st Stream, latest time.Time) ([]*Total, error) {
	over := v.Get("over")
	if over != "zones" && over != "time" {
		return nil, &Invalid{"over", "is zones or time"}
	}
	q, err := Parse(v, st, latest)
	if err != nil {
		return nil, err
	}
	if q.Measures, err = addable(st, q.Measures); err != nil {
		return nil, err
	}
	q.Limit = maxParts + 1
	list, err := s.Store.Observations(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(list) > maxParts {
		return nil, &Invalid{"to", "is too far from from: a total is over at most 100,000 numbers"}
	}
	sums := make(map[string]bool)
	for _, m := range st.Measures {
		sums[m.Name] = strings.HasPrefix(m.Of, "sum(")
	}
	totals := make(map[[3]string]*Total)
	for i := range list {
		o := &list[i]
		key := [3]string{o.Start.Format(time.RFC3339Nano), o.Category, o.Measure}
		if over == "time" {
			key = [3]string{o.Cell, "", o.Measure}
		}
		t := totals[key]
		if t == nil {
			t = &Total{Start: o.Start, End: o.End, Category: o.Category, Measure: o.Measure, Unit: o.Unit,
				whole: !sums[o.Measure]}
			if over == "time" {
				t.Cell = o.Cell
			}
			totals[key] = t
		}
		t.add(o)
	}
	out := make([]*Total, 0, len(totals))
	for _, t := range totals {
		t.finish()
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *Total) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Category, b.Category),
			cmp.Compare(a.Measure, b.Measure))
	})
	return out, nil
}

// Addable returns the measures of a stream that can be added up.
func Addable(st Stream) (out []string) {
	for _, m := range st.Measures {
		if m.Of == "count()" || strings.HasPrefix(m.Of, "sum(") || strings.HasPrefix(m.Of, "histogram(") {
			out = append(out, m.Name)
		}
	}
	return out
}

// addable returns the measures that can be added up, of those asked for or of all.
func addable(st Stream, asked []string) ([]string, error) {
	can := Addable(st)
	if len(asked) == 0 && len(can) > 0 {
		return can, nil
	}
	for _, m := range st.Measures {
		if (len(asked) == 0 || slices.Contains(asked, m.Name)) && !slices.Contains(can, m.Name) {
			return nil, &Invalid{"measure", "names one that cannot be added up: " + whyNot(m.Of)}
		}
	}
	return slices.DeleteFunc(can, func(name string) bool { return !slices.Contains(asked, name) }), nil
}

// whyNot says in words why a measure has no totals.
func whyNot(of string) string {
	switch name, _, _ := strings.Cut(of, "("); name {
	case "distinct":
		return "who was counted in one hour or place may be counted in the next one as well, so that the sum would " +
			"be of nobody knows how many"
	case "mean", "leq", "quantile", "min", "max":
		return "the sum of averages, levels, quantiles or extremes is no number of anything"
	}
	return "totals are of count, sum and histogram"
}

func (t *Total) add(o *store.Observation) {
	t.Parts++
	if o.End.After(t.End) {
		t.End = o.End
	}
	switch o.Status {
	case store.Withheld:
		t.Withheld++
	case store.NoData:
		t.NoData++
	case store.Withdrawn:
		t.Withdrawn++
	}
	if o.Status != store.Published || o.Value == nil {
		return
	}
	t.Published++
	if t.Value == nil {
		t.Value = new(float64)
	}
	*t.Value += *o.Value
	switch o.Mechanism {
	case "laplace":
		t.laplace = true
		if t.whole {
			t.variance += discrete(o.Scale)
		} else {
			t.variance += 2 * o.Scale * o.Scale
		}
	case "gaussian":
		t.variance += o.Scale * o.Scale
		if t.whole {
			t.variance += 1.0 / 12 // of rounding
		}
	}
}

// discrete is the variance of the discrete Laplace distribution, whose steps are
// whole.
func discrete(b float64) float64 { return 1 / (2 * math.Pow(math.Sinh(1/(2*b)), 2)) }

// Half widths of 95 %, in standard deviations: of a Gaussian, and of a Laplace,
// ln(20) / sqrt(2). Sums of independent Laplaces lie between the two.
var (
	gaussian95 = math.Sqrt2 * math.Erfinv(0.95)
	laplace95  = math.Log(20) / math.Sqrt2
)

// half is the half width of a total's interval. The noise of the parts is independent, so
// variances add up.
func half(variance float64, laplace bool) float64 {
	if laplace {
		return laplace95 * math.Sqrt(variance)
	}
	return gaussian95 * math.Sqrt(variance)
}

func (t *Total) finish() {
	if t.Value == nil {
		return
	}
	h := half(t.variance, t.laplace)
	if t.whole {
		h = math.Ceil(h) // noise on counts is whole
	}
	low, high := *t.Value-h, *t.Value+h
	t.Low, t.High = &low, &high
}
