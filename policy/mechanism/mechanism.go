// Package mechanism is the arithmetic of differential privacy: what a decision costs and
// gives, computed from its plan alone and from no data. It says which noise is drawn over
// which number, from how many units on a number is published, how wide its interval is, and
// what many days tell of one unit. It draws nothing and makes no release: the gateway's
// release room does, and takes from here what to draw; the packages that explain,
// compare or verify a decision compute the same numbers from here.
package mechanism

import (
	"fmt"
	"math"
	"sync"

	"sluice/plan"
)

// Confidence is the coverage that every published interval has at least.
const Confidence = 0.95

// eachOfTwo is the confidence of each of two numbers that are right together with
// confidence.
const eachOfTwo = 1 - (1-Confidence)/2

// Mechanism is how a stream's numbers are protected, computed from its decision
// alone. For streams about nobody it is exact.
type Mechanism struct {
	stream   *plan.Stream
	gaussian bool
	// shares is into how many equal parts the budget is divided.
	shares int64
	// epochs: the budget also pays for two numbers of each epoch.
	epochs bool
	// count is over the number of units, which decides publication.
	count Noise
	// threshold is what the noisy number of units must reach.
	threshold float64
	// noises are the measures', in their order; none for streams about nobody.
	noises []MeasureNoise
}

// MeasureNoise is what is drawn for one measure, and what that does to its intervals.
type MeasureNoise struct {
	Noise  Noise            // over each of its sums
	Law    Law              // of that noise
	Half   float64          // half width at Confidence, in steps
	Number Noise            // of a mean: over the number that its sum is divided by
	Halves [2]float64       // of a mean: half widths of sum and number, which hold together at Confidence
	edges  func() []float64 // of a quantile: computed when a number is first released
}

// Edges are, of a quantile, the deviations of its balance that noise exceeds, upwards,
// with at most 2.5 %, at each inner edge of its classes; in units. Do not change them.
func (n MeasureNoise) Edges() []float64 { return n.edges() }

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

// New computes the protection of a stream by the present Method.
//
// What the numbers of epochs leave of the budget is divided evenly over the measures,
// plus one share for the number of units where that is not one of them and is not public.
func New(s *plan.Stream) (*Mechanism, error) { return By(s, Method) }

// By computes the protection of a stream by a method, as the ledger's lines
// name them.
func By(s *plan.Stream, method int) (*Mechanism, error) {
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
		if scale := m.noise(x).Scale(); scale > MaxScale {
			return nil, fmt.Errorf("decision %s: measure %s needs noise of scale %.3g, and %.3g is the greatest "+
				"that there is; narrow between, lower max_contributions or raise epsilon",
				s.Decision, x.Name, scale/Steps(x), MaxScale/Steps(x))
		}
		m.noises = append(m.noises, m.measure(x))
	}
	return m, nil
}

// draft is the protection of a stream by one of the two noises, but for its measures'.
func draft(s *plan.Stream, method int, gaussian bool) *Mechanism {
	m := &Mechanism{stream: s, gaussian: gaussian, shares: int64(len(s.Measures)), epochs: CountsEpochs(s, method)}
	if m.Public() {
		return m
	}
	if !m.hasDistinct() {
		m.shares++
	}
	m.count = m.noise(plan.Measure{Of: plan.Distinct})
	m.threshold = float64(s.Protect.MinUnits)
	if s.Protect.Floor == plan.Noisy {
		return m
	}
	p := m.chance()
	if p == 0 {
		p = m.step() // it is not taken
	}
	m.threshold += m.count.Law().Beyond(p)
	return m
}

// Public reports whether the register alone decides publication: the number of units is
// known without the data, and no noise is drawn over it.
func (m *Mechanism) Public() bool { return m.stream.Protect.Membership == plan.Public }

// Units is the noise over the number of units, which decides publication where it is not
// Public; none for streams about nobody.
func (m *Mechanism) Units() Noise { return m.count }

// Threshold is what the noisy number of units must reach to be published; 0 where the
// register decides, and for streams about nobody.
func (m *Mechanism) Threshold() float64 { return m.threshold }

// Measure is what is drawn for the i-th of the stream's measures, which is about units.
func (m *Mechanism) Measure(i int) MeasureNoise { return m.noises[i] }

// MaxScale is the greatest scale of noise, in steps. It keeps exact value and noise,
// of up to forty scales, inside an int64, and bounds of intervals inside the whole
// numbers that a float64 holds. Samples are as exact there as anywhere.
const MaxScale = 1e15

func (m *Mechanism) measure(x plan.Measure) MeasureNoise {
	n := MeasureNoise{Noise: m.noise(x)}
	n.Law = n.Noise.Law()
	n.Half = n.Law.HalfWidth(Confidence)
	switch x.Of {
	case plan.Mean:
		n.Number = n.Noise
		n.Number.Bound = 1
		n.Halves = [2]float64{n.Law.HalfWidth(eachOfTwo), n.Number.Law().HalfWidth(eachOfTwo)}
	case plan.Quantile:
		n.edges = sync.OnceValue(func() []float64 { return bounds(n.Law, x.Q, x.Slots()) })
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
	return m.width(other, func(l Law) float64 { return 2*l.HalfWidth(Confidence) + 1 }) < 0
}

// deviates is the condition that method 1 used.
func (m *Mechanism) deviates(other *Mechanism) bool { return m.width(other, Law.Deviation) < 0 }

// width compares what a noise gives, multiplied over the measures, with what the other
// does: below 0 where it is less.
func (m *Mechanism) width(other *Mechanism, of func(Law) float64) float64 {
	log := 0.0
	for _, x := range m.stream.Measures {
		log += math.Log(of(m.noise(x).Law()) / of(other.noise(x).Law()))
	}
	return log
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
	return m.share(), m.noise(x).Scale() / Steps(x), m.threshold
}

// PublicFrom is the number of units from which on at least 99 of 100 windows
// are published, where membership is public of those that are registered, and all
// windows; 0 for streams about nobody.
func (m *Mechanism) PublicFrom() int64 {
	switch {
	case m.stream.Unit.None():
		return 0
	case m.Public():
		return m.stream.Protect.MinUnits
	}
	return max(m.stream.Protect.MinUnits, int64(m.threshold-1+m.count.Law().Beyond(0.01)))
}

// TypicalError is the half width, in the measure's unit, of the interval that
// holds the true value of a count, sum or histogram class in 95 of 100 windows; 0
// when exact. For a mean or quantile it depends on the number of units and is not
// given.
func (m *Mechanism) TypicalError(x plan.Measure) float64 {
	if m.stream.Unit.None() || x.Of == plan.Mean || x.Of == plan.Quantile {
		return 0
	}
	return m.noise(x).Law().HalfWidth(Confidence) / Steps(x)
}

// noise is over one of the measure's sums, for what one unit adds to it at most. A unit
// adds to one class of a histogram or quantile only, so all classes together cost what one
// would; a mean halves its share between its sum and its count.
func (m *Mechanism) noise(x plan.Measure) Noise {
	p := m.stream.Protect
	n := Noise{Gaussian: m.gaussian, Bound: x.Bound(), Pairs: p.MaxContributions, Parts: m.shares, Rest: m.epochs,
		Epsilon: p.Epsilon, Delta: p.Delta}
	if x.Of == plan.Mean {
		n.Parts *= 2
	}
	return n
}

// Steps is how many whole steps of a measure's sums make one of its unit.
func Steps(x plan.Measure) float64 {
	if x.Of == plan.Sum || x.Of == plan.Mean {
		return plan.Fixed
	}
	return 1
}
