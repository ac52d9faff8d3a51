package cbor

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// span is where in the JSON a key is, with its quotation marks.
type span struct{ from, to int }

// fewKeys are compared each with each; more are sorted, so that no map of many keys takes
// long.
const fewKeys = 12

// repeated reports whether two keys of a map are the same. Their order is lost.
func repeated(out []byte, keys []span) bool {
	if len(keys) <= fewKeys {
		for i, a := range keys {
			for _, b := range keys[:i] {
				if a.to-a.from == b.to-b.from && bytes.Equal(out[a.from:a.to], out[b.from:b.to]) {
					return true
				}
			}
		}
		return false
	}
	slices.SortFunc(keys, func(a, b span) int { return bytes.Compare(out[a.from:a.to], out[b.from:b.to]) })
	for i, b := range keys[1:] {
		if a := keys[i]; bytes.Equal(out[a.from:a.to], out[b.from:b.to]) {
			return true
		}
	}
	return false
}

// appendText writes a text between quotation marks, and reports whether it is UTF-8. A text
// has one spelling here, so that keys are the same where their spellings are.
func appendText(out, text []byte) ([]byte, bool) {
	const digits = "0123456789abcdef"
	ascii := 0
	for ascii < len(text) && text[ascii] < utf8.RuneSelf && !escaped(text[ascii]) {
		ascii++
	}
	out, text = append(out, text[:ascii]...), text[ascii:]
	if !utf8.Valid(text) {
		return out, false
	}
	from := 0
	for i, c := range text {
		if !escaped(c) {
			continue
		}
		out = append(out, text[from:i]...)
		if from = i + 1; c < ' ' {
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		} else {
			out = append(out, '\\', c)
		}
	}
	return append(out, text[from:]...), true
}

// escaped reports whether JSON has another spelling for a byte of a text.
func escaped(c byte) bool { return c < ' ' || c == '"' || c == '\\' }

// appendFloat writes a number as fastjson reads it, which takes nan, inf and -inf, and loses
// the last place of many numbers that have an exponent: what is neither large nor small has
// none.
func appendFloat(out []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(out, "nan"...)
	case math.IsInf(f, 1):
		return append(out, "inf"...)
	case math.IsInf(f, -1):
		return append(out, "-inf"...)
	case f == math.Trunc(f) && math.Abs(f) < 1<<53 && f != 0:
		return strconv.AppendInt(out, int64(f), 10)
	case math.Abs(f) >= 1e-6 && math.Abs(f) < 1e15:
		return strconv.AppendFloat(out, f, 'f', -1, 64)
	}
	return strconv.AppendFloat(out, f, 'g', -1, 64)
}

// half is the value of a half-precision number (IEEE 754 binary16; RFC 8949 appendix D).
func half(bits uint16) float64 {
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(fraction, -24)
	case 31:
		f = math.Inf(1)
		if fraction != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(fraction+1024, exponent-25)
	}
	if bits>>15 != 0 {
		f = math.Copysign(f, -1)
	}
	return f
}
