package query

import (
	"cmp"
	"context"
	"slices"
	"time"

	"sluice/internal/civil"
	"sluice/store"
)

// Newest returns the observations of a stream's last released window, for every cell and
// measure. With several gateways, each has its own last window.
func (s *Source) Newest(ctx context.Context, st Stream) ([]store.Observation, error) {
	if st.Through.IsZero() {
		return nil, nil
	}
	if len(st.shares) < 2 {
		return s.ending(ctx, st, st.Through, nil)
	}
	var all []store.Observation
	asked := make(map[time.Time]bool)
	for _, x := range st.shares {
		if asked[x.until] {
			continue
		}
		asked[x.until] = true
		own := make(map[string]bool)
		for _, y := range st.shares {
			for _, c := range y.cells {
				own[c.ID] = own[c.ID] || y.until.Equal(x.until)
			}
		}
		list, err := s.ending(ctx, st, x.until, own)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	// Where a zone has just changed hands, the later number is the newest.
	ends := make(map[[2]string]time.Time)
	for i := range all {
		if key := [2]string{all[i].Cell, all[i].Measure}; all[i].End.After(ends[key]) {
			ends[key] = all[i].End
		}
	}
	all = slices.DeleteFunc(all, func(o store.Observation) bool {
		return o.End.Before(ends[[2]string{o.Cell, o.Measure}])
	})
	slices.SortFunc(all, func(a, b store.Observation) int {
		return cmp.Or(cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Measure, b.Measure), cmp.Compare(a.Gateway, b.Gateway))
	})
	return all, nil
}

// ending is what the window says that ends at an instant, of some cells or of all.
func (s *Source) ending(
	ctx context.Context, st Stream, until time.Time, cells map[string]bool,
) ([]store.Observation, error) {
	list, err := s.Store.Observations(ctx,
		store.Query{Stream: st.ID, From: until.Add(-Length(st.Every)), To: until, Limit: maxNewest})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(o store.Observation) bool {
		return !o.End.Equal(until) || cells != nil && !cells[o.Cell]
	}), nil
}

// maxNewest bounds the observations that a page looks at.
const maxNewest = 20 * MaxLimit

// Recent are the newest observations before an instant, of a day, or of as much of it
// as a page may look at; of one measure, or of all where it is empty.
func (s *Source) Recent(ctx context.Context, st Stream, to time.Time, measure string) ([]store.Observation, error) {
	if to.IsZero() {
		return nil, nil
	}
	q := store.Query{Stream: st.ID, To: to, Limit: maxNewest}
	of := len(st.Measures)
	if measure != "" {
		q.Measures, of = []string{measure}, 1
	}
	windows := maxNewest / max(1, of*len(st.Cells))
	q.From = to.Add(-min(24*time.Hour, time.Duration(max(1, windows))*Length(st.Every)))
	return s.Store.Observations(ctx, q)
}

// TooLong is what is wrong with a span that has more windows than a page may look at.
const TooLong = "is too long for windows so short; choose a shorter one, or fewer places"

// Span returns the observations of some cells and one measure over a span of time.
func (s *Source) Span(
	ctx context.Context, st Stream, cells []string, measure string, from, to time.Time,
) ([]store.Observation, error) {
	if int(to.Sub(from)/Length(st.Every))*len(cells) > maxNewest {
		return nil, &Invalid{"span", TooLong}
	}
	return s.Store.Observations(ctx,
		store.Query{Stream: st.ID, From: from, To: to, Cells: cells, Measures: []string{measure}, Limit: maxNewest})
}

// Length is the length of a window such as PT15M, PT1H or P1D; a day is the longest
// that it can be, 25 hours, and so is what is no period.
func Length(every string) time.Duration {
	p, err := civil.ParsePeriod(every)
	if err != nil || p.Days > 0 || p.Nominal() <= 0 {
		return 25 * time.Hour
	}
	return p.Nominal()
}
