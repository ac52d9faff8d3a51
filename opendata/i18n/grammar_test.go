package i18n

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/books"
)

// TestAgreement: each word that agrees has all its forms, and follows the unit's gender
// and number.
func TestAgreement(t *testing.T) {
	s := Localizers()
	for _, key := range s["en"].local.Keys("grammar") {
		unit, isUnit := strings.CutPrefix(key, "grammar.gender.")
		word := strings.ReplaceAll(strings.Split(key, ".")[1], "-", " ")
		switch {
		case isUnit && plurals["unit "+unit].Forms == nil:
			t.Errorf("%s is no unit that pages name", unit)
		case !isUnit && !strings.Contains(pages(t), `"`+word+`"`):
			t.Errorf("no page says %s", word)
		}
	}
	for _, x := range []struct{ lang, word, unit, want string }{
		{"ca", "counted", "card", "comptades"}, {"es", "counted", "card", "contadas"},
		{"en", "counted", "card", "counted"},
		{"ca", "counted", "reading", "comptades"}, {"es", "counted", "reading", "contadas"},
		{"ca", "counted", "home", "comptades"}, {"es", "counted", "home", "contados"},
		{"ca", "counted", "device", "comptats"}, {"es", "counted", "vehicle", "contados"},
		{"ca", "counted", "person", "comptades"},
		{"ca", "about", "card", "unes"}, {"es", "about", "card", "unas"}, {"ca", "about", "device", "uns"},
		{"ca", "too few", "card", "massa poques"},
		{"ca", "measured", "dB(A)", "mesurats"}, {"es", "measured", "ug/m3", "medidos"},
	} {
		if got := s[x.lang].Agree(x.word, x.unit, 2); got != x.want {
			t.Errorf("%s: %s of %s is %q; want %q", x.lang, x.word, x.unit, got, x.want)
		}
	}
	if got := s["ca"].Agree("counted", "card", 1); got != "comptada" {
		t.Errorf("one card is %q", got)
	}
}

// pages are the sources of pages.
func pages(t *testing.T) string {
	t.Helper()
	var all []byte
	for _, pattern := range []string{"../web/*.go", "../web/page/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) < 5 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") {
				all = append(all, raw...)
			}
		}
	}
	return string(all)
}

// TestPlaces: Catalan draws article and preposition together, and leaves names alone that
// only begin like an article.
func TestPlaces(t *testing.T) {
	s := Localizers()
	for _, x := range []struct{ place, at, of string }{
		{"El Port", "al Port", "del Port"}, {"L'Estació", "a l’Estació", "de l’Estació"},
		{"L’Estació", "a l’Estació", "de l’Estació"},
		{"La Rambla", "a la Rambla", "de la Rambla"}, {"Els Encants", "als Encants", "dels Encants"},
		{"Carrer Nou", "a Carrer Nou", "de Carrer Nou"},
		{"Olot", "a Olot", "d’Olot"}, {"Lleida", "a Lleida", "de Lleida"}, {"Lavern", "a Lavern", "de Lavern"},
		{"Elna", "a Elna", "d’Elna"},
		{"La ", "a La ", "de La "}, {"", "a ", "de "}, {"Portalba", "a Portalba", "de Portalba"},
		{"Àger", "a Àger", "d’Àger"},
	} {
		if at, of := s["ca"].At(x.place), s["ca"].Of(x.place); at != x.at || of != x.of {
			t.Errorf("%q: %q and %q; want %q and %q", x.place, at, of, x.at, x.of)
		}
	}
	if got := s["es"].At("El Port") + ", " + s["en"].At("El Port"); got != "en El Port, in El Port" {
		t.Error(got)
	}
}

// TestStanding: each state has a word, a short form with its day where it is known, and a
// sentence; what is in force has none.
func TestStanding(t *testing.T) {
	en := Localizers()["en"]
	for name, x := range map[string]struct {
		st                    books.Standing
		word, short, sentence string
	}{
		"in force":  {books.Standing{State: "in_force", Until: "2026-12-31"}, "in force", "", ""},
		"not known": {books.Standing{}, "", "", ""},
		"coming": {books.Standing{State: "coming", Since: "2026-12-23", Until: "2027-12-31"}, "coming",
			"begins on Wednesday, 23 December 2026", "It begins on Wednesday, 23 December 2026. "},
		"ended": {books.Standing{State: "past", Since: "2026-11-29", Until: "2026-11-28"}, "ended",
			"ended on Saturday, 28 November 2026", "It ended on Saturday, 28 November 2026, its last day. "},
		"ended early": {books.Standing{State: "past", Since: "2026-11-20", Until: "2026-11-28"}, "ended",
			"ended on Friday, 20 November 2026", "It ended on Friday, 20 November 2026, before its last day. "},
		"ended once": {books.Standing{State: "past", Until: "2026-11-28"}, "ended", "ended",
			"It has ended. "},
		"suspended": {books.Standing{State: "suspended", By: "council", Since: "2026-11-26"}, "suspended",
			"suspended since Thursday, 26 November 2026",
			"Suspended since Thursday, 26 November 2026: the council has stopped it. "},
		"suspended some day": {books.Standing{State: "suspended", By: "council"}, "suspended", "suspended",
			"Suspended: the council has stopped it. "},
		"below the charter": {books.Standing{State: "suspended", By: "charter", Since: "2026-11-26"}, "stopped",
			"stopped since Thursday, 26 November 2026",
			"Stopped since Thursday, 26 November 2026: it goes below the city's charter"},
		"never ran": {books.Standing{State: "suspended", By: "charter"}, "stopped", "stopped",
			"Stopped: it goes below"},
		"no policy": {books.Standing{State: "suspended", By: "policy", Since: "2026-11-26"}, "stopped",
			"stopped since Thursday, 26 November 2026",
			"Stopped since Thursday, 26 November 2026: no policy is in force. "},
		"no policy, some day": {books.Standing{State: "suspended", By: "policy"}, "stopped", "stopped",
			"Stopped: no policy is in force. "},
		"from books of before": {books.Standing{State: "suspended"}, "suspended", "suspended",
			"Stopped. Nothing of it is measured"},
	} {
		if w, short, said := en.State(x.st), en.StateSince(x.st), en.Standing(x.st); w != x.word || short != x.short ||
			!strings.HasPrefix(said, x.sentence) || (said == "") != (x.sentence == "") {
			t.Errorf("%s is %q, %q and %q", name, w, short, said)
		}
		for _, s := range Localizers() {
			if said := s.Standing(x.st) + s.StateSince(x.st); strings.Contains(said, "%!") ||
				strings.Contains(said, " : ") || strings.Contains(said, "-") || strings.Contains(said, "0001") {
				t.Errorf("%s in %s: %q", name, s.Code, said)
			}
		}
	}
}
