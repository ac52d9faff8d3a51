package query

import (
	"context"
	"slices"
	"time"

	"sluice/store"
)

// Usual is the middle of what was released of the same window, by weekday and time of day,
// in the weeks before.
type Usual struct {
	Value float64
	Weeks int // that have a number
	Of    int // that were looked at
}

// Bounds of what is usual: of so many weeks at least so many have a number.
const (
	usualWeeks  = 8
	fewestWeeks = 4
)

// Usual returns what is usual for an observation; nil where too few weeks have a number to
// say so.
func (s *Source) Usual(ctx context.Context, st Stream, o *store.Observation) (*Usual, error) {
	at := o.Start.In(Place(st.Timezone))
	var values []float64
	for week := 1; week <= usualWeeks; week++ {
		start := at.AddDate(0, 0, -7*week).UTC()
		list, err := s.Store.Observations(ctx, store.Query{Stream: st.ID, From: start, To: start.Add(time.Nanosecond),
			Cells: []string{o.Cell}, Measures: []string{o.Measure}, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(list) > 0 && list[0].Status == store.Published && list[0].Value != nil {
			values = append(values, *list[0].Value)
		}
		if len(values)+usualWeeks-week < fewestWeeks {
			return nil, nil //nolint:nilnil // documented: nil where too few weeks have a number
		}
	}
	slices.Sort(values)
	n := len(values)
	return &Usual{(values[(n-1)/2] + values[n/2]) / 2, n, usualWeeks}, nil
}

// Last returns the last observation of a cell and measure before an instant, of one of these
// statuses or of any, of a day or of three windows, whichever is longer; nil where there is
// none.
func (s *Source) Last(
	ctx context.Context, st Stream, cell, measure string, to time.Time, statuses ...store.Status,
) (*store.Observation, error) {
	q := store.Query{Stream: st.ID, From: to.Add(-max(24*time.Hour, 3*Length(st.Every))), To: to, Cells: []string{cell},
		Measures: []string{measure}, Statuses: statuses, Desc: true, Limit: 1}
	list, err := s.Store.Observations(ctx, q)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}
