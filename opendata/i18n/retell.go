package i18n

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"sluice/internal/locales"

	"sluice/internal/pattern"
)

// retelling is one sentence of the clerk's tables, as it is found in a finished
// English text.
type retelling struct {
	pattern func() *regexp.Regexp // compiled when first used: most are never
	begins  string                // what stands before its first part
	holds   string                // the longest text between its parts
	letters int                   // of the sentence itself, without its parts
	to      string
	parts   int
}

// part is the place of a part in a sentence.
var part = pattern.New(`%[-+#0-9.]*[a-zA-Z]|%%`)

// between is what stands between sentences.
var between = pattern.New(`\n *|; |: `)

// maxSentences bounds how many ends of sentences are looked at in a text.
const maxSentences = 16

// fewestLetters is how much of a sentence there must be to know it by: less is in
// many others.
const fewestLetters = 4

// retellings are the sentences of one language that have parts, those with most
// letters first: what is said in more words is known better.
func retellings(local *locales.Localizer) []retelling {
	var out []retelling
	add := func(english, to string) {
		if r, ok := retold(english, to); ok {
			out = append(out, r)
		}
	}
	english := locales.In(0).Sentences("clerk")
	for key, s := range local.Sentences("clerk") {
		if s.Forms == nil {
			add(key, s.Text)
		}
		for form, to := range s.Forms {
			add(english[key].Forms[form], to)
		}
	}
	slices.SortFunc(out, func(a, b retelling) int {
		if a.letters != b.letters {
			return b.letters - a.letters
		}
		return strings.Compare(a.to, b.to)
	})
	return out
}

// retold is a sentence as a pattern; ok is false where it has too few letters.
func retold(english, to string) (r retelling, ok bool) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	at := 0
	for n, m := range part.FindAllStringIndex(english, -1) {
		r.say(&b, english[at:m[0]], n == 0)
		switch english[m[0]:m[1]] {
		case "%%":
			b.WriteString("%")
			r.parts--
		case "%d":
			b.WriteString("([0-9]+)")
		default:
			b.WriteString("(.*?)")
		}
		r.parts++
		at = m[1]
	}
	r.say(&b, english[at:], at == 0)
	b.WriteString(`\z`)
	r.to, r.pattern = to, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(b.String()) })
	return r, r.parts == 0 || r.letters >= fewestLetters
}

// say adds a text between parts to the pattern in b.
func (r *retelling) say(b *strings.Builder, text string, first bool) {
	b.WriteString(regexp.QuoteMeta(text))
	r.letters += letters(text)
	if first {
		r.begins = text
	}
	if len(text) > len(r.holds) {
		r.holds = text
	}
}

// find is the parts of a text that is this sentence, behind the whole; nil for any other. Nearly all
// others lack its own words, which is seen at once.
func (r *retelling) find(english string) []string {
	if !strings.HasPrefix(english, r.begins) || !strings.Contains(english, r.holds) {
		return nil
	}
	return r.pattern().FindStringSubmatch(english)
}

func letters(s string) (n int) {
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// fill puts parts into a sentence.
func (r retelling) fill(parts []string) string {
	i := 0
	return part.ReplaceAllStringFunc(r.to, func(verb string) string {
		if verb == "%%" {
			return "%"
		}
		if i++; i > len(parts) {
			return verb
		}
		if n, err := strconv.Unquote(parts[i-1]); err == nil && verb == "%q" {
			return strconv.Quote(n)
		}
		return parts[i-1]
	})
}

// filePlace is a line and a column of a file, before what is wrong there.
var filePlace = pattern.New(`\A\[\d+:\d+\] `)

// Retell says in this language what was said in English: errors are made in many
// places, for logs too, and are English there. A text is known by the clerk's tables, whole,
// by its lines, or behind the name of a file and a colon; parts that are sentences
// are retold as well. What nobody has translated stays as it is. The text should be
// bounded (package brief): each sentence is tried.
func (l *Localizer) Retell(english string) string {
	if l.Code == "en" || english == "" {
		return english
	}
	return l.retell(english, 8)
}

// retell goes so many levels deep.
func (l *Localizer) retell(english string, deep int) string {
	if deep == 0 {
		return english
	}
	if said, ok := l.sentence(english, deep); ok {
		return said
	}
	if at := filePlace.FindString(english); at != "" {
		return at + l.retell(english[len(at):], deep-1)
	}
	ends := between.FindAllStringIndex(english, maxSentences)
	for _, m := range slices.Backward(ends) { // a sentence may hold a colon of its own
		if said, ok := l.sentence(english[:m[0]], deep); ok {
			return said + english[m[0]:m[1]] + l.retell(english[m[1]:], deep-1)
		}
	}
	for _, m := range ends {
		if said, ok := l.sentence(english[m[1]:], deep); ok {
			return l.retell(english[:m[0]], deep-1) + english[m[0]:m[1]] + said
		}
	}
	if len(ends) > 0 {
		m := ends[0]
		return l.retell(english[:m[0]], deep-1) + english[m[0]:m[1]] + l.retell(english[m[1]:], deep-1)
	}
	return english
}

// sentence says a text that is one sentence of the tables; ok is false for any other.
func (l *Localizer) sentence(english string, deep int) (said string, ok bool) {
	for _, r := range l.retellings() {
		m := r.find(english)
		if m == nil {
			continue
		}
		parts := m[1:]
		for i := range parts {
			if strings.Contains(parts[i], " ") { // a name is no sentence
				parts[i] = l.retell(parts[i], deep-1)
			}
		}
		return r.fill(parts), true
	}
	return "", false
}
