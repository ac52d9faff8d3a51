// Package jsontext writes values as the JSON that fastjson reads: what comes in other formats
// becomes that, so that one parser, and one set of rules, reads them all. It appends to
// buffers that are used again, and allocates nothing itself.
package jsontext

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendText writes what is between the quotation marks of a text, and reports whether it is
// UTF-8. A text has one spelling here: two are the same where their spellings are.
func AppendText(out, text []byte) ([]byte, bool) {
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

// AppendFloat writes a number so that nothing of it is lost, in as few digits as that takes.
// NaN and infinities are nan, inf and -inf, which fastjson takes for numbers; no field does.
// It loses the last place of many numbers that have an exponent: what is neither large nor
// small has none.
func AppendFloat(out []byte, f float64) []byte {
	size := math.Abs(f)
	switch {
	case math.IsNaN(f):
		return append(out, "nan"...)
	case math.IsInf(f, 1):
		return append(out, "inf"...)
	case math.IsInf(f, -1):
		return append(out, "-inf"...)
	case f == math.Trunc(f) && size < 1<<53 && f != 0:
		return strconv.AppendInt(out, int64(f), 10)
	case size >= 1e-6 && size < 1e15:
		return strconv.AppendFloat(out, f, 'f', -1, 64)
	}
	return strconv.AppendFloat(out, f, 'g', -1, 64)
}
