package decision

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"

	"sluice/internal/civil"
	"sluice/internal/names"
	"sluice/internal/yamldoc"

	"sluice/internal/pattern"
)

// Suspension stops one decision at once, until the council lifts it.
type Suspension struct {
	Decision string `yaml:"decision" json:"decision"`
	// Since is the first day, where the council says it.
	Since  civil.Date `yaml:"since" json:"since"`
	Reason Words      `yaml:"reason" json:"reason"`
}

// ParseSuspended reads suspended.yaml.
func ParseSuspended(name string, raw []byte) ([]Suspension, error) {
	var file struct {
		Suspended []Suspension `yaml:"suspended"`
	}
	if err := yamldoc.Decode(name, raw, &file); err != nil {
		return nil, err
	}
	for _, s := range file.Suspended {
		if s.Decision == "" || len(s.Reason) == 0 || s.Reason.none() {
			return nil, errors.New(name + ": a suspension needs the decision's id and a reason")
		}
	}
	return file.Suspended, nil
}

// Words are a text for residents: one whose language is not said, or one for each of
// some languages.
//
//	reason: A sensor was tampered with
//	reason: {ca: Un sensor ha estat manipulat, en: A sensor was tampered with}
type Words map[string]string

// Unsaid is the key of a text whose language is not said.
const Unsaid = ""

// MaxWords bounds a text for residents, in characters.
const MaxWords = 500

var langPattern = pattern.New(`^[a-z]{2,3}$`)

// UnmarshalYAML reads either form. What several languages say is held against Fault;
// one text alone is not, since motions of old that are in force have it.
func (w *Words) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*w = Words{Unsaid: one}
		return nil
	}
	var by map[string]string
	if unmarshal(&by) != nil {
		return errors.New(`a text is wanted here, or one for each language: {ca: "...", en: "...", es: "..."}`)
	}
	for _, lang := range slices.Sorted(maps.Keys(by)) {
		if !langPattern.MatchString(lang) {
			return errors.New("a language is two or three small letters, such as ca")
		}
		if fault := Fault(by[lang]); fault != "" {
			return fmt.Errorf("in %s: it %s", lang, fault)
		}
	}
	*w = by
	return nil
}

// MarshalJSON writes the form that was read.
func (w Words) MarshalJSON() ([]byte, error) {
	if one, ok := w.One(); ok {
		return json.Marshal(one)
	}
	return json.Marshal(map[string]string(w))
}

// One is the text where it is one alone, whose language is not said.
func (w Words) One() (text string, ok bool) {
	text, ok = w[Unsaid]
	return text, ok && len(w) == 1
}

// none reports whether the text is empty in every language.
func (w Words) none() bool {
	for _, text := range w {
		if text != "" {
			return false
		}
	}
	return true
}

// fit reports whether the text has at most so many characters, all visible, in every language.
func (w Words) fit(most int) bool {
	for _, text := range w {
		if text == "" || utf8.RuneCountInString(text) > most || !names.Visible(text) {
			return false
		}
	}
	return true
}

// Best is the text in the language that is wanted, else in English, else in the first
// language that there is, and which that is.
func (w Words) Best(lang string) (text, in string) {
	for _, l := range append([]string{lang, "en"}, slices.Sorted(maps.Keys(w))...) {
		if w[l] != "" {
			return w[l], l
		}
	}
	return "", Unsaid
}

// Fault is why a text cannot stand on a page for residents; empty where it can. It
// ends a sentence that begins with what the text is.
func Fault(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case !spoken(text):
		return "says nothing"
	case utf8.RuneCountInString(text) > MaxWords:
		return fmt.Sprintf("is longer than %d characters", MaxWords)
	}
	for _, r := range text {
		// Cc are control characters; Cf show nothing, and some of them turn the writing around.
		if unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) && r != '\u200d' || r == '\u2028' || r == '\u2029' {
			return "has a line break or a character that shows nothing"
		}
	}
	return ""
}

// spoken reports whether a text has a letter or a digit.
func spoken(text string) bool {
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return true
		}
	}
	return false
}
