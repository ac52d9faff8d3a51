// Package names has the one form of names that decisions, kinds, zones and gateways have, the
// form of the words that people read instead of one, and says which text shows all that it
// holds.
package names

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/internal/pattern"
)

var form = pattern.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Form says what Valid accepts, for errors.
const Form = "1 to 63 letters, digits and . _ -, with a letter or digit first"

// Valid reports whether a text is a name as decisions, kinds, zones and gateways
// have them: one form, which looks the same in every font and is harmless in
// paths, topics, addresses and terminals.
func Valid(s string) bool { return form.MatchString(s) }

// Visible reports whether a text shows all that it holds, in the order in which it
// is written: no control, invisible or direction-changing characters. Members sign
// texts that quote it.
func Visible(s string) bool {
	at, _ := Hidden(s)
	return at < 0
}

// Hidden is the first character of a text that shows nothing or turns the writing round, and
// the byte that it begins at; -1 where there is none.
func Hidden(s string) (at int, r rune) {
	for i, r := range s {
		if unicode.IsControl(r) || r == utf8.RuneError ||
			unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point) {
			return i, r
		}
	}
	return -1, 0
}

// MaxWords bounds the words for one id in one language, in characters.
const MaxWords = 80

var language = pattern.New(`^[a-z]{2,3}$`)

// CheckWords says what is wrong with the words that people read instead of a name, by
// language: {ca: "Sonòmetre", en: "Noise meter", es: "Sonómetro"}. None are fine.
func CheckWords(words map[string]string) error {
	for _, lang := range slices.Sorted(maps.Keys(words)) {
		text := words[lang]
		switch {
		case !language.MatchString(lang):
			return errors.New("a language is two or three small letters, such as ca")
		case !utf8.ValidString(text) || !Visible(text):
			return fmt.Errorf("in %s: it has a character that shows nothing", lang)
		case !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
			return fmt.Errorf("in %s: it says nothing", lang)
		case utf8.RuneCountInString(text) > MaxWords:
			return fmt.Errorf("in %s: it is longer than %d characters", lang, MaxWords)
		}
	}
	return nil
}
