package release

import (
	"fmt"
	"math"

	"sluice/policy/plan"

	"github.com/google/differential-privacy/go/v3/noise"
)

// confidence is the coverage that every published interval has at least.
const confidence = 0.95

// Mechanism is how a stream's numbers are protected, computed from its decision
// alone. For streams about nobody it is exact.
type Mechanism struct {
	stream *plan.Stream
	// share is epsilon for one measure, per unit and epoch.
	share float64
	// count is the noisy number of units that decides publication.
	count channel
	// threshold is what the noisy number of units must reach.
	threshold float64
}

// channel is one noisy integer.
type channel struct {
	bound   int64   // what one unit adds to one pair at most, in absolute value
	pairs   int64   // L0 sensitivity: max_contributions
	epsilon float64 // per unit and epoch
}

// scale is the Laplace scale b = C * bound / epsilon.
// Source: Dwork, Roth, "The Algorithmic Foundations of Differential Privacy" (2014), theorem 3.6.
func (c channel) scale() float64 { return float64(c.pairs) * float64(c.bound) / c.epsilon }

// draw adds noise to an exact value; the sampler is google/differential-privacy's,
// which works on a discrete grid and reads crypto/rand only.
func (c channel) draw(exact int64) (int64, error) {
	return noise.Laplace().AddNoiseInt64(exact, c.pairs, c.bound, c.epsilon, 0)
}

// halfWidth is the least whole k such that the rounded noise lies within plus
// or minus k with probability at least p: P(|L| < k + 1/2) = 1 - exp(-(k + 1/2)/b).
func (c channel) halfWidth(p float64) float64 {
	return max(0, math.Ceil(-c.scale()*math.Log(1-p)-0.5))
}

// NewMechanism computes the protection of a stream.
//
// Epsilon is divided evenly over the measures, plus one share for the number of
// units where that is not one of them. Publication is decided by the noisy
// number of units n' alone: never with fewer than min_units units, and above
// that only if n' is at least T = min_units - 1 + t, where t is the threshold
// at which a pair with one unit is published with probability at most
// 1 - (1 - delta)^(1/C). So a unit that lifts C pairs from min_units - 1 to
// min_units is seen with probability at most delta.
// Source: Wilson et al., "Differentially Private SQL with Bounded User
// Contribution" (PETS 2020), section 3.5, with the step moved to min_units.
func NewMechanism(s *plan.Stream) (*Mechanism, error) {
	m := &Mechanism{stream: s}
	if s.Unit.None() {
		return m, nil
	}
	shares := len(s.Measures)
	if !m.hasDistinct() {
		shares++
	}
	m.share = s.Protect.Epsilon / float64(shares)
	m.count = channel{bound: 1, pairs: s.Protect.MaxContributions, epsilon: m.share}
	step, err := noise.Laplace().Threshold(m.count.pairs, 1, m.count.epsilon, 0, s.Protect.Delta)
	if err != nil {
		return nil, fmt.Errorf("decision %s: protection cannot be computed: %w", s.Decision, err)
	}
	m.threshold = float64(s.Protect.MinUnits-1) + step
	for _, x := range s.Measures {
		if m.channel(x).scale() > maxScale {
			return nil, fmt.Errorf("decision %s: measure %s needs more noise than a number can hold; narrow between, lower max_contributions or raise epsilon", s.Decision, x.Name)
		}
	}
	return m, nil
}

// maxScale keeps exact value and noise, of up to forty scales, inside an int64.
const maxScale = 1e15

func (m *Mechanism) hasDistinct() bool {
	for _, x := range m.stream.Measures {
		if x.Of == plan.Distinct {
			return true
		}
	}
	return false
}

// Name of the mechanism as published: exact or laplace.
func (m *Mechanism) Name() string {
	if m.stream.Unit.None() {
		return "exact"
	}
	return "laplace"
}

// PublicFrom is the number of units from which on at least 99 of 100 windows
// are published; 0 for streams about nobody.
func (m *Mechanism) PublicFrom() int64 {
	if m.stream.Unit.None() {
		return 0
	}
	margin := m.count.scale() * math.Log(0.5/0.01)
	return max(m.stream.Protect.MinUnits, int64(math.Ceil(m.threshold+margin)))
}

// TypicalError is the half width, in the measure's unit, of the interval that
// holds the true value of a count or sum in 95 of 100 windows; 0 when exact. For
// a mean it depends on the number of units and is not given.
func (m *Mechanism) TypicalError(x plan.Measure) float64 {
	if m.stream.Unit.None() || x.Of == plan.Mean {
		return 0
	}
	return m.channel(x).halfWidth(confidence) / resolution(x)
}

// channel is the noisy total of a measure. A mean halves its share between its
// sum and its count.
func (m *Mechanism) channel(x plan.Measure) channel {
	c := m.count
	switch x.Of {
	case plan.Count:
		c.bound = int64(x.High)
	case plan.Sum:
		low, high := x.Bounds()
		c.bound = max(-low, low, high)
	case plan.Mean:
		low, high := x.Bounds()
		c.bound = max(high-x.Middle(), x.Middle()-low)
		c.epsilon = m.share / 2
	}
	return c
}

// resolution is how many integer steps of a channel make one of the measure.
func resolution(x plan.Measure) float64 {
	if x.Of == plan.Sum || x.Of == plan.Mean {
		return plan.Fixed
	}
	return 1
}
