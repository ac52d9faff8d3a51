package main

import (
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/civil"
	"sluice/opendata/i18n"
	"sluice/policy/explain"
)

// voice is the language that a verb answers in: policies are explained by Lang, and
// what the verb itself says is known by its English text.
type voice struct {
	explain.Lang
	*i18n.Localizer
}

func newVoice(l explain.Lang) voice { return voice{l, i18n.In(l.String())} }

// langFlag is the language of texts: --lang, else the environment's LC_ALL,
// LC_MESSAGES or LANG, as for every program that people read.
func langFlag(c *cobra.Command, into *string) { c.Flags().StringVar(into, "lang", "", langUsage) }

const langUsage = "language: en, ca or es; by default as LC_ALL, LC_MESSAGES or LANG say"

func lang(flag string) (explain.Lang, error) {
	if flag != "" {
		if l, ours := explain.Understand(flag); ours {
			return l, nil
		}
		return 0, &usageError{"--lang is one of en, ca, es"}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return explain.ParseLang(v), nil
		}
	}
	return 0, nil
}

// speak is the voice of a verb with the flag --lang.
func speak(cmd *cobra.Command) (voice, error) {
	l, err := lang(cmd.Flag("lang").Value.String())
	return newVoice(l), err
}

// Say is a sentence in the voice's language.
func (v voice) Say(english string, parts ...any) string {
	return explain.Elide(v.Lang, v.Localizer.Say(english, parts...))
}

// moment is an instant in words: 10 December 2026, 00:00.
func (v voice) moment(t time.Time, loc *time.Location) string {
	t = t.In(loc)
	return v.Lang.Date(day(t)) + ", " + t.Format("15:04")
}

// decimals is a number with two decimals.
func (v voice) decimals(f float64) string {
	return v.Lang.Number(math.Round(100*f) / 100)
}

// figure is a number with three digits.
func (v voice) figure(f float64) string {
	if f != 0 {
		scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(f))))
		f = math.Round(f*scale) / scale
	}
	return v.Lang.Number(f)
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
