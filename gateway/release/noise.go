package release

import (
	"crypto/rand"
	"math"

	"github.com/google/differential-privacy/go/v3/noise"

	"sluice/gateway/release/internal/laplace"
	"sluice/policy/mechanism"
)

// source adds noise to exact values. Tests put a recorder before it.
type source interface {
	draw(n mechanism.Noise, exact int64) (int64, error)
}

// random is the source of all that is released. All its randomness is crypto/rand's. It
// is for one goroutine.
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
func (r random) draw(n mechanism.Noise, exact int64) (int64, error) {
	if n.Gaussian {
		l0, lInf := n.Sensitivities()
		x, err := noise.Gaussian().AddNoiseFloat64(0, l0, lInf, n.Epsilon, n.Delta)
		return exact + int64(math.Round(x)), err
	}
	b, err := scale(n)
	if err != nil {
		return 0, err
	}
	x, err := r.bits.Draw(b)
	return exact + x, err
}

// scale is that of Laplace noise, as a fraction.
func scale(n mechanism.Noise) (laplace.Scale, error) {
	sensitivity, epsilon, over := n.Fraction()
	b, err := laplace.NewScale(sensitivity, epsilon)
	if err != nil {
		return b, err
	}
	return b.Over(over)
}
