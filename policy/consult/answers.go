package consult

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"sluice/internal/locales"
	"sluice/policy/explain"

	"sluice/internal/pattern"
)

// Answer is what somebody said. Who it was is not kept: see From.
type Answer struct {
	// At is where it stands, FILE:LINE.
	At string `json:"at"`
	// Opinion is one of Opinions.
	Opinion string `json:"opinion"`
	Useful  string `json:"useful,omitempty"`
	Worry   string `json:"worry,omitempty"`
	Change  string `json:"change,omitempty"`
	// From reports whether they said who they are or where they live; that itself stays in the file.
	From bool `json:"from"`
}

// Opinions are what an answer can be; unclear is one that says none of the others.
var Opinions = []string{"yes", "no", "changes", "unclear"}

// The bounds of what is read.
const (
	MaxFile    = 4 << 20
	MaxAnswers = 20_000
	maxText    = 4_000 // characters of one answer's text; the rest is cut
)

// columns are those of a spreadsheet, in the form's order.
var columns = []string{"opinion", "useful", "worry", "change", "from"}

// ParseAnswers reads answers from a file: a CSV whose first line names its columns (opinion, useful,
// worry, change, from; comma or semicolon), or the text of one or more mails, in which each answer
// stands behind its question's number:
//
//	[1] Do you agree? (yes / no / with changes): yes
//	[3] What worries you: The counter by the clinic.
//
// What stands before the first number, such as a mail's head, is passed over, and so are marks of
// quotation. A new [1] begins a new answer, and the head of another mail ends one: whom it is from is
// no part of what was answered. Errors name the file and the line.
func ParseAnswers(name string, raw []byte) ([]Answer, error) {
	switch {
	case len(raw) > MaxFile:
		return nil, fmt.Errorf("%s: longer than %d MiB; split it", name, MaxFile>>20)
	case !utf8.Valid(raw):
		return nil, fmt.Errorf("%s: not in UTF-8; save it so (a spreadsheet: CSV UTF-8)", name)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	first, _, _ := strings.Cut(string(raw), "\n")
	if slices.Contains(strings.FieldsFunc(strings.ToLower(first), separates), columns[0]) {
		return sheet(name, raw, first)
	}
	return mails(name, string(raw))
}

func separates(r rune) bool { return strings.ContainsRune(",;\t \r\"", r) }

// sheet reads a CSV.
func sheet(name string, raw []byte, first string) (out []Answer, err error) {
	r := csv.NewReader(bytes.NewReader(raw))
	if strings.Count(first, ";") > strings.Count(first, ",") {
		r.Comma = ';'
	}
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s:1: %w", name, err)
	}
	at := make(map[string]int)
	for i, c := range head {
		c = strings.ToLower(strings.TrimSpace(c))
		if !slices.Contains(columns, c) {
			return nil, fmt.Errorf("%s:1: there is no column of this name among %s", name, strings.Join(columns, ", "))
		}
		at[c] = i
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := r.FieldPos(0)
		var five [5]string
		for i, c := range columns {
			if n, there := at[c]; there {
				five[i] = row[n]
			}
		}
		if out, err = more(out, fmt.Sprintf("%s:%d", name, line), five); err != nil {
			return nil, err
		}
	}
}

// numbered is a line that begins an answer: the number, the question, and what is behind it.
var numbered = pattern.New(`^[>\s]*\[([1-5])\]([^:=]*)[:=]?(.*)$`)

// header is a line with which the head of a mail begins, in a mailbox or where several are pasted.
var header = pattern.New(`^(?:(?:From|De):? .*@|(?:Return-Path|Delivered-To|Received): )`)

// mails reads a text.
func mails(name, text string) (out []Answer, err error) {
	var texts [5]strings.Builder
	begun, found, at, start := false, false, 0, 0
	end := func() {
		var five [5]string
		for i := range texts {
			five[i] = texts[i].String()
			texts[i].Reset()
		}
		if begun {
			out, err = more(out, fmt.Sprintf("%s:%d", name, start), five)
		}
	}
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		m := numbered.FindStringSubmatch(line)
		if m == nil {
			if begun && header.MatchString(line) {
				if end(); err != nil {
					return nil, err
				}
				begun = false
			} else if begun {
				texts[at].WriteString("\n" + strings.TrimLeft(line, "> "))
			}
			continue
		}
		n := int(m[1][0] - '1')
		if n == 0 || !begun {
			if end(); err != nil {
				return nil, err
			}
			begun, found, start = true, true, i+1
		}
		at = n
		texts[at].Reset() // the last answer to a question holds
		texts[at].WriteString(m[3])
	}
	if !found {
		return nil, fmt.Errorf("%s: there is no answer in it: one begins with [1]", name)
	}
	end()
	return out, err
}

// more adds an answer, unless nothing is in it.
func more(out []Answer, at string, five [5]string) ([]Answer, error) {
	for i := range five {
		five[i] = clean(five[i])
	}
	if strings.Join(five[:], "") == "" {
		return out, nil
	}
	if len(out) == MaxAnswers {
		return nil, fmt.Errorf("%s: more than %d answers; split the file", at, MaxAnswers)
	}
	return append(out, Answer{At: at, Opinion: opinion(five[0]), Useful: five[1], Worry: five[2], Change: five[3],
		From: five[4] != ""}), nil
}

// clean is a text on one line, without anything that a terminal obeys, and cut.
func clean(text string) string {
	text = explain.Plain(strings.Join(strings.Fields(text), " "))
	if r := []rune(text); len(r) > maxText {
		text = string(r[:maxText]) + "…"
	}
	return text
}

// opinion is which of Opinions a text means, in any of our languages.
func opinion(text string) string {
	said := strings.ToLower(strings.Trim(text, " .!\"'()"))
	for l := range explain.Languages {
		for _, key := range Opinions[:3] {
			if said == strings.ToLower(locales.In(l).Say("consult."+key)) {
				return key
			}
		}
	}
	switch first, _, _ := strings.Cut(said, " "); strings.Trim(first, ",.;:") {
	case "yes", "y", "sí", "si":
		return "yes"
	case "no", "n":
		return "no"
	case "changes", "canvis", "cambios", "with", "amb", "con":
		return "changes"
	}
	return "unclear"
}

// Counts is how many answers have each of Opinions.
func Counts(list []Answer) map[string]int {
	out := make(map[string]int)
	for _, o := range Opinions {
		out[o] = 0
	}
	for _, a := range list {
		out[a.Opinion]++
	}
	return out
}

// literal keeps what strangers wrote from being links, pictures or HTML to whoever renders the list
// (CommonMark, section 2.4).
var literal = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", `\<`, ">", `\>`, "&", `\&`)

// Markdown is the list with its counts, for the session's papers. Nobody is named in it.
func Markdown(l explain.Lang, decision string, list []Answer) string {
	heading := func(key string, parts ...any) string { return locales.In(int(l)).Say("consult.list."+key, parts...) }
	word := func(key string) string { return locales.In(int(l)).Say("consult." + key) }
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", heading("title", decision), heading("count", len(list)))
	counts := Counts(list)
	for _, o := range Opinions {
		fmt.Fprintf(&b, "- %s: %d\n", word(o), counts[o])
	}
	for _, part := range []struct {
		key string
		of  func(Answer) string
	}{{"useful", func(a Answer) string { return a.Useful }}, {"worry", func(a Answer) string { return a.Worry }},
		{"change", func(a Answer) string { return a.Change }}} {
		fmt.Fprintf(&b, "\n## %s\n\n", word(part.key))
		none := true
		for i, a := range list {
			if text := part.of(a); text != "" {
				fmt.Fprintf(&b, "%d. (%s) %s\n", i+1, word(a.Opinion), literal.Replace(text))
				none = false
			}
		}
		if none {
			b.WriteString("-\n")
		}
	}
	return b.String()
}
