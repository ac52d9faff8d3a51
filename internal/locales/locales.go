// Package locales holds the program's sentences in each of its languages: a file for each
// subject, such as ca/check.yaml, which translators edit, and a Localizer that formats
// them. A language is a directory and a row of Languages.
//
// A sentence is known by where it stands: check.S02.mend is in check.yaml, under S02, under
// mend. Its parts are verbs of package fmt, numbered where a language may order them as it
// likes. A word whose form follows a number has a key for each form that the language has
// (one, other), as CLDR names them. Sentences that members of a council sign are held by
// signed.txt.
//
// What stands in templates, and errors that are logged in English, too, are known by their
// English text instead: pages.yaml and clerk.yaml are lists of such sentences, which package
// opendata/i18n says.
package locales

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Languages are those that there are files for, English first.
var Languages = [...]string{"en", "ca", "es"}

// Texts are one text in each of Languages.
type Texts [len(Languages)]string

//go:embed */*.yaml
var files embed.FS

// Localizer formats sentences in one language. It is safe for concurrent use, and loads a
// subject at its first use.
type Localizer struct {
	tag       language.Tag
	subjects  map[string]func() map[string]string
	sentences map[string]func() map[string]Sentence
}

// byEnglish are the subjects whose sentences are known by their English text.
var byEnglish = []string{"clerk", "pages"}

// Sentence is one that is known by its English text, in some language.
type Sentence struct {
	// Text is empty where there are forms.
	Text string
	// Forms are by the plural form (one, other) that the sentence's first number wants; nil
	// where there is no such number.
	Forms map[string]string
}

var localizers = Of(files)

// In is the Localizer of one of Languages, by its place there.
func In(lang int) *Localizer { return localizers[lang] }

// Of are the Localizers of another room's sentences, in the order of Languages. It has a directory for
// each, as this one has, and the files in them are its subjects.
func Of(room fs.FS) (all [len(Languages)]*Localizer) {
	for i, code := range Languages {
		all[i] = &Localizer{language.Make(code), subjects(room, code), make(map[string]func() map[string]Sentence)}
		for _, subject := range byEnglish {
			all[i].sentences[subject] = sync.OnceValue(func() map[string]Sentence {
				return readList(room, code, subject)
			})
		}
	}
	return all
}

// subjects are the readers of the files of a language.
func subjects(room fs.FS, code string) map[string]func() map[string]string {
	list, err := fs.ReadDir(room, code)
	must(err)
	out := make(map[string]func() map[string]string, len(list))
	for _, f := range list {
		subject := strings.TrimSuffix(f.Name(), ".yaml")
		if slices.Contains(byEnglish, subject) {
			continue
		}
		out[subject] = sync.OnceValue(func() map[string]string { return read(room, code, subject) })
	}
	return out
}

// read reads one file into sentences by their whole keys.
func read(room fs.FS, code, subject string) map[string]string {
	raw, err := fs.ReadFile(room, code+"/"+subject+".yaml")
	must(err)
	var tree map[string]any
	must(yaml.Unmarshal(raw, &tree))
	out := make(map[string]string)
	flatten(subject, tree, out)
	return out
}

// readList reads one list of sentences: rows of en and either the language's code or forms.
func readList(room fs.FS, code, subject string) map[string]Sentence {
	raw, err := fs.ReadFile(room, code+"/"+subject+".yaml")
	must(err)
	var rows []map[string]string
	must(yaml.Unmarshal(raw, &rows))
	out := make(map[string]Sentence, len(rows))
	for _, row := range rows {
		english, text := row["en"], row[code]
		if _, twice := out[english]; twice || english == "" {
			panic(fmt.Sprintf("locales: %s/%s.yaml has %q twice, or a row without en", code, subject, english))
		}
		if row["other"] == "" {
			out[english] = Sentence{Text: text}
			continue
		}
		delete(row, "en")
		out[english] = Sentence{Forms: row}
	}
	return out
}

func flatten(at string, node any, into map[string]string) {
	switch node := node.(type) {
	case map[string]any:
		for key, below := range node {
			flatten(at+"."+key, below, into)
		}
	case string:
		into[at] = node
	default:
		panic(fmt.Sprintf("locales: %s is %v, and no text; put it into quotes", at, node))
	}
}

// must is for what is written in this package.
func must(err error) {
	if err != nil {
		panic("locales: " + err.Error())
	}
}

// Text is a sentence as it stands in its file; ok is false where there is none of this key.
func (l *Localizer) Text(key string) (text string, ok bool) {
	subject, _, _ := strings.Cut(key, ".")
	if read := l.subjects[subject]; read != nil {
		text, ok = read()[key]
	}
	return text, ok
}

// Subjects are the names of the files whose sentences have keys, sorted.
func (l *Localizer) Subjects() []string { return slices.Sorted(maps.Keys(l.subjects)) }

// Keys are those of a subject, sorted.
func (l *Localizer) Keys(subject string) []string {
	read := l.subjects[subject]
	if read == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(read()))
}

// Sentences are those of a subject that are known by their English text; in English only
// those that have forms.
func (l *Localizer) Sentences(subject string) map[string]Sentence {
	if read := l.sentences[subject]; read != nil {
		return read()
	}
	return nil
}

// Say is a sentence with its parts in place. That there is none of a key is a bug.
func (l *Localizer) Say(key string, parts ...any) string {
	text, ok := l.Text(key)
	if !ok {
		panic("locales: " + l.tag.String() + " has no " + key)
	}
	if len(parts) == 0 {
		return text
	}
	return fmt.Sprintf(text, parts...)
}

// forms are the keys of plural forms, as CLDR names them.
var forms = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many",
	plural.Other: "other",
}

// Form is the key of the form in which a word or sentence stands beside so many, which
// are not less than 0. See the CLDR's plural rules, which package plural of x/text has.
func (l *Localizer) Form(key string, n int) string {
	form := forms[plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)]
	if _, ok := l.Text(key + "." + form); ok {
		return key + "." + form
	}
	return key + ".other"
}
