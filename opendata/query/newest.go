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

// most cells and measures of one window.
const most = 20 * MaxLimit

// Length is the length of a window such as PT15M, PT1H or P1D; a day is the longest
// that it can be, 25 hours, and so is what is no period.
func Length(every string) time.Duration {
	p, err := plan.ParsePeriod(every)
	if err != nil || p.Days > 0 {
		return 25 * time.Hour
	}
	return p.Nominal()
}
