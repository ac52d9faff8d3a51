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
	// parts is into how many equal parts the decision's budget is divided, of which
	// this channel has one.
	parts          int64
	epsilon, delta float64 // of the whole decision, per unit and epoch
}

// scale is b of the Laplace distribution or sigma of the Gaussian, in the
// channel's steps.
//
// Laplace: b = C * bound * parts / epsilon. Over all parts the losses add up to
// epsilon. Source: Dwork, Roth, "The Algorithmic Foundations of Differential
// Privacy" (2014), theorems 3.6 and 3.16.
//
// Gaussian: rho = mu^2 / 2 adds up over parts and pairs (zero-concentrated
// differential privacy; Bun, Steinke, "Concentrated Differential Privacy", TCC
// 2016), and all parts together are one Gaussian mechanism of L2 sensitivity
// bound * sqrt(C * parts), whose exact delta at epsilon is that of Balle, Wang,
// "Improving the Gaussian Mechanism for Differential Privacy" (ICML 2018),
// theorem 8. Each part has the same rho.
func (c channel) scale() float64 {
	if c.gaussian {
		return noise.SigmaForGaussian(c.pairs*c.parts, float64(c.bound), c.epsilon, c.delta)
	}
	return float64(c.pairs) * float64(c.bound) * float64(c.parts) / c.epsilon
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
func (r random) draw(c channel, exact int64) (int64, error) {
	if c.gaussian {
		return noise.Gaussian().AddNoiseInt64(exact, c.pairs*c.parts, c.bound, c.epsilon, c.delta)
	}
	b, err := laplace.NewScale(c.pairs*c.bound*c.parts, c.epsilon)
	if err != nil {
		return 0, err
	}
	x, err := r.bits.Draw(b)
	return exact + x, err
}

// tail is P(noise >= t) for a whole t of at least 0.
func (c channel) tail(t float64) float64 {
	if c.gaussian {
		return upper((t - 0.5) / c.scale()) // a Gaussian rounded to whole steps
	}
	b := c.scale()
	return math.Exp(-t/b) / (1 + math.Exp(-1/b))
}

// beyond is the least whole t >= 0 with P(noise >= t) <= p.
func (c channel) beyond(p float64) float64 {
	var t float64
	if c.gaussian {
		t = math.Ceil(c.scale()*math.Sqrt2*math.Erfcinv(2*p) + 0.5)
	} else {
		b := c.scale()
		t = math.Ceil(-b * math.Log(p*(1+math.Exp(-1/b))))
	}
	t = max(0, t)
	for t > 0 && c.tail(t-1) <= p {
		t--
	}
	for c.tail(t) > p {
		t++
	}
	return t
}

// halfWidth is the least whole k with P(|noise| <= k) >= p.
func (c channel) halfWidth(p float64) float64 { return max(0, c.beyond((1-p)/2)-1) }

// deviation is the standard deviation of the noise, in the channel's steps.
func (c channel) deviation() float64 {
	if c.gaussian {
		return math.Hypot(c.scale(), math.Sqrt(1.0/12))
	}
	a := math.Exp(-1 / c.scale())
	return math.Sqrt(2*a) / (1 - a)
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
