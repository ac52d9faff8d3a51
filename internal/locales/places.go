package locales

import "strings"

// At says in a place. In Catalan the article of its name is drawn together with "a" and
// is small: al Port, a l’Estació, a la Rambla.
func (l *Localizer) At(place string) string {
	switch l.tag.String() {
	case "ca":
		return before(place, [4]string{"al ", "als ", "a la ", "a l’"}, "a ")
	case "es":
		return "en " + place
	}
	return "in " + place
}

// Of says of a place: del Port, de l’Estació, d’Olot.
func (l *Localizer) Of(place string) string {
	switch l.tag.String() {
	case "ca":
		joined := before(place, [4]string{"del ", "dels ", "de la ", "de l’"}, "de ")
		if rest, bare := strings.CutPrefix(joined, "de "); bare && rest == place && vowel(place) {
			return "d’" + place
		}
		return joined
	case "es":
		return "de " + place
	}
	return "of " + place
}

// before puts a preposition before a Catalan name: each for an article, or for none.
func before(place string, with [4]string, bare string) string {
	for i, article := range []string{"El ", "Els ", "La ", "L"} {
		rest, has := strings.CutPrefix(place, article)
		if has && i == 3 {
			if rest, has = strings.CutPrefix(rest, "'"); !has {
				rest, has = strings.CutPrefix(rest, "’")
			}
		}
		if has && rest != "" {
			return with[i] + rest
		}
	}
	return bare + place
}

// vowel reports whether a name begins with one, or with the h that is not heard.
func vowel(name string) bool {
	return name != "" && strings.ContainsRune("AEIOUÀÁÈÉÍÏÒÓÚÜHaeiouàáèéíïòóúüh", []rune(name)[0])
}
