// Package wide adds up whole numbers without an end.
package wide

import "math/bits"

// Int is a sum of int64s, in 128 bits: it neither wraps round nor stops at an end, so that the
// order in which its addends come cannot matter. It is of at most 2^63 addends.
type Int struct {
	High int64
	Low  uint64
}

// Add adds a number.
func (w *Int) Add(v int64) { w.AddInt(Int{v >> 63, uint64(v)}) }

// AddInt adds a sum.
func (w *Int) AddInt(v Int) {
	var carry uint64
	w.Low, carry = bits.Add64(w.Low, v.Low, 0)
	w.High += v.High + int64(carry)
}

// Clamped is the sum, or the nearer of the two ends where it lies beyond.
func (w Int) Clamped(low, high int64) int64 {
	v := int64(w.Low)
	switch {
	case w.High != v>>63 && w.High < 0:
		return low
	case w.High != v>>63:
		return high
	}
	return min(high, max(low, v))
}

// Over is the sum divided by a number of its addends, all of them at least 0, rounded to
// the nearest whole number. A mean is no greater than the greatest addend, so it fits.
func (w Int) Over(n int64) int64 {
	if n <= 0 {
		return 0
	}
	low, carry := bits.Add64(w.Low, uint64(n)/2, 0)
	mean, _ := bits.Div64(uint64(w.High)+carry, low, uint64(n))
	return int64(mean)
}
