package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/internal/civil"
	"sluice/opendata/words"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/explain"
)

// voice is the language that a verb answers in: policies are explained by Lang, and
// what the verb itself says is known by its English text.
type voice struct {
	explain.Lang
	*words.Speaker
}

func newVoice(l explain.Lang) voice { return voice{l, words.Speakers()[l.String()]} }

// speak is the voice of a verb with the flag --lang.
func speak(cmd *cobra.Command) (voice, error) {
	l, err := lang(cmd.Flag("lang").Value.String())
	return newVoice(l), err
}

// Say is a sentence in the voice's language.
func (v voice) Say(english string, parts ...any) string {
	return explain.Elide(v.Lang, v.Speaker.Say(english, parts...))
}

// moment is an instant in words: 10 December 2026, 00:00.
func (v voice) moment(t time.Time, loc *time.Location) string {
	t = t.In(loc)
	return v.Lang.Date(day(t)) + ", " + t.Format("15:04")
}

// day is the day of a local time.
func day(t time.Time) civil.Date {
	y, m, d := t.Date()
	return civil.Date{Year: y, Month: int(m), Day: d}
}

// speaking are the verbs that answer in the language that they are asked in.
var speaking = []string{"policy", "motion"}

// retell says an error in the language that the arguments ask for, or else the
// environment; other verbs than those of the council speak English.
func retell(args []string, english string) string {
	if len(args) == 0 || !slices.Contains(speaking, args[0]) {
		return english
	}
	asked := ""
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			asked = value
		} else if arg == "--lang" && i+1 < len(args) {
			asked = args[i+1]
		}
	}
	l, err := lang(asked)
	if err != nil {
		l, _ = lang("")
	}
	return newVoice(l).Retell(english)
}

// shownFindings is how many mistakes a verb shows that has come for something else.
const shownFindings = 5

// ailments are the mistakes that check finds in a policy, one line each: all, or
// those of one file; none where it cannot look.
func ailments(ctx context.Context, v voice, files bundle.Files, only string) []string {
	rules, err := childRules()
	if err != nil || len(files) == 0 {
		return nil
	}
	defer rules.Close()
	found, _ := check.Directory(ctx, rules, files, nil, civil.Date{})
	return lines(v, found, only)
}

// lines are mistakes, one line each: all, or those of one file.
func lines(v voice, found []check.Finding, only string) []string {
	var out []string
	for _, f := range found {
		if f.Warning() || only != "" && f.File != only {
			continue
		}
		what, mend := findingText(f, v.Lang)
		if mend != "" {
			mend = " (" + mend + ")"
		}
		out = append(out, fmt.Sprintf("%s:%d: %s: %s%s", brief.Text(f.File), f.Line, f.Rule, what, mend))
	}
	return out
}

// unreadable says what is wrong with a policy directory that cannot be read, as
// check does, and where to see all of it.
func unreadable(ctx context.Context, v voice, dir string, err error) error {
	files, readErr := compile.ReadDir(dir)
	passed := check.PassedOver(dir)
	switch {
	case readErr != nil:
		return err
	case len(files)+len(passed) == 0:
		return check.ErrNothing
	}
	list := append(lines(v, passed, ""), ailments(ctx, v, files, "")...)
	if len(list) == 0 {
		return fmt.Errorf("%w\n%s", err, v.Say("see: sluice policy check %s", dir))
	}
	return unusable(v, dir, list)
}

// unusable says some of what check finds, and where to see all of it.
func unusable(v voice, dir string, list []string) error {
	return fmt.Errorf("%s\n  %s\n%s", v.Say("the policy cannot be used as it is:"), strings.Join(list[:min(shownFindings, len(list))], "\n  "), v.Say("see: sluice policy check %s", dir))
}

// commentsIn is a template with its comments in the voice's language; the lines for
// editors stay. A comment is what follows a hash at the beginning of a line or
// behind a blank, so no value of a template may hold " # ".
func commentsIn(v voice, template string) string {
	var b strings.Builder
	for line := range strings.Lines(template) {
		text := strings.TrimSuffix(line, "\n")
		at := strings.LastIndex(text, "# ") // a key that is a comment itself has one behind it
		if at < 0 || at > 0 && text[at-1] != ' ' || strings.HasPrefix(text, "# yaml-language-server") {
			b.WriteString(line)
			continue
		}
		b.WriteString(text[:at+2] + v.Retell(text[at+2:]) + line[len(text):])
	}
	return b.String()
}
