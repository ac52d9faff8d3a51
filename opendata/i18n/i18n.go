// Package i18n says things in Catalan, Spanish and English: sentences, numbers,
// units and dates. A sentence is known by its English text; what it is in the other
// languages stands in package locales, in ca/pages.yaml and es/pages.yaml, and for the
// clerk's verbs in clerk.yaml. Numbers and plurals are those of golang.org/x/text; it has no
// dates, so their few words are in dates.yaml.
package i18n

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
	"golang.org/x/text/number"

	"sluice/internal/locales"
)

// Codes are the languages, in alphabetical order of their own names.
var Codes = []string{"ca", "en", "es"}

// Names are the languages' own.
var Names = map[string]string{"ca": "Català", "en": "English", "es": "Español"}

// tags are in the order of locales.Languages, of which the first is the default.
var tags = func() (list []language.Tag) {
	for _, code := range locales.Languages {
		list = append(list, language.MustParse(code))
	}
	return list
}()

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
	local   *locales.Localizer
	printer *message.Printer
	almanac almanac
	// retellings are made when they are first asked for.
	retellings func() []retelling
}

// speakers are made when they are first asked for.
var speakers = func() map[string]func() *Speaker {
	all := make(map[string]func() *Speaker)
	for i, code := range locales.Languages {
		all[code] = sync.OnceValue(func() *Speaker { return newSpeaker(code, locales.In(i)) })
	}
	return all
}()

// In is the speaker of a language, by its code.
func In(code string) *Speaker { return speakers[code]() }

// Speakers are one for each language, by code.
func Speakers() map[string]*Speaker {
	out := make(map[string]*Speaker)
	for _, code := range Codes {
		out[code] = In(code)
	}
	return out
}

func newSpeaker(code string, local *locales.Localizer) *Speaker {
	book, tag := catalog.NewBuilder(catalog.Fallback(language.English)), language.MustParse(code)
	for _, subject := range []string{"pages", "clerk"} {
		for english, s := range local.Sentences(subject) {
			if s.Forms == nil {
				must(book.SetString(tag, english, s.Text))
				continue
			}
			must(book.Set(tag, english, plural.Selectf(1, "%d", selectors(s.Forms)...)))
		}
	}
	return &Speaker{
		code, local, message.NewPrinter(tag, message.Catalog(book)), newAlmanac(local),
		sync.OnceValue(func() []retelling { return retellings(local) }),
	}
}

// selectors are plural forms as package plural takes them, the one for all others last.
func selectors(forms map[string]string) (list []any) {
	for _, form := range []string{"zero", "one", "two", "few", "many", "other"} {
		if text, ok := forms[form]; ok {
			list = append(list, form, text)
		}
	}
	return list
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
	if _, ok := s.local.Sentences("pages")["unit "+unit]; ok {
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
