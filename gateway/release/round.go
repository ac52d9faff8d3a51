package release

import (
	"math"

	"sluice/plan"
)

// digits is how many parts of its range a mean is told in: more of it is the division's, and
// not the sensors'.
const digits = 1e5

// resolution is the step in which a mean or a level of a range is told: a power of ten, at most
// the range's hundred-thousandth. Of a range below a tenth, or of none, it is 0, for as it is:
// readings are held in millionths.
func resolution(x plan.Measure) float64 {
	low, high := x.Bounds()
	span := float64(high-low) / plan.Fixed
	if !(span >= digits/plan.Fixed) || math.IsInf(span, 0) {
		return 0
	}
	return math.Pow(10, math.Floor(math.Log10(span/digits)+1e-9))
}

// rounded is the estimate as it is released. What is known exactly is rounded once, to the
// nearest; an interval goes outwards, so that it holds what it held, and not beyond the range.
func (e estimate) rounded(x plan.Measure) estimate {
	step := resolution(x)
	if step == 0 {
		return e
	}
	low, high := x.Bounds()
	at := func(v float64, to func(float64) float64) float64 {
		if step < 1 { // a quotient of whole numbers is the decimal number that is nearest
			v = to(v*math.Round(1/step)) / math.Round(1/step)
		} else {
			v = to(v/step) * step
		}
		return max(float64(low)/plan.Fixed, min(float64(high)/plan.Fixed, v))
	}
	if e.low == e.high {
		v := at(e.value, math.Round)
		return estimate{v, v, v}
	}
	return estimate{at(e.value, math.Round), at(e.low, math.Floor), at(e.high, math.Ceil)}
}
