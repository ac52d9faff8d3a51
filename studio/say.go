package studio

import (
	"embed"
	"io/fs"
	"strings"

	"sluice/internal/locales"
	"sluice/policy/explain"
)

//go:embed locales/*/*.yaml
var localeFiles embed.FS

// own are the sentences of the pages: draft.title is in draft.yaml, under title.
var own = locales.Of(func() fs.FS {
	room, err := fs.Sub(localeFiles, "locales")
	must(err)
	return room
}())

// must is for what is written in this package.
func must(err error) {
	if err != nil {
		panic("studio: " + err.Error())
	}
}

// say is a sentence with its parts in place. That there is none of a key is a bug.
func say(l explain.Lang, key string, parts ...any) string {
	text := own[l].Say(key, parts...)
	if len(parts) == 0 {
		return text
	}
	return explain.Elide(l, text)
}

// textOf is a sentence that need not be there.
func textOf(l explain.Lang, key string) (string, bool) { return own[l].Text(key) }

// sayN is a sentence in the form that its number wants, which may leave the number out.
func sayN(l explain.Lang, key string, n int) string {
	form := own[l].Form(key, n)
	if text, ok := textOf(l, form); ok && !strings.Contains(text, "%") {
		return text
	}
	return say(l, form, n)
}

// languages are the languages' own names.
var languages = map[string]string{"ca": "Català", "en": "English", "es": "Español"}
