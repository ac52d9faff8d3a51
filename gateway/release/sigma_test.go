package release

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/differential-privacy/go/v3/noise"

	"sluice/policy/mechanism"
)

// TestSigmaIsTheLibrarys: the sigma that is computed from a decision, and said, is that of
// the library which draws, to the last bit, over all that a decision may say and beyond.
func TestSigmaIsTheLibrarys(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	between := func(low, high float64) float64 { // evenly on a logarithmic scale
		return math.Exp(math.Log(low) + rnd.Float64()*math.Log(high/low))
	}
	for range 20_000 {
		n := mechanism.Noise{
			Gaussian: true, Bound: int64(between(1, 1e12)), Pairs: int64(between(1, 1e5)),
			Parts: int64(between(1, 100)), Rest: rnd.IntN(2) == 0,
			Epsilon: between(1e-6, 100), Delta: between(1e-300, 1),
		}
		l0, lInf := n.Sensitivities()
		if want := noise.SigmaForGaussian(l0, lInf, n.Epsilon, n.Delta); n.Scale() != want {
			t.Fatalf("%+v: sigma is said to be %v; %v is drawn", n, n.Scale(), want)
		}
	}
}
