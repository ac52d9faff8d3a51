package i18n

import "sluice/internal/locales"

// The tables of package locales, as these tests look at them.
var (
	catalan, spanish = table("ca", "pages"), table("es", "pages")
	clerk            = map[string]map[string]string{"ca": table("ca", "clerk"), "es": table("es", "clerk")}
	// plurals are the sentences whose form follows a number, by their English text.
	plurals, clerkPlurals = In("en").local.Sentences("pages"), In("en").local.Sentences("clerk")
)

// table are the sentences of a subject that have no forms.
func table(code, subject string) map[string]string {
	out := make(map[string]string)
	for english, s := range In(code).local.Sentences(subject) {
		if s.Forms == nil {
			out[english] = s.Text
		}
	}
	return out
}

// forms are all of a sentence.
func forms(s locales.Sentence) (list []string) {
	for _, text := range s.Forms {
		list = append(list, text)
	}
	return list
}
