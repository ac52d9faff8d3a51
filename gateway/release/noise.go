package release

import (
	"crypto/rand"
	"math"

	"github.com/google/differential-privacy/go/v3/noise"

	"sluice/gateway/release/internal/laplace"
)

// channel is one noisy integer: what is drawn, and all that anyone may know of
// what is drawn. All randomness is crypto/rand's.
type channel struct {
	gaussian bool
	bound    int64 // what one unit adds to one pair at most, in absolute value
	pairs    int64 // L0 sensitivity: max_contributions
	// parts is into how many equal parts the decision's budget, or the rest of it, is
	// divided, of which this channel has one.
	parts int64
	// rest says that it is of what the numbers of epochs leave of the budget.
	rest           bool
	epsilon, delta float64 // of the whole decision, per unit and epoch
}

// scale is b of the Laplace distribution or sigma of the Gaussian, in the
// channel's steps.
//
// Laplace: b = C * bound * parts / epsilon, 25/24 of it for parts of the rest. Over all
// parts the losses add up to epsilon. Source: Dwork, Roth, "The Algorithmic Foundations of Differential
// Privacy" (2014), theorems 3.6 and 3.16.
//
// Gaussian: rho = mu^2 / 2 adds up over parts and pairs (zero-concentrated
// differential privacy; Bun, Steinke, "Concentrated Differential Privacy", TCC
// 2016), and all parts together are one Gaussian mechanism of L2 sensitivity
// bound * sqrt(C * parts), and 25/24 under the root for parts of the rest, whose exact delta at epsilon is that of Balle, Wang,
// "Improving the Gaussian Mechanism for Differential Privacy" (ICML 2018),
// theorem 8. Each part has the same rho.
func (c channel) scale() float64 {
	if c.gaussian {
		return noise.SigmaForGaussian(c.pairs*c.parts, c.wide(), c.epsilon, c.delta)
	}
	b := float64(c.pairs) * float64(c.bound) * float64(c.parts) / c.epsilon
	if c.rest {
		return b * restOf / restOver
	}
	return b
}

// wide is the bound by which a Gaussian of the whole budget would have this one's sigma.
func (c channel) wide() float64 {
	if c.rest {
		return float64(c.bound) * math.Sqrt(float64(restOf)/restOver)
	}
	return float64(c.bound)
}

// source adds noise to exact values. Tests put a recorder before it.
type source interface {
	draw(c channel, exact int64) (int64, error)
}

// random is the source of all that is released. It is for one goroutine.
type random struct{ bits *laplace.Source }

func newRandom() source { return random{laplace.NewSource(rand.Reader)} }

// draw adds noise to an exact value. Discrete Laplace noise is exact at every scale;
// a Gaussian is the library's, which is as good as its 53 bits up to a sigma of
// 2^55, and rounds it to whole steps. A sum that left 64 bits would begin again at
// the other end, which is as private.
//
// Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy"
// (NeurIPS 2020), algorithm 2, for Laplace noise; for Gaussian noise Google,
// "Secure Noise Generation" (2020).
func (r random) draw(c channel, exact int64) (int64, error) {
	if c.gaussian {
		x, err := noise.Gaussian().AddNoiseFloat64(0, c.pairs*c.parts, c.wide(), c.epsilon, c.delta)
		return exact + int64(math.Round(x)), err
	}
	b, err := c.exactly()
	if err != nil {
		return 0, err
	}
	x, err := r.bits.Draw(b)
	return exact + x, err
}

// exactly is the scale of Laplace noise as a fraction.
func (c channel) exactly() (laplace.Scale, error) {
	sensitivity := c.pairs * c.bound * c.parts
	of, over := int64(1), uint64(1)
	if c.rest {
		of, over = restOf, restOver
	}
	b, err := laplace.NewScale(sensitivity*of, c.epsilon)
	if err != nil {
		return b, err
	}
	return b.Over(over)
}

// law is the distribution of a channel's noise, in its steps.
type law struct {
	gaussian bool
	scale    float64
}

func (c channel) law() law { return law{c.gaussian, c.scale()} }

// tail is P(noise >= t) for a whole t of at least 0.
func (l law) tail(t float64) float64 {
	if l.gaussian {
		return upper((t - 0.5) / l.scale) // a Gaussian rounded to whole steps
	}
	return math.Exp(-t/l.scale) / (1 + math.Exp(-1/l.scale))
}

// beyond is the least whole t >= 0 with P(noise >= t) <= p, found by halving.
func (l law) beyond(p float64) float64 {
	if l.tail(0) <= p {
		return 0
	}
	low, high := 0.0, 1.0
	for l.tail(high) > p {
		low, high = high, 2*high
	}
	for high-low > 1 {
		middle := math.Floor((low + high) / 2)
		if middle <= low || middle >= high {
			break // no whole number lies between that a float64 can hold
		}
		if l.tail(middle) > p {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// halfWidth is the least whole k with P(|noise| <= k) >= p.
func (l law) halfWidth(p float64) float64 { return max(0, l.beyond((1-p)/2)-1) }

// deviation is the standard deviation of the noise, in steps.
func (l law) deviation() float64 {
	if l.gaussian {
		return math.Hypot(l.scale, math.Sqrt(1.0/12))
	}
	return math.Sqrt2 / 2 / math.Sinh(1/(2*l.scale))
}

// upper is P(Z >= z) of the standard Gaussian.
func upper(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// deltaOf is the least delta at which a Gaussian mechanism with mu = sensitivity
// / sigma is (epsilon, delta)-private; epsilon may be negative.
// Source: Balle, Wang (2018), theorem 8.
func deltaOf(epsilon, mu float64) float64 {
	if mu <= 0 {
		return max(0, -math.Expm1(epsilon))
	}
	return max(0, upper(epsilon/mu-mu/2)-math.Exp(epsilon)*upper(epsilon/mu+mu/2))
}
