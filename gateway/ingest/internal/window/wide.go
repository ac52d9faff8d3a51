package window

import "math/bits"

// wide is a sum of int64s, in 128 bits: it neither wraps round nor stops at an
// end, so that the order in which its addends come cannot matter.
type wide struct {
	high int64
	low  uint64
}

func (w *wide) add(v int64) {
	var carry uint64
	w.low, carry = bits.Add64(w.low, uint64(v), 0)
	w.high += v>>63 + int64(carry)
}

// clamped is the sum, or the nearer of the two ends where it lies beyond.
func (w wide) clamped(low, high int64) int64 {
	v := int64(w.low)
	switch {
	case w.high != v>>63 && w.high < 0:
		return low
	case w.high != v>>63:
		return high
	}
	return min(high, max(low, v))
}

// over is the sum divided by a number of its addends, all of them at least 0, rounded to
// the nearest whole number. A mean is no greater than the greatest addend, so it fits.
func (w wide) over(n int64) int64 {
	if n <= 0 {
		return 0
	}
	low, carry := bits.Add64(w.low, uint64(n)/2, 0)
	mean, _ := bits.Div64(uint64(w.high)+carry, low, uint64(n))
	return int64(mean)
}
