package explain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/locales"
)

// Languages in which texts can be had, English first.
var Languages = locales.Languages[:]

// Lang is one of Languages.
type Lang int

// ParseLang reads a language such as ca, ca_ES.UTF-8, ca@valencia or es-ES; English where it
// is none of ours.
func ParseLang(s string) Lang {
	l, _ := Understand(s)
	return l
}

// Understand reads a language with or without its region, as POSIX locales and BCP 47 write
// it, and reports whether it is one of ours.
func Understand(s string) (Lang, bool) {
	for i, l := range Languages {
		if len(s) >= 2 && strings.EqualFold(s[:2], l) && (len(s) == 2 || strings.ContainsRune("_-.@", rune(s[2]))) {
			return Lang(i), true
		}
	}
	return 0, false
}

func (l Lang) String() string { return Languages[l] }

// Title picks the title in this language, or the nearest there is.
func (l Lang) Title(t map[string]string) string {
	for _, lang := range append([]string{l.String()}, Languages...) {
		if t[lang] != "" {
			return t[lang]
		}
	}
	best := ""
	for lang := range t {
		if best == "" || lang < best {
			best = lang
		}
	}
	return t[best]
}

// Number is a number without needless digits, with this language's decimal mark.
func (l Lang) Number(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if f != 0 && (math.Abs(f) < 1e-3 || math.Abs(f) >= 1e9) {
		s = strconv.FormatFloat(f, 'g', -1, 64)
	}
	if l != 0 {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

// Date is a day in words, e.g. 1 December 2026.
func (l Lang) Date(d civil.Date) string {
	if d.Month < 1 || d.Month > 12 {
		return "-"
	}
	return locales.In(int(l)).Say("explain.date", d.Day, say(l, "month-names."+strconv.Itoa(d.Month)), d.Year)
}

// Period is a length of time in words, e.g. 1 hour.
func (l Lang) Period(p civil.Period) string {
	var parts []string
	add := func(n int, unit string) {
		if n != 0 {
			local := locales.In(int(l))
			parts = append(parts, fmt.Sprintf("%d %s", n, local.Say(local.Form("explain.span."+unit, n))))
		}
	}
	add(p.Years, "year")
	add(p.Months, "month")
	add(p.Days, "day")
	add(int(p.Clock/time.Hour), "hour")
	add(int(p.Clock%time.Hour/time.Minute), "minute")
	add(int(p.Clock%time.Minute/time.Second), "second")
	return l.List(parts)
}

// Each is a Period after "every": hour, 15 minutes.
func (l Lang) Each(p civil.Period) string { return strings.TrimPrefix(l.Period(p), "1 ") }

// List joins words: a, b and c.
func (l Lang) List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	and := " " + say(l, "and") + " "
	last := words[len(words)-1]
	if l.String() == "es" && (strings.HasPrefix(last, "i") || strings.HasPrefix(last, "hi")) {
		and = " e "
	}
	return strings.Join(words[:len(words)-1], ", ") + and + last
}

// One and Many are the unit of privacy in words; a word of the city's own stays
// as it is.
func (l Lang) One(unit string) string {
	if word, ok := locales.In(int(l)).Text("explain.unit." + unit + ".one"); ok {
		return word
	}
	return unit
}

// Many is the plural of One.
func (l Lang) Many(unit string) string {
	if word, ok := locales.In(int(l)).Text("explain.unit." + unit + ".other"); ok {
		return word
	}
	return unit + "s"
}

// Gender picks the form of a word that agrees with a unit: masculine, or feminine.
func (l Lang) Gender(unit, he, she string) string {
	if g, _ := locales.In(int(l)).Text("explain.unit." + unit + ".gender"); g == "f" {
		return she
	}
	return he
}
