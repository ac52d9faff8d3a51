// Package words says things in Catalan, Spanish and English: sentences, numbers,
// units and dates. A sentence is known by its English text; what it is in the other
// languages stands in catalan.go and spanish.go, and for the clerk's verbs in
// clerkcatalan.go and clerkspanish.go. Numbers and plurals are those of
// golang.org/x/text; it has no dates, so their few words are here.
package words

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
	"golang.org/x/text/number"
)

// Codes are the languages, in alphabetical order of their own names.
var Codes = []string{"ca", "en", "es"}

// Names are the languages' own.
var Names = map[string]string{"ca": "Català", "en": "English", "es": "Español"}

var tags = []language.Tag{language.English, language.Catalan, language.Spanish} // the first is the default

var matcher = language.NewMatcher(tags)

// Choose picks the language that a reader's Accept-Language prefers.
func Choose(accept string) string {
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) > 32 {
		return "en"
	}
	_, i, _ := matcher.Match(wanted...)
	return tags[i].String()
}

// Speaker speaks one language. It may be used by many at once.
type Speaker struct {
	// Code is ca, en or es.
	Code    string
	printer *message.Printer
	almanac almanac
	// retellings are made when they are first asked for.
	retellings func() []retelling
}

// Speakers are one for each language, by code.
func Speakers() map[string]*Speaker {
	book := catalog.NewBuilder(catalog.Fallback(language.English))
	for code, texts := range map[string]map[string]string{"ca": catalan, "es": spanish} {
		for english, text := range texts {
			must(book.SetString(language.MustParse(code), english, text))
		}
		for english, text := range clerk[code] {
			must(book.SetString(language.MustParse(code), english, text))
		}
	}
	all := maps.Clone(plurals)
	maps.Copy(all, clerkPlurals)
	for key, forms := range all {
		for code, f := range forms {
			must(book.Set(language.MustParse(code), key, plural.Selectf(1, "%d", plural.One, f[0], plural.Other, f[1])))
		}
	}
	out := make(map[string]*Speaker)
	for _, code := range Codes {
		out[code] = &Speaker{
			code, message.NewPrinter(language.MustParse(code), message.Catalog(book)), almanacs[code],
			sync.OnceValue(func() []retelling { return retellings(code) }),
		}
	}
	return out
}

// must is for what is written in this package.
func must(err error) {
	if err != nil {
		panic("words: " + err.Error())
	}
}

// Say is a sentence, known by its English text, with its parts in place.
func (s *Speaker) Say(english string, parts ...any) string {
	return s.printer.Sprintf(english, parts...)
}

// Number shows a value with at most one decimal; of less than one, two digits.
func (s *Speaker) Number(v float64) string {
	digits := 1
	if a := math.Abs(v); a > 0 && a < 1 {
		digits = max(1, 1-int(math.Floor(math.Log10(a))))
	}
	return s.printer.Sprint(number.Decimal(v, number.MaxFractionDigits(min(digits, 12))))
}

// Amount is a value of a unit: a share as so many of a hundred.
func (s *Speaker) Amount(v float64, unit string) string {
	if unit == "share" {
		return s.Number(100*v) + " %"
	}
	return s.Number(v)
}

// Tick shows a value on a scale whose steps are so long: with as many decimals as
// the step has.
func (s *Speaker) Tick(v, step float64) string {
	digits := 0
	for ; digits < 12; digits++ {
		if n := step * math.Pow10(digits); math.Abs(n-math.Round(n)) < 1e-6*n {
			break
		}
	}
	return s.printer.Sprint(number.Decimal(v, number.Scale(digits)))
}

// Unit is a unit of measurement in words that fit a number of it.
func (s *Speaker) Unit(unit string, v float64) string {
	if _, ok := plurals["unit "+unit]; ok {
		n := 2
		if math.Abs(v) == 1 {
			n = 1
		}
		return s.printer.Sprintf("unit "+unit, n)
	}
	switch unit {
	case "ug/m3":
		return "µg/m³"
	case "share":
		return "" // Amount says it
	case "degC", "Cel":
		return "°C"
	}
	return unit
}

// Each is a unit of privacy as in "each device".
func (s *Speaker) Each(unit string) string { return s.Unit(unit, 1) }

// Title picks from a text by language the one that is spoken, else the next best,
// and says in which language that is.
func (s *Speaker) Title(by map[string]string) (text, code string) {
	for _, c := range append([]string{s.Code}, "en", "ca", "es") {
		if by[c] != "" {
			return by[c], c
		}
	}
	for c, t := range by {
		if code == "" || cmp.Less(c, code) {
			text, code = t, c
		}
	}
	return text, code
}

// Every says how often, for an ISO 8601 duration.
func (s *Speaker) Every(period string, length time.Duration) string {
	switch {
	case period == "P1D":
		return s.Say("every day")
	case length == time.Hour:
		return s.Say("every hour")
	case length%time.Hour == 0:
		return s.printer.Sprintf("every %d hours", int(length/time.Hour))
	case length%time.Minute == 0:
		return s.printer.Sprintf("every %d minutes", int(length/time.Minute))
	}
	return s.Say("every %s", length.String())
}

// Known reports whether a code is one of the languages.
func Known(code string) bool { return slices.Contains(Codes, code) }
