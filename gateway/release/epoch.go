package release

import (
	"math"

	"sluice/policy/plan"
	"sluice/store"
)

// Of every epoch of a stream whose units are told apart by a field, two numbers are
// released with its last window, over all cells and windows: how many units there were,
// and how many of them reached their bound and were turned away at least once after that.
// Without the second nobody could tell how far below what passed the measures are.
//
// One unit is 1 of each at most, once an epoch, whatever it does. Each is paid with a
// fiftieth of the decision's epsilon; what is left for the measures is 24/25 of it. Both
// are released whatever they are, with noise and without a threshold: that they are there
// depends on nobody.
//
// Their intervals hold with 97.5 % each, so that what is made of both, the share of units
// that were turned away, has one that holds with 95 %.
const (
	epochParts = 50 // of the budget, of which each of the two has one
	// restOver and restOf are what is left for the measures: 24/25.
	restOver, restOf = 24, 25
)

// CountsEpochs reports whether a method pays for the numbers of a stream's epochs.
func CountsEpochs(s *plan.Stream, method int) bool { return method >= 3 && s.CountsEpochs() }

// epoch is the noise of each of an epoch's two numbers.
func (m *Mechanism) epoch() channel {
	p := m.stream.Protect
	return channel{gaussian: m.gaussian, bound: 1, pairs: 1, parts: epochParts, epsilon: p.Epsilon, delta: p.Delta}
}

// EpochParameters are the share of epsilon and the scale that each of an epoch's two
// numbers states; 0 where there are none.
func (m *Mechanism) EpochParameters() (epsilon, scale float64) {
	if !m.epochs {
		return 0, 0
	}
	return m.stream.Protect.Epsilon / epochParts, m.epoch().scale()
}

// ShareFrom is the number of units from which on the share of those that were turned away
// is shown in at least 99 of 100 epochs; 0 where there is none.
func (m *Mechanism) ShareFrom() int64 {
	if !m.epochs {
		return 0
	}
	l := m.epoch().law()
	return int64(max(1, store.ShareHalfWidths*l.halfWidth(eachOfTwo)-1+l.beyond(0.01)))
}

// epochRows are the two numbers of an epoch that ends with the batch's window; none where
// none ends, or none are paid for.
func (a answer) epochRows(withheld map[string]string, spent bool) ([]Release, error) {
	b := a.batch
	if !a.mech.epochs || !b.stream.EndsEpoch(b.start, b.end) {
		return nil, nil
	}
	status, reason := store.Published, ""
	switch hidden, all := hiddenAll(b.stream.Zones, withheld); {
	case spent:
		status, reason = store.Withheld, "budget"
	case all:
		status, reason = store.Withheld, hidden
	case b.epoch == nil || !b.epoch.Known:
		status = store.NoData
	}
	var exact Epoch
	if b.epoch != nil {
		exact = *b.epoch
	}
	var out []Release
	half := a.mech.epoch().law().halfWidth(eachOfTwo)
	for n, measure := range store.EpochMeasures { // the bounded ones first
		v, err := a.noise.draw(a.mech.epoch(), []int64{exact.Bounded, exact.Units}[n])
		if err != nil {
			return nil, err
		}
		out = append(out, a.ofEpoch(measure, status, reason, around(float64(v), half, 1, 0)))
	}
	return out, nil
}

// hiddenAll reports whether every zone is withheld, and why the first one is.
func hiddenAll(zones []string, withheld map[string]string) (reason string, all bool) {
	for _, z := range zones {
		if _, hidden := withheld[z]; !hidden {
			return "", false
		}
	}
	return withheld[zones[0]], true
}

func (a answer) ofEpoch(measure string, status store.Status, reason string, e estimate) Release {
	s := a.batch.stream
	o := store.Observation{
		Stream: s.ID, Start: a.batch.start, End: a.batch.end, Every: s.Forget.String(), Cell: store.EpochCell(s.FirstZone()), Measure: measure,
		Status: status, Reason: reason, Unit: s.Unit.StandsFor, Decision: s.Decision, Policy: a.batch.policy,
		Mechanism: a.mech.Name(), Ledger: a.ledger, Simulation: a.sim,
	}
	o.Epsilon, o.Scale = a.mech.EpochParameters()
	if status == store.Published {
		o.Value, o.Low, o.High = &e.value, &e.low, &e.high
	}
	return Release{o}
}

// left is what the epochs' numbers leave of a Gaussian's mu, of which its square adds up.
func (m *Mechanism) left() float64 {
	if !m.epochs {
		return 1
	}
	return math.Sqrt(float64(restOver) / restOf)
}
