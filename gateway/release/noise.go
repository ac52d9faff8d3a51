package release

import (
	"math"

	"github.com/google/differential-privacy/go/v3/noise"
)

// channel is one noisy integer: what is drawn, and all that anyone may know of
// what is drawn. Its samples come from google/differential-privacy, which reads
// crypto/rand and nothing else.
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

// draw adds noise to an exact value.
func (c channel) draw(exact int64) (int64, error) {
	if c.gaussian {
		return noise.Gaussian().AddNoiseInt64(exact, c.pairs*c.parts, c.bound, c.epsilon, c.delta)
	}
	x, err := discreteLaplace(c.scale())
	return exact + x, err
}

// resolution of exponential draws is a scale of about 2^resolution steps.
const resolution = 40

// discreteLaplace draws X with P(X = x) = (1-a)/(1+a) a^|x|, a = exp(-1/b).
//
// The library's integers are a rounded continuous Laplace, which at b = 1 is an
// eighth further from the truth than need be. The floor of an exponential is
// geometric, and the difference of two geometrics is the discrete Laplace: so
// two of the library's draws, on a grid so fine that each differs from an
// exponential by less than one part in 2^39, make one of these.
// Source: Inusah, Kozubowski, "A discrete analogue of the Laplace distribution",
// J. Statist. Plann. Inference 136 (2006), proposition 2.1.
func discreteLaplace(b float64) (int64, error) {
	grid := int64(1) << max(0, resolution-int(math.Ceil(math.Log2(b))))
	p, err := geometric(grid, b)
	if err != nil {
		return 0, err
	}
	q, err := geometric(grid, b)
	return p - q, err
}

func geometric(grid int64, b float64) (int64, error) {
	x, err := noise.Laplace().AddNoiseInt64(0, 1, grid, 1/b, 0)
	if x < 0 {
		x = -x
	}
	return x / grid, err
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
