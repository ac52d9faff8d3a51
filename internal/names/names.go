// Package names has the one form of names that decisions, kinds, zones and gateways have, and
// says which text shows all that it holds.
package names

import (
	"regexp"
	"unicode"
	"unicode/utf8"
)

var pattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Form says what Valid accepts, for errors.
const Form = "1 to 63 letters, digits and . _ -, with a letter or digit first"

// Valid reports whether a text is a name as decisions, kinds, zones and gateways
// have them: one form, which looks the same in every font and is harmless in
// paths, topics, addresses and terminals.
func Valid(s string) bool { return pattern.MatchString(s) }

// Visible reports whether a text shows all that it holds, in the order in which it
// is written: no control, invisible or direction-changing characters. Members sign
// texts that quote it.
func Visible(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || r == utf8.RuneError ||
			unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point) {
			return false
		}
	}
	return true
}
