package i18n

import (
	"math"
	"strings"
)

// Agree is a word of grammar.yaml in the form that fits so many of a unit. What is no unit
// of privacy, such as dB(A), is masculine in all languages here.
func (l *Localizer) Agree(word, unit string, v float64) string {
	form, gender := "one", "m"
	if g, ok := l.local.Text("grammar.gender." + unit); ok {
		gender = g
	}
	if math.Abs(v) != 1 {
		form = "other"
	}
	return l.local.Say("grammar." + strings.ReplaceAll(word, " ", "-") + "." + form + "." + gender)
}

// At says in a place: al Port, a l’Estació, a la Rambla.
func (l *Localizer) At(place string) string { return l.local.At(place) }

// Of says of a place: del Port, de l’Estació, d’Olot.
func (l *Localizer) Of(place string) string { return l.local.Of(place) }
