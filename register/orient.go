package register

import (
	"math"

	"github.com/paulmach/orb"
)

// orient says on which side of the line from a to b a point lies: positive for
// left, negative for right, and 0 exactly on it.
//
// Source: J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast
// Robust Geometric Predicates, 1997: a bound on the rounding error first, and the
// exact sum where that does not decide. It is exact for coordinates whose products
// do not underflow, which degrees of a city are far from.
func orient(a, b, p orb.Point) float64 {
	// Conversions keep compilers from fusing products with sums.
	left, right := float64((a[0]-p[0])*(b[1]-p[1])), float64((a[1]-p[1])*(b[0]-p[0]))
	det := left - right
	const bound = (3 + 16*0x1p-53) * 0x1p-53
	if det > 0 && det > bound*(math.Abs(left)+math.Abs(right)) ||
		det < 0 && -det > bound*(math.Abs(left)+math.Abs(right)) {
		return det
	}
	if left == 0 && right == 0 && (a[0] == p[0] || b[1] == p[1]) && (a[1] == p[1] || b[0] == p[0]) {
		return 0
	}
	return exactly(a, b, p)
}

// exactly sums the six products of the determinant without any rounding.
func exactly(a, b, p orb.Point) float64 {
	var sum [12]float64
	n := 0
	for _, term := range [6][2]float64{{a[0], b[1]}, {-a[0], p[1]}, {-p[0], b[1]}, {-a[1], b[0]}, {a[1], p[0]},
		{p[1], b[0]}} {
		high := float64(term[0] * term[1])
		for _, q := range [2]float64{math.FMA(term[0], term[1], -high), high} {
			for i := range n {
				s := q + sum[i]
				v := s - q
				sum[i] = (q - (s - v)) + (sum[i] - v)
				q = s
			}
			sum[n] = q
			n++
		}
	}
	for i := n - 1; i >= 0; i-- {
		if sum[i] != 0 {
			return sum[i]
		}
	}
	return 0
}
