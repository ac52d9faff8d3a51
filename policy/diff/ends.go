package diff

import (
	"slices"

	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/mechanism"
)

// A series can be ended without taking its decision away: by parameters under
// which it would show practically nothing.

const (
	// much is how many times over a number may tighten before a series counts as ended.
	much = 10
	// many units are more than a street has: whatever is published from more on only
	// may as well not be.
	many = 10_000
)

// vanishes reports whether b is published from far more units on than a.
func vanishes(a, b *bundle.Decision) bool {
	if a.Stream.Unit.None() || b.Stream.Unit.None() {
		return false // unit says it
	}
	x, y := publicFrom(a), publicFrom(b)
	return y > x && (y > much*x || y > many)
}

// publicFrom is from about how many units on a window is published, as explain
// says it; -1 where nothing can be computed, which the policy's reader refuses.
func publicFrom(d *bundle.Decision) int64 {
	m, err := mechanism.New(d.Stream)
	if err != nil {
		return -1
	}
	return m.PublicFrom()
}

// fewerCells reports whether a cell of a's zones is no longer one.
func fewerCells(a, b *bundle.Decision) bool {
	x, y := a.Stream.Category, b.Stream.Category
	return x.Field != y.Field || !within(x.Values, y.Values)
}

// fewerNumbers reports whether a number that a publishes is not published by b, or
// is squeezed into a tenth of its bounds.
func fewerNumbers(a, b *bundle.Decision) bool {
	for _, x := range a.Stream.Measures {
		at := slices.IndexFunc(b.Stream.Measures, func(m plan.Measure) bool {
			return m.Name == x.Name && m.Of == x.Of && m.Field == x.Field && m.Q == x.Q
		})
		if at < 0 || lostNumbers(x, b.Stream.Measures[at]) {
			return true
		}
	}
	return false
}

// lostNumbers is fewerNumbers for one measure that both have.
func lostNumbers(x, m plan.Measure) bool {
	for _, part := range x.Parts() {
		if !slices.ContainsFunc(m.Parts(), func(p plan.Part) bool { return p.Name == part.Name }) {
			return true
		}
	}
	return m.Bounded && (!x.Bounded || (m.High-m.Low)*much < x.High-x.Low)
}

// blurred reports whether a number that b publishes, and a published, is made of
// values that rounding has left hardly apart.
func blurred(a, b *bundle.Decision) bool {
	for _, g := range b.Generalise {
		if slices.ContainsFunc(a.Generalise, func(x plan.Generalise) bool {
			return x.Field == g.Field && classesNear(x, g)
		}) {
			continue
		}
		for _, m := range a.Stream.Measures {
			if m.Field == g.Field && hardlyApart(m, g) {
				return true
			}
		}
	}
	return false
}

// classesNear reports whether h has at least a tenth of the classes of g.
func classesNear(g, h plan.Generalise) bool {
	if g.Step > 0 && h.Step > 0 {
		return h.Step <= much*g.Step
	}
	return len(h.To) > 1 && len(g.To) > 0 && len(h.To)*much >= len(g.To)
}

// hardlyApart reports whether a measure's bounds hold fewer than two classes of g.
// Without bounds nobody can tell.
func hardlyApart(m plan.Measure, g plan.Generalise) bool {
	low, high := m.Low, m.High
	if n := len(m.Edges); n > 0 {
		low, high = m.Edges[0], m.Edges[n-1]
	} else if !m.Bounded {
		return true
	}
	if g.Step > 0 {
		return high-low < 2*g.Step
	}
	inside := 0
	for _, e := range g.To {
		if e > low && e < high {
			inside++
		}
	}
	return inside == 0
}
