// Package chance is the statistics of tests of noise: whether what was drawn is likely
// enough, and the two noises by their definitions, apart from the product's own arithmetic.
package chance

import (
	"math"
	"slices"
)

// surprise is how many nats of evidence against a right mechanism make a test fail:
// each question of this package is answered wrongly with a probability of at most 4
// e^-25.3 = 4.2 10^-11. The tests of a package ask less than 5,000 of them, so
// that one run in five million fails although nothing is wrong.
const surprise = 25.3

// Fits reports whether k of n is likely enough for a probability p.
// Source: Hoeffding, J. Amer. Statist. Assoc. 58 (1963), theorem 1.
func Fits(k, n int, p float64) bool {
	q, sum := float64(k)/float64(n), 0.0
	if q > 0 {
		sum += q * math.Log(q/p)
	}
	if q < 1 {
		sum += (1 - q) * math.Log((1-q)/(1-p))
	}
	return float64(n)*sum < surprise
}

// Often reports whether k of n is likely enough for a probability of at least p.
func Often(k, n int, p float64) bool { return float64(k) >= p*float64(n) || Fits(k, n, p) }

// Alike reports whether two samples are likely enough to be of one distribution,
// whatever it is. It sorts them.
// Source: Massart, "The tight constant in the Dvoretzky-Kiefer-Wolfowitz
// inequality", Ann. Probab. 18 (1990), for each of the two.
func Alike(a, b []float64) bool {
	slices.Sort(a)
	slices.Sort(b)
	n, m := float64(len(a)), float64(len(b))
	most, j := 0.0, 0
	for i, v := range a {
		if i+1 < len(a) && a[i+1] == v {
			continue
		}
		for j < len(b) && b[j] < v {
			j++
		}
		first, _ := slices.BinarySearch(a, v)
		most = max(most, math.Abs(float64(first)/n-float64(j)/m)) // below v
		for j < len(b) && b[j] == v {
			j++
		}
		most = max(most, math.Abs(float64(i+1)/n-float64(j)/m)) // up to v
	}
	return most < math.Sqrt(surprise/2/n)+math.Sqrt(surprise/2/m)
}
