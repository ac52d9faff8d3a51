// Package i18n writes sentences, numbers, units and dates in Catalan, Spanish and English.
// The key of a sentence is its English text; translations are in package locales, in
// ca/pages.yaml and es/pages.yaml, and for the clerk's verbs in clerk.yaml. Numbers and
// plurals are formatted by golang.org/x/text; it has no dates, so their words are in
// dates.yaml.
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

// Localizer writes one language. It is safe for concurrent use.
type Localizer struct {
	// Code is ca, en or es.
	Code     string
	local    *locales.Localizer
	printer  *message.Printer
	calendar calendar
	// retellings is made on first use.
	retellings func() []retelling
}

// localizers are made on first use.
var localizers = func() map[string]func() *Localizer {
	all := make(map[string]func() *Localizer)
	for i, code := range locales.Languages {
		all[code] = sync.OnceValue(func() *Localizer { return newLocalizer(code, locales.In(i)) })
	}
	return all
}()

// In returns the localizer of a language, by its code.
func In(code string) *Localizer { return localizers[code]() }

// Localizers returns the localizer of each language, by code.
func Localizers() map[string]*Localizer {
	out := make(map[string]*Localizer)
	for _, code := range Codes {
		out[code] = In(code)
	}
	return out
}

func newLocalizer(code string, local *locales.Localizer) *Localizer {
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
	return &Localizer{
		code, local, message.NewPrinter(tag, message.Catalog(book)), newCalendar(local),
		sync.OnceValue(func() []retelling { return retellings(local) }),
	}
}

// selectors returns plural forms as package plural takes them, "other" last.
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
func (l *Localizer) Say(english string, parts ...any) string {
	return l.printer.Sprintf(english, parts...)
}

// Number shows a value with at most one decimal; of less than one, two digits.
func (l *Localizer) Number(v float64) string {
	digits := 1
	if a := math.Abs(v); a > 0 && a < 1 {
		digits = max(1, 1-int(math.Floor(math.Log10(a))))
	}
	return l.printer.Sprint(number.Decimal(v, number.MaxFractionDigits(min(digits, 12))))
}

// Amount is a value of a unit: a share as so many of a hundred.
func (l *Localizer) Amount(v float64, unit string) string {
	if unit == "share" {
		return l.Number(100*v) + " %"
	}
	return l.Number(v)
}

// Tick shows a value on a scale whose steps are so long: with as many decimals as
// the step has.
func (l *Localizer) Tick(v, step float64) string {
	digits := 0
	for ; digits < 12; digits++ {
		if n := step * math.Pow10(digits); math.Abs(n-math.Round(n)) < 1e-6*n {
			break
		}
	}
	return l.printer.Sprint(number.Decimal(v, number.Scale(digits)))
}

// Unit is a unit of measurement in words that fit a number of it.
func (l *Localizer) Unit(unit string, v float64) string {
	if _, ok := l.local.Sentences("pages")["unit "+unit]; ok {
		n := 2
		if math.Abs(v) == 1 {
			n = 1
		}
		return l.printer.Sprintf("unit "+unit, n)
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
func (l *Localizer) Each(unit string) string { return l.Unit(unit, 1) }

// Title picks from a text by language the one that is spoken, else the next best,
// and says in which language that is.
func (l *Localizer) Title(by map[string]string) (text, code string) {
	for _, c := range append([]string{l.Code}, "en", "ca", "es") {
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
func (l *Localizer) Every(period string, length time.Duration) string {
	switch {
	case period == "P1D":
		return l.Say("every day")
	case length == time.Hour:
		return l.Say("every hour")
	case length%time.Hour == 0:
		return l.printer.Sprintf("every %d hours", int(length/time.Hour))
	case length%time.Minute == 0:
		return l.printer.Sprintf("every %d minutes", int(length/time.Minute))
	}
	return l.Say("every %s", length.String())
}

// Known reports whether a code is one of the languages.
func Known(code string) bool { return slices.Contains(Codes, code) }
