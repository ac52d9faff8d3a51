package simulate

import (
	"math"

	"sluice/plan"
	"sluice/policy/mechanism"
)

// unitsOf is the number of units, which decides publication.
var unitsOf = published{Measure: plan.Measure{Of: plan.Distinct}}

// noises are the noise laws of a decision's numbers, as its releases would state them.
type noises struct {
	mech      *mechanism.Mechanism
	s         *plan.Stream
	units     law
	threshold float64
}

func newNoises(s *plan.Stream) (*noises, error) {
	m, err := mechanism.New(s)
	if err != nil {
		return nil, err
	}
	_, scale, threshold := m.Parameters(unitsOf.Measure)
	return &noises{m, s, law{m.Name() == "gaussian", scale, 1}, threshold}, nil
}

// of is the noise of one measure; for a mean, that of its sum.
func (n *noises) of(x plan.Measure) law {
	_, scale, _ := n.mech.Parameters(x)
	step := 1.0
	if x.Of == plan.Sum || x.Of == plan.Mean {
		step = 1.0 / plan.Fixed
	}
	return law{n.units.gaussian, scale, step}
}

// shown is the probability that a window with this many counted units is published.
func (n *noises) shown(units float64) float64 {
	switch {
	case n.threshold == 0: // nothing is withheld
		return 1
	case n.never(units):
		return 0
	}
	return n.units.between(n.threshold-units, math.Inf(1))
}

// never reports whether so few units are never published, whatever the noise. If the threshold is
// min_units itself, the noisy number alone decides.
func (n *noises) never(units float64) bool {
	least := float64(n.s.Protect.MinUnits)
	return n.threshold > least && units < least
}

// insideShown is the probability that a window is published with an interval, of this half width,
// that contains what passed.
func (n *noises) insideShown(units, passed, half float64) float64 {
	if n.never(units) {
		return 0
	}
	return n.units.between(max(n.threshold-units, passed-units-half), passed-units+half)
}

// variance is that of a published number. A mean is a noisy sum over a noisy number; its variance is
// by the delta method.
func (n *noises) variance(x published, units, value float64) float64 {
	own := n.of(x.Measure).variance()
	if x.Of != plan.Mean {
		return own
	}
	number := own / math.Pow(float64(x.Bound())/plan.Fixed, 2)
	away := value - float64(x.Middle())/plan.Fixed
	return (own + away*away*number) / math.Pow(max(1, units), 2)
}

// law is a noise law: discrete Laplace with this scale on multiples of step, or Gaussian with this
// deviation.
type law struct {
	gaussian    bool
	scale, step float64
}

// between is P(low <= noise <= high).
func (l law) between(low, high float64) float64 {
	if !(low <= high) {
		return 0
	}
	if l.gaussian {
		return (math.Erfc(-high/l.scale/math.Sqrt2) - math.Erfc(-low/l.scale/math.Sqrt2)) / 2
	}
	return max(0, l.below(math.Floor(high/l.step+1e-9))-l.below(math.Ceil(low/l.step-1e-9)-1))
}

// below is P(noise <= k steps) of the discrete Laplace distribution.
func (l law) below(k float64) float64 {
	b := l.scale / l.step
	ratio := math.Exp(-1 / b)
	if k < 0 {
		return math.Exp(k/b) / (1 + ratio)
	}
	return 1 - math.Exp(-(k+1)/b)/(1+ratio)
}

func (l law) variance() float64 {
	if l.gaussian {
		return l.scale * l.scale
	}
	ratio := math.Exp(-l.step / l.scale)
	return 2 * ratio / ((1 - ratio) * (1 - ratio)) * l.step * l.step
}
