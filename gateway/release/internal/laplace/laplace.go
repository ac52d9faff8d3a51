// Package laplace draws from the discrete Laplace distribution exactly: with
// integers and random bits, and without a floating-point number or a rounding
// anywhere.
//
// P(X = x) = (1-a)/(1+a) a^|x| for every whole x, with a = exp(-1/b) and b = t/s a
// fraction.
//
// Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential
// Privacy" (NeurIPS 2020), section 5: algorithm 2 for the Laplace distribution,
// algorithm 1 for Bernoulli variables of probability exp(-x), both with a proof that
// what they return has exactly that distribution.
package laplace

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Scale is b = t/s of the distribution, exactly.
type Scale struct {
	t wide
	s uint64
}

// mostT is how many bits t may have, so that u + t v of 192 bits cannot overflow.
const mostT = 127

// NewScale is sensitivity / epsilon. Epsilon is taken for the decimal number that
// people write for it, which is the shortest that reads back as the same float64:
// 0.1 is a tenth.
func NewScale(sensitivity int64, epsilon float64) (Scale, error) {
	if sensitivity < 1 || !(epsilon > 0) || math.IsInf(epsilon, 1) {
		return Scale{}, errors.New("a scale needs a sensitivity of at least 1 and an epsilon above 0")
	}
	// One digit, a point, at most sixteen more, and an exponent.
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(epsilon, 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	s, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return Scale{}, err
	}
	power, err := strconv.Atoi(exponent)
	if err != nil {
		return Scale{}, err
	}
	out := Scale{t: wide{lo: uint64(sensitivity)}, s: s}
	for power -= len(digits) - 1; power < 0; power++ {
		if !out.t.grow() {
			return Scale{}, errors.New("epsilon is too small for this sensitivity")
		}
	}
	for ; power > 0; power-- {
		hi, lo := bits.Mul64(out.s, 10)
		if hi > 0 {
			return Scale{}, errors.New("epsilon is too large")
		}
		out.s = lo
	}
	return out, nil
}

// Over is the scale divided by a whole number.
func (b Scale) Over(n uint64) (Scale, error) {
	hi, lo := bits.Mul64(b.s, n)
	if hi > 0 || lo == 0 {
		return Scale{}, errors.New("a scale cannot be divided by so much")
	}
	b.s = lo
	return b, nil
}

// Draw returns a sample of scale b, modulo 2^64, which leaves every sample as it is
// with a magnitude below 2^63. It fails only where its source of bits does.
//
// It needs less than five tries on average, whatever the scale is, and each takes a
// few dozen random bits and as many as t has. The time that it takes depends on
// what is drawn.
func (s *Source) Draw(b Scale) (int64, error) {
	for s.err == nil {
		// u and v are such that u + t v is geometric with a success probability of
		// 1 - exp(-1/t); divided by s and cut, of 1 - exp(-s/t).
		u := s.below(b.t)
		if !s.decays(u, b.t) {
			continue
		}
		v := uint64(0)
		for s.decays(wide{lo: 1}, wide{lo: 1}) {
			v++
		}
		y, zero := b.steps(u, v)
		negative := s.below(wide{lo: 2}).lo == 1
		switch {
		case negative && zero:
			// Nothing has two signs: otherwise it would come twice as often.
		case negative:
			return -int64(y), s.err
		default:
			return int64(y), s.err
		}
	}
	return 0, s.err
}

// decays is true with a probability of exactly exp(-p/q), for p of at most q.
//
// A run of successes whose k-th one has the probability (p/q)/k is as long as k or
// longer with a probability of (p/q)^k/k!. It ends after an even number of them
// with the alternating sum of these, which is the series of exp(-p/q).
func (s *Source) decays(p, q wide) bool {
	for k := uint64(1); s.err == nil; k++ {
		// Of p/q and of 1/k, independently.
		if !s.below(q).less(p) || s.below(wide{lo: k}).lo != 0 {
			return k%2 == 1
		}
	}
	return false
}

// steps is (u + t v) / s, cut to a whole number: its lowest 64 bits, and whether it
// is 0.
func (b Scale) steps(u wide, v uint64) (low uint64, zero bool) {
	over, middle := bits.Mul64(b.t.hi, v)
	carry, last := bits.Mul64(b.t.lo, v)
	middle, c := bits.Add64(middle, carry, 0)
	over += c
	last, c = bits.Add64(last, u.lo, 0)
	middle, c = bits.Add64(middle, u.hi, c)
	over += c
	top, rest := over/b.s, over%b.s
	mid, rest := bits.Div64(rest, middle, b.s)
	low, _ = bits.Div64(rest, last, b.s)
	return low, top|mid|low == 0
}

// wide is a whole number of 128 bits.
type wide struct{ hi, lo uint64 }

func (w wide) less(o wide) bool { return w.hi < o.hi || w.hi == o.hi && w.lo < o.lo }

func (w wide) bits() int {
	if w.hi > 0 {
		return 64 + bits.Len64(w.hi)
	}
	return bits.Len64(w.lo)
}

// grow makes it ten times as large, where it may be.
func (w *wide) grow() bool {
	carry, lo := bits.Mul64(w.lo, 10)
	over, hi := bits.Mul64(w.hi, 10)
	hi, c := bits.Add64(hi, carry, 0)
	out := wide{hi, lo}
	if over+c > 0 || out.bits() > mostT {
		return false
	}
	*w = out
	return true
}
