package mechanism

import "math"

// Noise is what is drawn over one whole number, and all that anyone may know of what is
// drawn: what to draw is computed from it, and its Law.
type Noise struct {
	Gaussian bool
	Bound    int64 // what one unit adds to one pair at most, in absolute value
	Pairs    int64 // L0 sensitivity: max_contributions
	// Parts is into how many equal parts the decision's budget, or the rest of it, is
	// divided, of which this noise has one.
	Parts int64
	// Rest: it is drawn with what the epochs' numbers leave of the budget.
	Rest           bool
	Epsilon, Delta float64 // of the whole decision, per unit and epoch
}

// Scale is b of the Laplace distribution or sigma of the Gaussian, in the steps of the
// number that noise is added to.
//
// Laplace: b = C * bound * parts / epsilon, 25/24 of it for parts of the rest. Over all
// parts the losses add up to epsilon. Source: Dwork, Roth, "The Algorithmic Foundations of Differential
// Privacy" (2014), theorems 3.6 and 3.16.
//
// Gaussian: rho = mu^2 / 2 adds up over parts and pairs (zero-concentrated
// differential privacy; Bun, Steinke, "Concentrated Differential Privacy", TCC
// 2016), and all parts together are one Gaussian mechanism of L2 sensitivity
// bound * sqrt(C * parts), and 25/24 under the root for parts of the rest, whose exact delta at
// epsilon is that of Balle, Wang,
// "Improving the Gaussian Mechanism for Differential Privacy" (ICML 2018),
// theorem 8. Each part has the same rho.
func (n Noise) Scale() float64 {
	if n.Gaussian {
		l0, lInf := n.Sensitivities()
		return sigma(l0, lInf, n.Epsilon, n.Delta)
	}
	b := float64(n.Pairs) * float64(n.Bound) * float64(n.Parts) / n.Epsilon
	if n.Rest {
		return b * restOf / restOver
	}
	return b
}

// Law is the distribution of what is drawn.
func (n Noise) Law() Law { return Law{n.Gaussian, n.Scale()} }

// Sensitivities are the number of pairs and the bound on each for which a Gaussian of the
// whole budget would have this noise's sigma.
func (n Noise) Sensitivities() (l0 int64, lInf float64) {
	lInf = float64(n.Bound)
	if n.Rest {
		lInf *= math.Sqrt(float64(restOf) / restOver)
	}
	return n.Pairs * n.Parts, lInf
}

// Fraction is the scale of Laplace noise in whole numbers: sensitivity / epsilon / over.
func (n Noise) Fraction() (sensitivity int64, epsilon float64, over uint64) {
	sensitivity, over = n.Pairs*n.Bound*n.Parts, 1
	if n.Rest {
		sensitivity, over = sensitivity*restOf, restOver
	}
	return sensitivity, n.Epsilon, over
}

// sigma is the least deviation of a Gaussian that is (epsilon, delta)-private for these
// sensitivities, or up to a thousandth more. Steps, bounds and the order of the operations
// are those of SigmaForGaussian in Google's differential-privacy library, which draws the
// noise, so that the stated sigma is that of the draw to the last bit: a test of
// gateway/release compares the two.
// Source: Balle, Wang (2018), section 3 and theorem 8.
func sigma(l0 int64, lInf, epsilon, delta float64) float64 {
	const accuracy = 1e-3
	sensitivity := lInf * math.Sqrt(float64(l0))
	above := func(sigma float64) bool {
		a, b := sensitivity/(2*sigma), epsilon*sigma/sensitivity
		return upper(b-a)-math.Exp(epsilon)*upper(a+b) > delta
	}
	low, high := 0.0, sensitivity
	for above(high) {
		low, high = high, high*2
	}
	for high-low > accuracy*low {
		if middle := low*0.5 + high*0.5; above(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
