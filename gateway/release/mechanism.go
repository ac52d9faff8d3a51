package release

import (
	"fmt"
	"math"
	"sync"

	"sluice/policy/plan"
)

// confidence is the coverage that every published interval has at least.
const confidence = 0.95

// eachOfTwo is the confidence of each of two numbers that are right together with
// confidence.
const eachOfTwo = 1 - (1-confidence)/2

// Mechanism is how a stream's numbers are protected, computed from its decision
// alone. For streams about nobody it is exact.
type Mechanism struct {
	stream   *plan.Stream
	gaussian bool
	// shares is into how many equal parts the budget is divided.
	shares int64
	// epochs says that the budget also pays for two numbers of each epoch.
	epochs bool
	// count is the noisy number of units that decides publication.
	count channel
	// threshold is what the noisy number of units must reach.
	threshold float64
	// noises are the measures', in their order; none for streams about nobody.
	noises []noiseOf
}

// noiseOf is what is drawn for one measure, and what that does to its intervals.
type noiseOf struct {
	channel // of each of its sums
	law     law
	half    float64          // half width at confidence, in steps
	number  channel          // of a mean: of the number that its sum is divided by
	halves  [2]float64       // of a mean: half widths of sum and number, each at eachOfTwo
	edges   func() []float64 // of a quantile: see bounds; computed when a number is first released
}

// Method numbers how noise and threshold are computed from a plan. A plan that is in
// force when a gateway is brought up to date keeps its digest, so the digest alone does
// not say it: each line of the ledger does, and what is released on that day is
// protected by the method that its line was paid under. So no epoch has two.
//
//	1  the noise whose standard deviations, multiplied over the measures, are smaller
//	2  the noise with the smaller PublicFrom; where they are a unit apart or none, the
//	   one whose intervals, multiplied over the measures, are smaller
//	3  the same; and where a field tells units apart, a fiftieth of epsilon is for each of
//	   two numbers of every epoch, and the rest for the measures
const Method = 3

// NewMechanism computes the protection of a stream by the present Method.
//
// What the numbers of epochs leave of the budget is divided evenly over the measures,
// plus one share for the number of units where that is not one of them and is not public.
func NewMechanism(s *plan.Stream) (*Mechanism, error) { return MechanismBy(s, Method) }

// MechanismBy computes the protection of a stream by a method, as the ledger's lines
// name them.
func MechanismBy(s *plan.Stream, method int) (*Mechanism, error) {
	if method < 1 || method > Method {
		return nil, fmt.Errorf("decision %s: its protection is of method %d, of a later version", s.Decision, method)
	}
	if s.Unit.None() {
		return &Mechanism{stream: s}, nil
	}
	m, g := draft(s, method, false), draft(s, method, true)
	better := g.serves
	if method == 1 {
		better = g.deviates
	}
	if better(m) && g.chance() > 0 {
		m = g
	}
	for _, x := range s.Measures {
		if scale := m.channel(x).scale(); scale > maxScale {
			return nil, fmt.Errorf("decision %s: measure %s needs noise of scale %.3g, and %.3g is the greatest that there is; narrow between, lower max_contributions or raise epsilon",
				s.Decision, x.Name, scale/steps(x), maxScale/steps(x))
		}
		m.noises = append(m.noises, m.noiseOf(x))
	}
	return m, nil
}

// draft is the protection of a stream by one of the two noises, but for its measures'.
func draft(s *plan.Stream, method int, gaussian bool) *Mechanism {
	m := &Mechanism{stream: s, gaussian: gaussian, shares: int64(len(s.Measures)), epochs: CountsEpochs(s, method)}
	if m.public() {
		return m
	}
	if !m.hasDistinct() {
		m.shares++
	}
	m.count = m.channel(plan.Measure{Of: plan.Distinct})
	m.threshold = float64(s.Protect.MinUnits)
	if s.Protect.Floor == plan.Noisy {
		return m
	}
	p := m.chance()
	if p == 0 {
		p = m.step() // it is not taken
	}
	m.threshold += m.count.law().beyond(p)
	return m
}

// public reports whether the number of units is known without the data.
func (m *Mechanism) public() bool { return m.stream.Protect.Membership == plan.Public }

// maxScale is the greatest scale of noise, in steps. It keeps exact value and noise,
// of up to forty scales, inside an int64, and bounds of intervals inside the whole
// numbers that a float64 holds. Samples are as exact there as anywhere.
const maxScale = 1e15

func (m *Mechanism) noiseOf(x plan.Measure) noiseOf {
	c := m.channel(x)
	n := noiseOf{channel: c, law: c.law()}
	n.half = n.law.halfWidth(confidence)
	switch x.Of {
	case plan.Mean:
		n.number = c
		n.number.bound = 1
		n.halves = [2]float64{n.law.halfWidth(eachOfTwo), n.number.law().halfWidth(eachOfTwo)}
	case plan.Quantile:
		n.edges = sync.OnceValue(func() []float64 { return bounds(n.law, x.Q, x.Slots()) })
	}
	return n
}

func (m *Mechanism) hasDistinct() bool {
	for _, x := range m.stream.Measures {
		if x.Of == plan.Distinct {
			return true
		}
	}
	return false
}

// serves reports whether residents are better served by m than by the other noise:
// places with fewer units are published, or intervals are narrower.
func (m *Mechanism) serves(other *Mechanism) bool {
	if d := m.PublicFrom() - other.PublicFrom(); d < -1 || d > 1 {
		return d < 0
	}
	return m.width(other, func(l law) float64 { return 2*l.halfWidth(confidence) + 1 }) < 0
}

// deviates is what method 1 asked.
func (m *Mechanism) deviates(other *Mechanism) bool { return m.width(other, law.deviation) < 0 }

// width compares what a noise gives, multiplied over the measures, with what the other
// does: below 0 where it is less.
func (m *Mechanism) width(other *Mechanism, of func(law) float64) float64 {
	log := 0.0
	for _, x := range m.stream.Measures {
		log += math.Log(of(m.channel(x).law()) / of(other.channel(x).law()))
	}
	return log
}

// step is the probability with which a pair may be published that has exactly
// min_units units, so that the step from nothing gives nobody away: 1 - (1 -
// delta)^(1/C).
//
// Say that one unit lifts j of its C pairs from min_units - 1, where nothing is
// ever published, to min_units, where each is published with probability p. The
// other C - j pairs, and the numbers of the epoch, are compared under noise. With q = 1 - p, and d(e) for the
// least delta of that noise at epsilon e, the two directions hold at (epsilon,
// delta) if and only if
//
//	1 - q^j + q^j d(epsilon + j ln(1/q)) <= delta
//	d(epsilon - j ln(1/q)) <= delta
//
// For Laplace noise, of which the rest loses at most e = epsilon minus what j pairs
// would, the first d is 0, and the second at most 1 - q^j exp(epsilon - e), which is
// at most 1 - q^j:
// both hold for all j if 1 - q^C <= delta. For Gaussian noise d is exact, and safe
// computes both for each decision; where they did not hold, the noise would be
// Laplace.
// Source: Wilkins, Kifer, Zhang, Karrer, "Exact Privacy Analysis of the Gaussian
// Sparse Histogram Mechanism" (2022), with the step moved from one unit to
// min_units; for Laplace noise Wilson et al. (PETS 2020), section 3.5.
func (m *Mechanism) step() float64 {
	p := m.stream.Protect
	return -math.Expm1(math.Log1p(-p.Delta) / float64(p.MaxContributions))
}

// chance is the greatest probability with which a pair may be published that has exactly
// min_units units: step for Laplace noise. For Gaussian noise it is at most that, and where
// the numbers of the epoch lose a little beside pairs that are all at the step, a little
// less, found to a hundredth; 0 where that would not do.
func (m *Mechanism) chance() float64 {
	p := m.step()
	if !m.gaussian || m.safe(p) {
		return p
	}
	for least := p / 2; m.epochs && p > least; {
		if p *= 0.99; m.safe(p) {
			return p
		}
	}
	return 0
}

// safe reports whether pairs with min_units units may be published with
// probability p under Gaussian noise. Where the noisy number alone decides, or the
// register, there is no such step.
func (m *Mechanism) safe(p float64) bool {
	if m.public() || m.stream.Protect.Floor == plan.Noisy {
		return true
	}
	pairs, delta := float64(m.stream.Protect.MaxContributions), m.stream.Protect.Delta
	whole, measures := m.muOfAll(), m.left()*m.left()
	nothing := -math.Log1p(-p) // ln(1/q)
	for j := 1.0; j <= pairs; j++ {
		mu := whole * math.Sqrt(1-measures*j/pairs)
		seen := -math.Expm1(-j * nothing)
		epsilon := m.stream.Protect.Epsilon
		if seen+(1-seen)*deltaOf(epsilon+j*nothing, mu) > delta || deltaOf(epsilon-j*nothing, mu) > delta {
			return false
		}
	}
	return true
}

// muOfAll is the sensitivity of everything that one unit does in an epoch over the
// noise, all measures and pairs together.
func (m *Mechanism) muOfAll() float64 {
	c := channel{gaussian: true, bound: 1, pairs: 1, parts: 1, epsilon: m.stream.Protect.Epsilon, delta: m.stream.Protect.Delta}
	return 1 / c.scale()
}

// Name of the mechanism as published: exact, laplace or gaussian.
func (m *Mechanism) Name() string {
	switch {
	case m.stream.Unit.None():
		return "exact"
	case m.gaussian:
		return "gaussian"
	}
	return "laplace"
}

// share is the part of epsilon that one measure stands for, per unit and epoch.
func (m *Mechanism) share() float64 {
	all := m.stream.Protect.Epsilon / float64(m.shares)
	if m.epochs {
		return all * restOver / restOf
	}
	return all
}

// Parameters are what every release of a measure states: its share of epsilon, the
// scale of its noise in the measure's unit, and the threshold on the number of
// units; all 0 when exact, and no threshold where the register decides.
func (m *Mechanism) Parameters(x plan.Measure) (epsilon, scale, threshold float64) {
	if m.stream.Unit.None() {
		return 0, 0, 0
	}
	return m.share(), m.channel(x).scale() / steps(x), m.threshold
}

// PublicFrom is the number of units from which on at least 99 of 100 windows
// are published, where membership is public of those that are registered, and all
// windows; 0 for streams about nobody.
func (m *Mechanism) PublicFrom() int64 {
	switch {
	case m.stream.Unit.None():
		return 0
	case m.public():
		return m.stream.Protect.MinUnits
	}
	return max(m.stream.Protect.MinUnits, int64(m.threshold-1+m.count.law().beyond(0.01)))
}

// TypicalError is the half width, in the measure's unit, of the interval that
// holds the true value of a count, sum or histogram class in 95 of 100 windows; 0
// when exact. For a mean or quantile it depends on the number of units and is not
// given.
func (m *Mechanism) TypicalError(x plan.Measure) float64 {
	if m.stream.Unit.None() || x.Of == plan.Mean || x.Of == plan.Quantile {
		return 0
	}
	return m.channel(x).law().halfWidth(confidence) / steps(x)
}

// channel is the noise of one of the measure's sums, for what one unit adds to it
// at most. A unit adds to one class of a histogram or quantile only, so all
// classes together cost what one would; a mean halves its share between its sum
// and its count.
func (m *Mechanism) channel(x plan.Measure) channel {
	p := m.stream.Protect
	c := channel{gaussian: m.gaussian, bound: x.Bound(), pairs: p.MaxContributions, parts: m.shares, rest: m.epochs, epsilon: p.Epsilon, delta: p.Delta}
	if x.Of == plan.Mean {
		c.parts *= 2
	}
	return c
}

// steps is how many integer steps of a channel make one of the measure.
func steps(x plan.Measure) float64 {
	if x.Of == plan.Sum || x.Of == plan.Mean {
		return plan.Fixed
	}
	return 1
}
