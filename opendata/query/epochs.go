package query

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/store"
)

// Epoch is what is known of a whole epoch of a series at one gateway: how many units there
// were, and how many of them reached their bound and were not counted after that.
type Epoch struct {
	Start, End     time.Time
	Units, Bounded store.Observation // as they were released, with the epoch's last window
	// Zones are the gateway's, of which alone the numbers are; nil where there is one gateway.
	Zones []string
}

// Share is the share of units that were not counted any more once they had reached their
// bound. Of 100 such intervals at least 95 hold what was counted.
type Share struct {
	_     struct{}  `nullable:"true"` // to the API's description
	Zones []string  `json:"zones,omitempty" doc:"The zones that it is about, where several gateways have some each; absent: all"`
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
	part := func(bounded, units float64, to func(float64) float64) float64 {
		return to(min(1, max(0, bounded)/max(1, units))*shareSteps) / shareSteps
	}
	return &Share{
		Zones: e.Zones, Start: e.Start, End: e.End, Value: part(*e.Bounded.Value, *e.Units.Value, math.Round),
		Low: part(*e.Bounded.Low, *e.Units.High, math.Floor), High: part(*e.Bounded.High, *e.Units.Low, math.Ceil),
	}
}

// shareSteps is in how many steps a share is told; its interval goes outwards.
const shareSteps = 10_000

// Known reports whether both numbers were published.
func (e *Epoch) Known() bool {
	return e != nil && e.Units.Value != nil && e.Units.High != nil && e.Units.Low != nil && e.Bounded.Value != nil &&
		e.Bounded.Low != nil && e.Bounded.High != nil
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
	list, err := s.Store.Observations(ctx,
		store.Query{Stream: st.ID, From: from.Add(-day), To: to.Add(day), Which: store.Epochs, Limit: maxNewest})
	if err != nil {
		return nil, err
	}
	loc := Place(st.Timezone)
	for _, o := range list {
		length, err := civil.ParsePeriod(o.Every)
		if err != nil || length.Nominal() <= 0 {
			continue
		}
		start, end := civil.NewGrid(length.Nominal(), loc).Step(o.Start)
		if !start.Before(to) || !end.After(from) {
			continue
		}
		// A gateway's two numbers have one cell.
		at := len(out) - 1
		for ; at >= 0 && (!out[at].End.Equal(end) || out[at].cell() != o.Cell || out[at].Gateway() != o.Gateway); at-- {
			if out[at].End.Before(end) {
				at = -1
				break
			}
		}
		if at < 0 {
			at = len(out)
			out = append(out, Epoch{Start: start, End: end, Zones: st.zonesWith(strings.TrimSuffix(o.Cell, "/"))})
		}
		switch e := &out[at]; o.Measure {
		case store.EpochUnits:
			e.Units = o
		case store.EpochBounded:
			e.Bounded = o
		}
	}
	return out, nil
}

// cell and Gateway are where the epoch's numbers are from.
func (e *Epoch) cell() string { return max(e.Units.Cell, e.Bounded.Cell) }

// Gateway is the one whose epoch it is; empty in rows of before gateways were noted.
func (e *Epoch) Gateway() string { return max(e.Units.Gateway, e.Bounded.Gateway) }

// Covering is the epoch that a gateway's window is of that starts at an instant; nil for
// none that has ended. One gateway's share is not another's: where rows do not say whose
// they are, and several have an epoch each, it is not known.
func Covering(list []Epoch, gateway string, start time.Time) (of *Epoch) {
	for n := range list {
		e := &list[n]
		if own := e.Gateway(); own != "" && gateway != "" && own != gateway {
			continue
		}
		if !start.Before(e.Start) && start.Before(e.End) {
			if of != nil {
				return nil
			}
			of = e
		}
	}
	return of
}

// lastEpochs are the latest epochs of a series that have ended, one for each gateway that
// has any in the last two days before the series' end, by their zones.
func (s *Source) lastEpochs(ctx context.Context, st Stream) ([]Epoch, error) {
	if st.Through.IsZero() {
		return nil, nil
	}
	list, err := s.Epochs(ctx, st, st.Through.Add(-2*day), st.Through)
	return LastOf(list), err
}

// LastOf are the last of some epochs in order, one for each gateway, by their zones.
func LastOf(list []Epoch) (out []Epoch) {
	for _, e := range slices.Backward(list) {
		if !slices.ContainsFunc(out, func(x Epoch) bool {
			return e.Gateway() == x.Gateway() && (e.Gateway() != "" || e.cell() == x.cell() || len(e.Zones) == 0)
		}) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Epoch) int { return slices.Compare(a.Zones, b.Zones) })
	return out
}
