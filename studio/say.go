package studio

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"sluice/internal/yamldoc"
	"sluice/policy/explain"
)

//go:embed locales/*/*.yaml
var localeFiles embed.FS

// sentences are those of each language, by whole key: draft.title is in draft.yaml, under title.
var sentences = sync.OnceValue(func() map[string]map[string]string {
	out := make(map[string]map[string]string)
	for _, code := range explain.Languages {
		out[code] = make(map[string]string)
		files, err := fs.Glob(localeFiles, "locales/"+code+"/*.yaml")
		must(err)
		for _, name := range files {
			raw, err := localeFiles.ReadFile(name)
			must(err)
			tree, err := yamldoc.ParseTree(raw)
			must(err)
			text, err := tree.Value()
			must(err)
			var v any
			must(json.Unmarshal(text, &v))
			flatten(strings.TrimSuffix(path.Base(name), ".yaml"), v, out[code])
		}
	}
	return out
})

func flatten(at string, node any, into map[string]string) {
	switch node := node.(type) {
	case map[string]any:
		for key, below := range node {
			flatten(at+"."+key, below, into)
		}
	case string:
		into[at] = node
	default:
		panic(fmt.Sprintf("studio: %s is no text; put it into quotes", at))
	}
}

// must is for what is written in this package.
func must(err error) {
	if err != nil {
		panic("studio: " + err.Error())
	}
}

// say is a sentence with its parts in place. That there is none of a key is a bug.
func say(l explain.Lang, key string, parts ...any) string {
	text, ok := sentences()[l.String()][key]
	if !ok {
		panic("studio: " + l.String() + " has no " + key)
	}
	if len(parts) == 0 {
		return text
	}
	return explain.Elide(l, fmt.Sprintf(text, parts...))
}

// sayN is a sentence in the form that its number wants: key.one or key.other.
func sayN(l explain.Lang, key string, n int) string {
	if n == 1 {
		return say(l, key+".one")
	}
	return say(l, key+".other", n)
}

// languages are the languages' own names.
var languages = map[string]string{"ca": "Català", "en": "English", "es": "Español"}
