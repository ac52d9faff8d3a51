package check

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/policy/explain"
)

// Finding is one mistake, or a warning.
type Finding struct {
	File         string
	Line, Column int // from 1
	Rule         string
	// Args are what the rule's text names: keys and values of the file, never
	// anything from a reading.
	Args []any
	// Case tells apart what one rule says in several ways; empty for its usual text.
	Case string
	// Note is more to say, in English, such as what OPA says of a module.
	Note string
	// Settled says that the council has voted it so, and that it is in force.
	Settled bool
	// Syntax is what is wrong with the file as YAML, where that is it.
	Syntax *yamldoc.SyntaxError
}

// Text is the finding in a language: what is wrong, and how to mend it.
func (f Finding) Text(l explain.Lang) (what, mend string) {
	if f.Syntax != nil {
		what, mend, _ = strings.Cut(f.Syntax.In(int(l)), "; ")
		return what, mend
	}
	t, ok := cases[f.Rule+" "+f.Case]
	if !ok {
		t, ok = texts[f.Rule]
	}
	if !ok {
		t = texts["R99"]
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
	said := func(text string) string {
		text = fmt.Sprintf(text, args...)
		if i := strings.LastIndex(text, "%!(EXTRA"); i >= 0 { // not all are in each half
			text = text[:i]
		}
		return text
	}
	what, mend, _ = strings.Cut(t[l], " | ")
	what, mend = said(what), said(mend)
	if f.Note != "" {
		what = strings.TrimSuffix(what, ".") + ": " + explain.Plain(f.Note)
	}
	return what, mend
}

// worded is an argument that each language has a word for.
type worded interface{ in(l explain.Lang) string }

// Warning reports whether the policy can be put to the vote all the same.
func (f Finding) Warning() bool { return f.Settled || strings.HasPrefix(f.Rule, "W") }
