package mechanism

import (
	"math"

	"sluice/plan"
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

// CountsEpochs reports whether the budget also pays for two numbers of each epoch.
func (m *Mechanism) CountsEpochs() bool { return m.epochs }

// Epoch is the noise over each of an epoch's two numbers.
func (m *Mechanism) Epoch() Noise {
	p := m.stream.Protect
	return Noise{Gaussian: m.gaussian, Bound: 1, Pairs: 1, Parts: epochParts, Epsilon: p.Epsilon, Delta: p.Delta}
}

// EpochHalf is the half width of the intervals of an epoch's two numbers, in units, which
// hold together at Confidence.
func (m *Mechanism) EpochHalf() float64 { return m.Epoch().Law().HalfWidth(eachOfTwo) }

// EpochParameters are the share of epsilon and the scale that each of an epoch's two
// numbers states; 0 where there are none.
func (m *Mechanism) EpochParameters() (epsilon, scale float64) {
	if !m.epochs {
		return 0, 0
	}
	return m.stream.Protect.Epsilon / epochParts, m.Epoch().Scale()
}

// ShareFrom is the number of units from which on the share of those that were turned away
// is shown in at least 99 of 100 epochs; 0 where there is none.
func (m *Mechanism) ShareFrom() int64 {
	if !m.epochs {
		return 0
	}
	return int64(max(1, store.ShareHalfWidths*m.EpochHalf()-1+m.Epoch().Law().Beyond(0.01)))
}

// left is what the epochs' numbers leave of a Gaussian's mu, of which its square adds up.
func (m *Mechanism) left() float64 {
	if !m.epochs {
		return 1
	}
	return math.Sqrt(float64(restOver) / restOf)
}
