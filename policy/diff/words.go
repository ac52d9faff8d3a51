package diff

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/locales"
	"sluice/policy/explain"
)

// Word is the mark in a language.
func (m Mark) Word(l explain.Lang) string { return say(l, "mark."+m.String()) }

// say is a sentence of diff.yaml.
func say(l explain.Lang, key string) string { return locales.In(int(l)).Say("diff." + key) }

// texts are a sentence of diff.yaml in each language.
func texts(key string) (out locales.Texts) {
	for l := range out {
		out[l] = say(explain.Lang(l), key)
	}
	return out
}

// label is a key in words, with the name that stands behind it; one that has no words is
// its own label.
func label(key string, l explain.Lang) string {
	what, which, _ := strings.Cut(key, " ")
	if of, ok := locales.In(int(l)).Text("diff.label." + what); ok {
		return strings.TrimSpace(of + " " + which)
	}
	return key
}

// onlyNew are keys of which there is no old value to show.
var onlyNew = []string{"suspended", "further", "stopped", "started"}

// Words is the change as one line: compared with what, which key, old and new, and
// whether it ends anything.
func (c Change) Words(l explain.Lang) string {
	line := c.words(l)
	if c.Against != "" {
		line = say(l, "compared") + " " + c.Against + ": " + line
	}
	switch {
	case c.Ends && c.Key == "retain":
		if c.removes != "" {
			line += " " + say(l, c.removes)
		}
	case c.Ends:
		line += " " + say(l, "ending")
	}
	return explain.Plain(line)
}

func (c Change) words(l explain.Lang) string {
	line, old, new := label(c.Key, l), c.Old[l], c.New[l]
	what, _, named := strings.Cut(c.Key, " ")
	switch {
	case old == "" && new == "":
		return line
	case slices.Contains(onlyNew, what):
		return line + ": " + new
	case named && (what == "uncovered" || what == "covered"):
		return line + " (" + new + ")"
	}
	if old == "" {
		old = say(l, "nothing")
	}
	if new == "" {
		new = say(l, "nothing")
	}
	return fmt.Sprintf("%s: %s → %s", line, old, new)
}
