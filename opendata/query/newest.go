package query

import (
	"context"
	"time"

	"sluice/policy/plan"
	"sluice/store"
)

// Newest is what the last released window of a series says, for every cell and
// measure; nothing before the first.
func (s *Source) Newest(ctx context.Context, st Stream) ([]store.Observation, error) {
	if st.ClosedUntil.IsZero() {
		return nil, nil
	}
	list, err := s.Store.Observations(ctx, store.Query{
		Stream: st.ID, From: st.ClosedUntil.Add(-Length(st.Every)), To: st.ClosedUntil, Limit: most,
	})
	if err != nil {
		return nil, err
	}
	last := list[:0]
	for _, o := range list {
		if o.End.Equal(st.ClosedUntil) {
			last = append(last, o)
		}
	}
	return last, nil
}

// most observations that a page looks at.
const most = 20 * MaxLimit

// Recent are the newest observations before an instant, of a day, or of as much of it
// as a page may look at; of one measure, or of all where it is empty.
func (s *Source) Recent(ctx context.Context, st Stream, to time.Time, measure string) ([]store.Observation, error) {
	if to.IsZero() {
		return nil, nil
	}
	q := store.Query{Stream: st.ID, To: to, Limit: most}
	of := len(st.Measures)
	if measure != "" {
		q.Measures, of = []string{measure}, 1
	}
	windows := most / max(1, of*len(st.Cells))
	q.From = to.Add(-min(24*time.Hour, time.Duration(max(1, windows))*Length(st.Every)))
	return s.Store.Observations(ctx, q)
}

// Span are the observations of some cells and one measure over a span of time.
func (s *Source) Span(ctx context.Context, st Stream, cells []string, measure string, from, to time.Time) ([]store.Observation, error) {
	if int(to.Sub(from)/Length(st.Every))*len(cells) > most {
		return nil, &Invalid{"span", "is too long for windows so short; choose a shorter one, or fewer places"}
	}
	return s.Store.Observations(ctx, store.Query{Stream: st.ID, From: from, To: to, Cells: cells, Measures: []string{measure}, Limit: most})
}

// Length is the length of a window such as PT15M, PT1H or P1D; a day is the longest
// that it can be, 25 hours, and so is what is no period.
func Length(every string) time.Duration {
	p, err := plan.ParsePeriod(every)
	if err != nil || p.Days > 0 || p.Nominal() <= 0 {
		return 25 * time.Hour
	}
	return p.Nominal()
}
