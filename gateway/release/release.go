package release

import (
	"math"

	"sluice/policy/plan"
	"sluice/store"
)

// Release is what anyone may see of one cell, window and measure. Only this
// package makes one, and it cannot be read back into one: what comes out of an
// outbox or a store is a store.Observation.
type Release struct{ o store.Observation }

// Observation is the release as it is stored and shown.
func (r Release) Observation() store.Observation { return r.o }

// answer is what a cell's measures share.
type answer struct {
	batch  Batch
	cell   plan.Cell
	mech   *Mechanism
	ledger int64
	sim    bool
}

func (a answer) release(x plan.Measure, status store.Status, reason string) Release {
	s := a.batch.stream
	o := store.Observation{
		Stream: s.ID, Start: a.batch.start, End: a.batch.end, Every: s.Every.String(),
		Cell: a.cell.ID(), Zone: a.cell.Zone, Category: a.cell.Category, Measure: x.Name,
		Status: status, Reason: reason, Unit: x.Unit, Decision: s.Decision, Policy: a.batch.policy,
		Mechanism: a.mech.Name(), Ledger: a.ledger, Simulation: a.sim,
	}
	if !s.Unit.None() {
		o.Epsilon = a.mech.share
		o.Scale = a.mech.channel(x).scale() / resolution(x)
		o.Threshold = a.mech.threshold
	}
	return Release{o}
}

func (a answer) published(x plan.Measure, value, low, high float64) Release {
	r := a.release(x, store.Published, "")
	r.o.Value, r.o.Low, r.o.High = &value, &low, &high
	return r
}

// exact publishes the aggregates of a stream about nobody as they are. A
// measure that no reading reached is no_data.
func (a answer) exact(sums Sums) []Release {
	out := make([]Release, len(a.batch.stream.Measures))
	for i, x := range a.batch.stream.Measures {
		if sums.Weight[i] == 0 {
			out[i] = a.release(x, store.NoData, "")
			continue
		}
		v := float64(sums.Total[i]) / resolution(x)
		if x.Of == plan.Mean {
			v /= float64(sums.Weight[i])
		}
		out[i] = a.published(x, v, v, v)
	}
	return out
}

// noisy draws everything first, whatever the data, and then decides, so that a
// window with nobody costs the same as one with too few.
func (a answer) noisy(sums Sums) ([]Release, error) {
	count, err := a.mech.count.draw(sums.Units)
	if err != nil {
		return nil, err
	}
	public := sums.Units >= a.batch.stream.Protect.MinUnits && float64(count) >= a.mech.threshold
	out := make([]Release, len(a.batch.stream.Measures))
	for i, x := range a.batch.stream.Measures {
		estimate, err := a.estimate(x, i, sums, count)
		if err != nil {
			return nil, err
		}
		switch {
		case !sums.Alive:
			out[i] = a.release(x, store.NoData, "")
		case !public:
			out[i] = a.release(x, store.Withheld, "few")
		default:
			out[i] = a.published(x, estimate.value, estimate.low, estimate.high)
		}
	}
	return out, nil
}

type estimate struct{ value, low, high float64 }

func (a answer) estimate(x plan.Measure, i int, sums Sums, count int64) (estimate, error) {
	c := a.mech.channel(x)
	if x.Of == plan.Distinct {
		return around(float64(count), c.halfWidth(confidence), 1, 0, math.Inf(1)), nil
	}
	total, err := c.draw(sums.Total[i])
	if err != nil {
		return estimate{}, err
	}
	switch x.Of {
	case plan.Count:
		return around(float64(total), c.halfWidth(confidence), 1, 0, math.Inf(1)), nil
	case plan.Sum:
		return around(float64(total), c.halfWidth(confidence), plan.Fixed, math.Inf(-1), math.Inf(1)), nil
	}
	weights := channel{bound: 1, pairs: c.pairs, epsilon: c.epsilon}
	weight, err := weights.draw(sums.Weight[i])
	if err != nil {
		return estimate{}, err
	}
	return mean(x, c, weights, total, weight), nil
}

// around is v plus or minus half, in steps, kept between lo and hi, which are
// known without the data.
func around(v, half, steps, lo, hi float64) estimate {
	clamp := func(x float64) float64 { return min(hi, max(lo, x)) / steps }
	return estimate{clamp(v), clamp(v - half), clamp(v + half)}
}

// mean is the middle of between plus noisy sum over noisy count. Its interval
// holds with at least 95 %: sum and count each miss theirs with at most 2.5 %,
// and the quotient is extreme at a corner.
// Source: Wilson et al. (PETS 2020), appendix on BoundedMean.
func mean(x plan.Measure, sumCh, countCh channel, total, weight int64) estimate {
	const each = 1 - (1-confidence)/2
	middle := float64(x.Middle()) / plan.Fixed
	sumHalf, countHalf := sumCh.halfWidth(each), countCh.halfWidth(each)
	at := func(s, n float64) float64 {
		return min(x.High, max(x.Low, middle+s/plan.Fixed/max(1, n)))
	}
	s, n := float64(total), float64(weight)
	e := estimate{at(s, n), x.High, x.Low}
	for _, ds := range []float64{-sumHalf, sumHalf} {
		for _, dn := range []float64{-countHalf, countHalf} {
			v := at(s+ds, n+dn)
			e.low, e.high = min(e.low, v), max(e.high, v)
		}
	}
	return e
}
