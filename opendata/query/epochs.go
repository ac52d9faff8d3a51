package query

import (
	"context"
	"time"

	"sluice/policy/plan"
	"sluice/store"
)

// Epoch is what is known of a whole epoch of a series: how many units there were, and how
// many of them reached their bound and were not counted after that.
type Epoch struct {
	Start, End     time.Time
	Units, Bounded store.Observation // as they were released, with the epoch's last window
}

// Share is the share of units that were not counted any more once they had reached their
// bound. Of 100 such intervals at least 95 hold what was counted.
type Share struct {
	_     struct{}  `nullable:"true"` // to the API's description
	Start time.Time `json:"start" doc:"Start of the epoch, UTC"`
	End   time.Time `json:"end" doc:"End of the epoch, UTC"`
	Value float64   `json:"value" minimum:"0" maximum:"1" doc:"The share of the units of the epoch that reached their bound and were not counted after that"`
	Low   float64   `json:"low" doc:"In at least 95 of 100 epochs the share is from low to high"`
	High  float64   `json:"high"`
}

// Share is the epoch's share, nil where it is not known well enough to be of use: what
// decides that is the noisy number of units and nothing else.
//
// Both numbers are in their intervals with 97.5 % each, so that both are with 95 %, and
// then the quotient is between its extremes.
func (e *Epoch) Share() *Share {
	if !e.Known() || *e.Units.Value < store.ShareHalfWidths*(*e.Units.High-*e.Units.Value) {
		return nil
	}
	part := func(bounded, units float64) float64 { return min(1, bounded/max(1, units)) }
	return &Share{
		Start: e.Start, End: e.End, Value: part(*e.Bounded.Value, *e.Units.Value),
		Low: part(*e.Bounded.Low, *e.Units.High), High: part(*e.Bounded.High, *e.Units.Low),
	}
}

// Known reports whether both numbers were published.
func (e *Epoch) Known() bool {
	return e != nil && e.Units.Value != nil && e.Units.High != nil && e.Units.Low != nil && e.Bounded.Value != nil && e.Bounded.Low != nil && e.Bounded.High != nil
}

// day is the longest that an epoch can be.
const day = 25 * time.Hour

// Epochs are those of a series that have ended and lie, as a whole or in part, between two
// instants, in order.
func (s *Source) Epochs(ctx context.Context, st Stream, from, to time.Time) (out []Epoch, err error) {
	if st.ShareFrom == 0 || !from.Before(to) {
		return nil, nil
	}
	// Each is a row of its last window.
	list, err := s.Store.Observations(ctx, store.Query{Stream: st.ID, From: from.Add(-day), To: to.Add(day), Which: store.Epochs, Limit: most})
	if err != nil {
		return nil, err
	}
	loc := Place(st.Timezone)
	for _, o := range list {
		length, err := plan.ParsePeriod(o.Every)
		if err != nil || length.Nominal() <= 0 {
			continue
		}
		start, end := plan.NewGrid(length.Nominal(), loc).Step(o.Start)
		if !start.Before(to) || !end.After(from) {
			continue
		}
		if n := len(out); n == 0 || !out[n-1].End.Equal(end) || out[n-1].Units.Cell != o.Cell && out[n-1].Bounded.Cell != o.Cell {
			out = append(out, Epoch{Start: start, End: end})
		}
		switch e := &out[len(out)-1]; o.Measure {
		case store.EpochUnits:
			e.Units = o
		case store.EpochBounded:
			e.Bounded = o
		}
	}
	return out, nil
}

// Covering is the epoch that a window that starts at an instant is of; nil for none that
// has ended, and where several gateways have one each: which of them a cell is of is not
// known here, and one's share is not another's.
func Covering(list []Epoch, start time.Time) (of *Epoch) {
	for n := range list {
		if e := &list[n]; !start.Before(e.Start) && start.Before(e.End) {
			if of != nil {
				return nil
			}
			of = e
		}
	}
	return of
}

// lastEpoch is the latest epoch of a series that has ended, of the last two days before
// the series' end; nil for none.
func (s *Source) lastEpoch(ctx context.Context, st Stream) (*Epoch, error) {
	if st.ClosedUntil.IsZero() {
		return nil, nil
	}
	list, err := s.Epochs(ctx, st, st.ClosedUntil.Add(-2*day), st.ClosedUntil)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[len(list)-1], nil
}
