package format

import (
	"unicode"
	"unicode/utf8"
)

// Canonical forms of identifiers. One device that two vendors spell differently would be
// two units, with twice the contributions of one. Each form has one spelling, which is
// made in place, since none is longer than what was sent:
//
//	mac48  EUI-48 (IEEE 802): 12 hexadecimal digits, in groups with : - or . between
//	eui64  EUI-64: 16 hexadecimal digits, the same
//	uuid   RFC 9562: 8-4-4-4-12 hexadecimal digits, with or without the hyphens
//	plate  a vehicle's: 1 to 16 letters and digits, case and blanks - . between them aside
//
// What does not parse is refused. Any other form leaves a text as it is.
func canonical(form string, b []byte) ([]byte, bool) {
	switch form {
	case "mac48":
		return hexDigits(b, 12, ":-.")
	case "eui64":
		return hexDigits(b, 16, ":-.")
	case "uuid":
		if len(b) != 32 && (len(b) != 36 || b[8] != '-' || b[13] != '-' || b[18] != '-' || b[23] != '-') {
			return nil, false
		}
		return hexDigits(b, 32, "-")
	case "plate":
		return plate(b)
	}
	return b, true
}

// hexDigits keeps n hexadecimal digits, in lower case. What separates them is one of a
// kind, between whole groups of equal length.
func hexDigits(b []byte, n int, separators string) ([]byte, bool) {
	out, between, group, run := b[:0], byte(0), 0, 0
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
			out, run = append(out, c), run+1
		case c >= 'A' && c <= 'F':
			out, run = append(out, c|0x20), run+1
		default:
			known := false
			for k := range len(separators) {
				known = known || separators[k] == c
			}
			if !known || between != 0 && c != between || run == 0 || i == len(b)-1 {
				return nil, false
			}
			if n != 32 && group != 0 && run != group { // a UUID's groups differ
				return nil, false
			}
			between, group, run = c, run, 0
		}
	}
	return out, len(out) == n && (group == 0 || n == 32 || run == group)
}

// plate keeps letters and digits, in upper case where that takes no more room.
func plate(b []byte) ([]byte, bool) {
	out, n := b[:0], 0
	for at := 0; at < len(b); {
		r, size := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && size <= 1 {
			return nil, false
		}
		at += size
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if up := unicode.ToUpper(r); utf8.RuneLen(up) <= size {
				r = up
			}
			out = utf8.AppendRune(out, r)
			n++
		case r == ' ' || r == '-' || r == '.' || r == '\u00b7':
		default:
			return nil, false
		}
	}
	return out, n >= 1 && n <= 16
}
