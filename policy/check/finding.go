package check

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/locales"
	"sluice/internal/yamldoc"
	"sluice/policy/explain"

	"sluice/internal/pattern"
)

// Finding is one mistake, or a warning.
type Finding struct {
	File         string
	Line, Column int // from 1
	Rule         string
	// Place is the way to the value that it is about, by keys and indexes, with / between; also to one
	// that is missing. Empty where only its line is known.
	Place string
	// Args are what the rule's text names: keys and values of the file, never
	// anything from a reading.
	Args []any
	// Case tells apart what one rule says in several ways; empty for its usual text.
	Case string
	// Note is more to say, in English, such as what OPA says of a module.
	Note string
	// Settled: the council has voted it so, and it is in force.
	Settled bool
	// Syntax is what is wrong with the file as YAML, where that is it.
	Syntax *yamldoc.SyntaxError
}

// Text is the finding in a language: what is wrong, and how to fix it.
func (f Finding) Text(l explain.Lang) (what, mend string) {
	if f.Syntax != nil {
		what, mend, _ = strings.Cut(f.Syntax.In(int(l)), "; ")
		return what, mend
	}
	args := slices.Clone(f.Args)
	for i, a := range args {
		switch a := a.(type) {
		case worded:
			args[i] = a.in(l)
		case string: // of the file, and no line or sentence of ours
			args[i] = explain.Plain(a)
		}
	}
	say := locales.In(int(l))
	of := f.sentence(say)
	said := func(half string) string {
		text := say.Say(of + half)
		return fmt.Sprintf(text, args[:takes(text, len(args))]...)
	}
	what, mend = said(".what"), said(".mend")
	if f.Note != "" {
		what = strings.TrimSuffix(what, ".") + ": " + explain.Plain(f.Note)
	}
	return what, mend
}

// verb is the place of an argument in a sentence, or %% in it.
var verb = pattern.New(`%[-+#0-9.]*[a-zA-Z%]`)

// takes is how many of n arguments a sentence takes: not all are in each half. One that
// numbers them may have all.
func takes(text string, n int) int {
	if strings.Contains(text, "%[") {
		return n
	}
	used := 0
	for _, v := range verb.FindAllString(text, -1) {
		if !strings.HasSuffix(v, "%") {
			used++
		}
	}
	return min(used, n)
}

// sentence is where the finding's text stands in package locales.
func (f Finding) sentence(say *locales.Localizer) string {
	for _, key := range []string{"check." + f.Rule + "." + f.Case, "check." + f.Rule} {
		if _, ok := say.Text(key + ".what"); ok {
			return key
		}
	}
	return "check.R99"
}

// worded is an argument that each language has a word for.
type worded interface{ in(l explain.Lang) string }

// Warning reports whether the policy can be put to the vote all the same.
func (f Finding) Warning() bool { return f.Settled || strings.HasPrefix(f.Rule, "W") }
