// Package classes cuts what a measure can be into a few classes with round bounds, for the
// colours of a map. Bounds depend on the lowest and the highest number of all time and on
// limits, not on what is shown, so that a colour means the same at every hour.
package classes

import (
	"math"
	"slices"
)

// most is how many classes there are at most, before limits are bounds of them, too.
const most = 5

// Scale is a number of classes. The n-th is from its n-th to its next bound, the upper one
// excluded but for the last; what is outside of all is in the first or the last.
type Scale struct {
	// Bounds are one more than classes, in order.
	Bounds []float64
	// Step is the distance of the round bounds, for writing them.
	Step float64
}

// Of makes a scale for numbers from low to high. A limit is a bound where it is not far from
// them. Numbers that are not close to each other are shown from zero on.
func Of(low, high float64, limits []float64) Scale {
	if !(low <= high) || math.IsInf(low, 0) || math.IsInf(high, 0) {
		low, high = 0, 0
	}
	near := slices.DeleteFunc(slices.Clone(limits), func(l float64) bool {
		return !(l > 0 && l <= 3*high && l >= low/3) // also what is no number
	})
	for _, l := range near {
		low, high = min(low, l), max(high, l)
	}
	if low > 0 && low < high/2 {
		low = 0
	}
	step := 1.0
	if high > low {
		step = round((high - low) / most)
	} else if high != 0 {
		step = round(math.Abs(high) / most)
	}
	first := math.Floor(low/step + 1e-9)
	for first*step+most*step < high*(1-1e-12) {
		step = round(step * 1.01)
		first = math.Floor(low/step + 1e-9)
	}
	s := Scale{Step: step}
	for n := first; ; n++ {
		s.Bounds = append(s.Bounds, n*step)
		if n > first && n*step >= high {
			break
		}
	}
	for _, l := range near {
		s.include(l)
	}
	return s
}

// include makes a limit a bound: in the place of an inner one that is near, else beside.
func (s *Scale) include(limit float64) {
	at, found := slices.BinarySearch(s.Bounds, limit)
	if found || at == 0 || at == len(s.Bounds) {
		return
	}
	s.Step = min(s.Step, least(limit))
	for _, n := range []int{at, at - 1} {
		if n > 0 && n < len(s.Bounds)-1 && math.Abs(s.Bounds[n]-limit) < s.width()/2 {
			s.Bounds[n] = limit
			return
		}
	}
	s.Bounds = slices.Insert(s.Bounds, at, limit)
}

// width is that of a class without limits.
func (s *Scale) width() float64 { return s.Bounds[len(s.Bounds)-1] / float64(len(s.Bounds)-1) }

// least is a power of ten of which a limit is a multiple.
func least(v float64) float64 {
	for _, unit := range []float64{100, 10, 1, 0.1, 0.01} {
		if n := v / unit; math.Abs(n-math.Round(n)) < 1e-9 {
			return unit
		}
	}
	return 0.001
}

// Len is how many classes there are.
func (s Scale) Len() int { return len(s.Bounds) - 1 }

// Class is the class of a number, from 0 on.
func (s Scale) Class(v float64) int {
	at, found := slices.BinarySearch(s.Bounds, v)
	if !found {
		at--
	}
	return max(0, min(at, s.Len()-1))
}

// Shade spreads a class over so many colours, so that the first is the palest and the last
// the strongest.
func (s Scale) Shade(class, colours int) int {
	if s.Len() < 2 {
		return colours / 2
	}
	return int(math.Round(float64(class) * float64(colours-1) / float64(s.Len()-1)))
}

// round is the next of 1, 2, 5 and 10 times a power of ten.
func round(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if v <= n*power*(1+1e-9) {
			return n * power
		}
	}
	return 10 * power
}
