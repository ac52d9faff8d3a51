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

// locale is the language that a verb answers in. Lang explains policies; Say translates the
// verb's own sentences, by their English text.
type locale struct {
	explain.Lang
	*i18n.Localizer
}

func newLocale(l explain.Lang) locale { return locale{l, i18n.In(l.String())} }

// langFlag adds --lang, whose default is the environment's LC_ALL, LC_MESSAGES or LANG.
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

// localeOf is the locale that a verb's --lang, or else the environment, asks for.
func localeOf(cmd *cobra.Command) (locale, error) {
	l, err := lang(cmd.Flag("lang").Value.String())
	return newLocale(l), err
}

// Say translates a sentence and fills in its parts.
func (v locale) Say(english string, parts ...any) string {
	return explain.Elide(v.Lang, v.Localizer.Say(english, parts...))
}

// moment formats an instant: 10 December 2026, 00:00.
func (v locale) moment(t time.Time, loc *time.Location) string {
	t = t.In(loc)
	return v.Lang.Date(day(t)) + ", " + t.Format("15:04")
}

// decimals formats a number with two decimals.
func (v locale) decimals(f float64) string {
	return v.Lang.Number(math.Round(100*f) / 100)
}

// figure formats a number with three significant digits.
func (v locale) figure(f float64) string {
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

// translated are the verbs that answer in the language they are asked in.
var translated = []string{"policy", "motion"}

// translateError puts an error into the language that the arguments, or else the environment,
// ask for. Verbs that are not translated answer in English.
func translateError(args []string, english string) string {
	if len(args) == 0 || !slices.Contains(translated, args[0]) {
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
	return newLocale(l).Retell(english)
}
