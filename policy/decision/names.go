package decision

import (
	"unicode"
	"unicode/utf8"
)

// NameForm says what Name accepts, for errors.
const NameForm = "1 to 63 letters, digits and . _ -, with a letter or digit first"

// Name reports whether a text is a name as decisions, kinds, zones and gateways
// have them: one form, which looks the same in every font and is harmless in
// paths, topics, addresses and terminals.
func Name(s string) bool { return docPattern.MatchString(s) }

// Visible reports whether a text shows all that it holds, in the order in which it
// is written: no control, invisible or direction-changing characters. Members sign
// texts that quote it.
func Visible(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point) {
			return false
		}
	}
	return true
}
