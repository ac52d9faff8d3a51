package simulate

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"sluice/firmware-sim/street"
	"sluice/gateway/release"
	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
)

// Trial is what values give on a rehearsal's traffic.
type Trial struct {
	*Side
	Values Values
	// PublicFrom is from how many units on 99 of 100 windows are published.
	PublicFrom int64
	Missed     Missed
	// Cells are the decision's, Shown the numbers that are published of each.
	Cells []string
	Shown []string
	// Halves are the half widths of those numbers' intervals where they are the same for all windows,
	// else 0.
	Halves []float64

	m    *model
	list []store.Observation
}

// Missed is who is not in the numbers, and what that does to them.
type Missed struct {
	// Units is how many came, each counted once in an epoch, and TurnedAway how many of those
	// came again after they had used up their contributions.
	Units, TurnedAway int
	// Passed is the number of units summed over zones and windows, Counted what of it is within
	// the contributions, and Shown what of that is in windows that are published.
	Passed, Counted, Shown float64
}

// Bend is the share by which the numbers are lower for those who are turned away, 0 to 1.
func (m Missed) Bend() float64 {
	if m.Passed == 0 {
		return 0
	}
	return 1 - m.Counted/m.Passed
}

// Hidden is the share of what was counted that is in windows of which nothing is published.
func (m Missed) Hidden() float64 {
	if m.Counted == 0 {
		return 0
	}
	return 1 - m.Shown/m.Counted
}

// Try computes what values give. The noise is of the law of the real one and from the seed: with the
// same seed it is the same, and where values differ each draw is as likely as it was, so that two
// pictures differ by their values and not by chance. The error is for values that no decision can
// have.
func (r *Rehearsal) Try(v Values, seed uint64) (*Trial, error) {
	s, err := r.stream(v)
	if err != nil {
		return nil, err
	}
	mech, err := mechanism.New(s)
	if err != nil {
		return nil, err
	}
	t := &Trial{Values: v, PublicFrom: mech.PublicFrom(), m: r.model(s, false)}
	end := r.traffic.Start.Add(time.Duration(r.traffic.Minutes) * time.Minute)
	for at := r.traffic.Start; at.Before(end); {
		from, next := s.Window(at)
		if at = next; from.Before(r.traffic.Start) || !s.InForce(from) {
			continue
		}
		for _, c := range s.Cells {
			rows, err := t.m.answer(mech, c, from, next, seed)
			if err != nil {
				return nil, err
			}
			t.list = append(t.list, rows...)
		}
	}
	t.Side = t.m.side(t.list)
	t.Side.Name, t.Side.Decision = nameDraft, s.Decision
	t.Side.Budget = r.spends(s)
	for _, x := range t.m.numbers() {
		t.Shown, t.Halves = append(t.Shown, x.part.Name), append(t.Halves, mech.TypicalError(x.Measure))
	}
	for _, c := range s.Cells {
		t.Cells = append(t.Cells, c.ID())
	}
	t.Missed = t.m.missed(t.list)
	return t, nil
}

// spends is what one unit spends a day; nothing here reaches a cap.
func (r *Rehearsal) spends(s *plan.Stream) Budget {
	b := Budget{Days: r.traffic.days()}
	if s.Unit.None() {
		return b
	}
	b.PerDay = s.Protect.Epsilon * float64(r.decision.EpochsPerDay())
	b.Cap = r.policy.Charter.EpsilonPerDay[s.Unit.StandsFor]
	for i := range r.policy.Decisions {
		x := &r.policy.Decisions[i]
		switch {
		case x.Decision == r.decision.Decision:
			b.AllDecisions += b.PerDay
		case x.Stream.Unit.StandsFor == s.Unit.StandsFor:
			b.AllDecisions += x.Protect.Epsilon * float64(x.EpochsPerDay())
		}
	}
	return b
}

// Of is one cell's number over time, by its place in Shown.
func (t *Trial) Of(cell string, number int) []Point {
	return t.m.points(cell, t.m.numbers()[number], t.list)
}

// answer is what is released of one cell and window.
func (m *model) answer(
	mech *mechanism.Mechanism, c plan.Cell, from, to time.Time, seed uint64,
) ([]store.Observation, error) {
	alive := slices.ContainsFunc(m.sensors, func(x street.Sensor) bool {
		return x.Zone == c.Zone && !x.Dead && slices.Contains(m.kinds, string(x.Kind))
	})
	if m.s.Unit.None() {
		return m.asItIs(c, from, to, alive), nil
	}
	sums := m.sums(cell{c.ID(), from.Unix()})
	sums.Alive = alive
	for _, x := range m.sensors {
		if x.Zone == c.Zone && slices.Contains(m.kinds, string(x.Kind)) {
			sums.Registered++
		}
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(c.ID())) // never fails
	rnd := rand.New(rand.NewPCG(seed, hash.Sum64()^uint64(from.Unix())))
	return release.Rehearse(mech, m.s, c, from, to, sums, func(n mechanism.Noise) int64 {
		return n.Law().Quantile(rnd.Float64())
	})
}

// asItIs is what is released about nobody: what passed.
func (m *model) asItIs(c plan.Cell, from, to time.Time, alive bool) (out []store.Observation) {
	for _, x := range m.numbers() {
		o := store.Observation{Start: from, End: to, Cell: c.ID(), Measure: x.part.Name, Status: store.NoData}
		if v, ok := m.exact(c.ID(), from, x); ok && alive {
			o.Status, o.Value, o.Low, o.High = store.Published, &v, &v, &v
		}
		out = append(out, o)
	}
	return out
}

// sums are what a gateway would hand over for disclosure control: of the units within their bound,
// each within the bounds of the measures.
func (m *model) sums(key cell) release.Sums {
	out := release.NewSums(m.s)
	t := m.cells[key]
	if t == nil {
		return out
	}
	for _, u := range t.units {
		if int64(u.pair) > m.s.Protect.MaxContributions {
			continue
		}
		out.Units++
		for i := range m.s.Measures {
			u.add(&m.s.Measures[i], out.Total[i], &out.Weight[i])
		}
	}
	return out
}

// add adds what one unit gives to a measure.
func (u unit) add(x *plan.Measure, total []int64, weight *int64) {
	last, ok := u.last[x.Name]
	clamped := func(v float64) int64 {
		low, high := x.Bounds()
		n := int64(math.Round(v * plan.Fixed))
		if x.Bounded {
			n = min(max(n, low), high)
		}
		return n
	}
	switch x.Of {
	case plan.Distinct:
		total[0]++
		*weight++
		return
	case plan.Count:
		total[0] += int64(math.Min(float64(u.readings), x.High))
		*weight++
		return
	}
	if !ok {
		return
	}
	*weight++
	switch x.Of {
	case plan.Sum:
		total[0] += clamped(u.sum[x.Name])
	case plan.Mean:
		total[0] += clamped(last) - x.Middle()
	default:
		total[x.Slot(clamped(last))]++
	}
}

// missed counts who is turned away, and what is withheld.
func (m *model) missed(list []store.Observation) (out Missed) {
	if m.s.Unit.None() {
		return out
	}
	away := make(map[stint]bool)
	for id, pairs := range m.used {
		one := stint{epoch: id.epoch, who: id.who}
		away[one] = away[one] || int64(pairs) > m.most(id.part)
	}
	out.Units = len(away)
	for _, is := range away {
		if is {
			out.TurnedAway++
		}
	}
	shown := make(map[cell]bool)
	for _, o := range list {
		if o.Status == store.Published {
			shown[cell{o.Cell, o.Start.Unix()}] = true
		}
	}
	for key := range m.cells {
		passed, _ := m.passed(key, unitsOf)
		counted, _ := m.within(key, unitsOf, int(m.s.Protect.MaxContributions))
		out.Passed, out.Counted = out.Passed+passed, out.Counted+counted
		if shown[key] {
			out.Shown += counted
		}
	}
	return out
}
