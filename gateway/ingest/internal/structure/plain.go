package structure

import (
	"slices"
	"strings"
)

// maxKey is how long a key is that is shown, in bytes.
const maxKey = 32

// symbols are what is measured and has a digit in its name.
var symbols = []string{"pm1", "pm2", "pm4", "pm10", "pm25", "co2", "no2", "o3", "so2", "nh3", "h2s", "ch4", "m3",
	"l10", "l50", "l90", "l95", "v1", "v2", "v3"}

// Plain reports whether a key looks like the name of a field: at most 32 letters, digits, _ - and
// dots, of which
//
//   - no more than three are digits, at the end of a word of four letters or more or of a symbol
//     (pm25), or one alone (temperature_1): so no number, date or plate;
//   - no word, nor all of it together, is hexadecimal of four or more, and no six in a row are:
//     so no part of an address;
//   - letters are not mixed as in base64, and no word of six or more lacks a vowel.
func Plain(key string) bool {
	foreign := func(r rune) bool { return !letter(r) && !digit(r) && !divides(r) }
	if len(key) > maxKey || strings.ContainsFunc(key, foreign) {
		return false
	}
	words := strings.FieldsFunc(key, divides)
	joined := strings.Join(words, "")
	if !strings.ContainsFunc(joined, letter) || len(joined) >= 4 && hexadecimal(joined) || longestHex(joined) >= 6 ||
		mixed(joined) {
		return false
	}
	digits, meant := 0, false
	for _, word := range words {
		n, means, ok := read(word)
		if !ok {
			return false
		}
		digits, meant = digits+n, meant || means
	}
	return digits == 0 || digits <= 3 && meant
}

// read reports whether a word of a key may be shown, how many digits are at its end, and whether it
// means something, so that a digit may be beside it.
func read(word string) (digits int, means, ok bool) {
	letters := strings.TrimRightFunc(word, digit)
	symbol := slices.Contains(symbols, strings.ToLower(word))
	switch digits = len(word) - len(letters); {
	case strings.ContainsFunc(letters, digit): // in the middle
	case len(word) >= 4 && hexadecimal(word), voiceless(letters):
	case digits > 2, letters == "" && digits > 1:
	case digits > 0 && letters != "" && len(letters) < 4 && !symbol:
	default:
		return digits, symbol || len(letters) >= 4, true
	}
	return digits, false, false
}

func letter(r rune) bool  { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
func digit(r rune) bool   { return r >= '0' && r <= '9' }
func divides(r rune) bool { return r == '_' || r == '-' || r == '.' }

func hex(r rune) bool { return digit(r) || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F' }

func hexadecimal(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return !hex(r) })
}

// longestHex is how many hexadecimal digits are in a row.
func longestHex(text string) (longest int) {
	n := 0
	for _, r := range text {
		if n++; !hex(r) {
			n = 0
		}
		longest = max(longest, n)
	}
	return longest
}

// mixed reports whether small and capital letters change as they hardly do in camelCase: too often,
// or with several capitals more than once.
func mixed(text string) bool {
	changes, several := 0, 0
	small := func(i int) bool { return i >= 0 && text[i] >= 'a' && text[i] <= 'z' }
	capital := func(i int) bool { return i < len(text) && text[i] >= 'A' && text[i] <= 'Z' }
	for i := range len(text) {
		if capital(i) && small(i-1) {
			changes++
		}
		if capital(i) && capital(i+1) && (i == 0 || small(i-1)) {
			several++
		}
	}
	return changes > 1 && 4*changes > len(text) || changes > 0 && several > 1
}

// voiceless reports whether a word is one that nobody can say.
func voiceless(word string) bool { return len(word) >= 6 && !strings.ContainsAny(word, "aeiouyAEIOUY") }
