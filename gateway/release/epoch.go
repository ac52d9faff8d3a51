package release

import (
	"sluice/store"
)

// epochRows are the two numbers of an epoch that ends with the batch's window; none where
// none ends, or none are paid for.
func (a answer) epochRows(withheld map[string]string, spent bool) ([]Release, error) {
	b := a.batch
	if !a.mech.CountsEpochs() || !b.stream.EndsEpoch(b.start, b.end) {
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
	half := a.mech.EpochHalf()
	for n, measure := range store.EpochMeasures { // the bounded ones first
		v, err := a.noise.draw(a.mech.Epoch(), []int64{exact.Bounded, exact.Units}[n])
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
		Stream: s.ID, Start: a.batch.start, End: a.batch.end, Every: s.Forget.String(),
		Cell: store.EpochCell(s.FirstZone()), Measure: measure,
		Status: status, Reason: reason, Unit: s.Unit.StandsFor, Decision: s.Decision, Policy: a.batch.policy,
		Mechanism: a.mech.Name(), Ledger: a.ledger, Simulation: a.sim,
	}
	o.Epsilon, o.Scale = a.mech.EpochParameters()
	if status == store.Published {
		o.Value, o.Low, o.High = &e.value, &e.low, &e.high
	}
	return Release{o}
}
