package release

import (
	"math"

	"sluice/plan"
	"sluice/policy/mechanism"
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
	mech   *mechanism.Mechanism
	noise  source
	ledger int64
	sim    bool
}

// estimate is a number with its interval.
type estimate struct{ value, low, high float64 }

// release says one part of a measure: a number where there is one.
func (a answer) release(x plan.Measure, part plan.Part, status store.Status, reason string, e estimate) Release {
	s := a.batch.stream
	o := store.Observation{
		Stream: s.ID, Start: a.batch.start, End: a.batch.end, Every: s.Every.String(),
		Cell: a.cell.ID(), Zone: a.cell.Zone, Category: a.cell.Category, Measure: part.Name,
		Status: status, Reason: reason, Unit: x.Unit, Decision: s.Decision, Policy: a.batch.policy,
		Mechanism: a.mech.Name(), Ledger: a.ledger, Simulation: a.sim,
	}
	o.Epsilon, o.Scale, o.Threshold = a.mech.Parameters(x)
	if status == store.Published {
		o.Value, o.Low, o.High = &e.value, &e.low, &e.high
	}
	return Release{o}
}

// all says the same of all measures.
func (a answer) all(status store.Status, reason string) []Release {
	var out []Release
	for _, x := range a.batch.stream.Measures {
		for _, part := range x.Parts() {
			out = append(out, a.release(x, part, status, reason, estimate{}))
		}
	}
	return out
}

// exact publishes the aggregates of a stream about nobody as they are. A
// measure that no reading reached is no_data.
func (a answer) exact(sums Sums) []Release {
	var out []Release
	for i, x := range a.batch.stream.Measures {
		status := store.Published
		if sums.Weight[i] == 0 {
			status = store.NoData
		}
		for slot, part := range x.Parts() {
			out = append(out, a.release(x, part, status, "", exactly(x, sums.Total[i], slot, sums.Weight[i])))
		}
	}
	return out
}

// exactly is what was measured. A quantile's interval is its class.
func exactly(x plan.Measure, total []int64, slot int, weight int64) estimate {
	if x.Of.Level() {
		if weight == 0 {
			return estimate{} // no data
		}
		v := x.Decibels(total)
		return estimate{v, v, v}.rounded(x)
	}
	v := float64(total[slot]) / mechanism.Steps(x)
	switch x.Of {
	case plan.Mean:
		v /= float64(max(1, weight))
		return estimate{v, v, v}.rounded(x)
	case plan.Quantile:
		return quantile(x, total, nil)
	}
	return estimate{v, v, v}
}

// noisy draws everything first, whatever the data, and then decides, so that a
// window with nobody costs the same as one with too few.
func (a answer) noisy(sums Sums) ([]Release, error) {
	var count int64
	if !a.mech.Public() {
		var err error
		if count, err = a.noise.draw(a.mech.Units(), sums.Units); err != nil {
			return nil, err
		}
	}
	status, reason := a.appears(sums, count)
	var out []Release
	for i, x := range a.batch.stream.Measures {
		list, err := a.estimates(x, i, sums, count)
		if err != nil {
			return nil, err
		}
		for n, part := range x.Parts() {
			out = append(out, a.release(x, part, status, reason, list[n]))
		}
	}
	return out, nil
}

// appears decides publication: by the noisy number of units, and an exact floor by the
// exact one; by the register alone where it is public who takes part.
func (a answer) appears(sums Sums, count int64) (store.Status, string) {
	p := a.batch.stream.Protect
	enough := sums.Units >= p.MinUnits || p.Floor == plan.Noisy
	switch {
	case !sums.Alive:
		return store.NoData, ""
	case a.mech.Public():
		enough = sums.Registered >= p.MinUnits
	default:
		enough = enough && float64(count) >= a.mech.Threshold()
	}
	if enough {
		return store.Published, ""
	}
	return store.Withheld, "few"
}

// estimates are the measure's numbers, one for each of its parts.
func (a answer) estimates(x plan.Measure, i int, sums Sums, count int64) ([]estimate, error) {
	n := a.mech.Measure(i)
	if x.Of == plan.Distinct {
		low, high := n.Law.Interval(float64(count), a.mech.Threshold())
		return []estimate{{float64(count), max(0, low), high}}, nil
	}
	noisy := make([]int64, len(sums.Total[i]))
	for slot, exact := range sums.Total[i] {
		var err error
		if noisy[slot], err = a.noise.draw(n.Noise, exact); err != nil {
			return nil, err
		}
	}
	switch x.Of {
	case plan.Sum:
		return []estimate{around(float64(noisy[0]), n.Half, plan.Fixed, math.Inf(-1))}, nil
	case plan.Mean:
		number, err := a.noise.draw(n.Number, sums.Weight[i])
		return []estimate{mean(x, n.Halves, noisy[0], number).rounded(x)}, err
	case plan.Quantile:
		return []estimate{quantile(x, noisy, n.Edges())}, nil
	}
	out := make([]estimate, len(noisy))
	for slot, v := range noisy {
		out[slot] = around(float64(v), n.Half, 1, 0)
	}
	return out, nil
}

// around is v plus or minus half, in steps, and nowhere below low, which is known
// without the data.
func around(v, half, steps, low float64) estimate {
	at := func(x float64) float64 { return max(low, x) / steps }
	return estimate{at(v), at(v - half), at(v + half)}
}

// mean is the middle of between plus noisy sum over noisy count. Its interval
// holds with at least 95 %: sum and number each miss theirs, of these half widths,
// with at most 2.5 %, and the quotient is extreme at a corner.
// Source: Wilson et al. (PETS 2020), appendix on BoundedMean.
func mean(x plan.Measure, halves [2]float64, total, number int64) estimate {
	middle := float64(x.Middle()) / plan.Fixed
	at := func(s, n float64) float64 {
		return min(x.High, max(x.Low, middle+s/plan.Fixed/max(1, n)))
	}
	s, n := float64(total), float64(number)
	e := estimate{at(s, n), x.High, x.Low}
	for _, ds := range []float64{-halves[0], halves[0]} {
		for _, dn := range []float64{-halves[1], halves[1]} {
			v := at(s+ds, n+dn)
			e.low, e.high = min(e.low, v), max(e.high, v)
		}
	}
	return e
}
