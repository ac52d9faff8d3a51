package odata

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sluice/internal/pattern"
)

// kind is the kind of a token.
type kind int

const (
	end     kind = iota
	word         // a name, a function or an operator, with what properties' names may hold
	option       // $filter and the like
	literal      // value holds it
	mark         // one of ( ) , ; = / : - *
)

type token struct {
	kind  kind
	text  string // of words, options and marks
	value any    // of literals
	at    int    // the character at which it begins, from 1
	from  int    // the byte at which it begins, from 0
}

// lexer cuts the text of one option. It never looks back.
type lexer struct {
	option string
	all    string
	rest   string
	at     int
	err    error
}

func newLexer(option, text string) *lexer {
	return &lexer{option: option, all: text, rest: text, at: 1}
}

func (l *lexer) fail(at int, hint string) {
	if l.err == nil {
		l.err = &Error{Option: l.option, At: at, Hint: hint}
	}
	l.rest = ""
}

// skip moves on by so many bytes.
func (l *lexer) skip(n int) string {
	text := l.rest[:n]
	l.rest = l.rest[n:]
	l.at += utf8.RuneCountInString(text)
	return text
}

// next is the next token; end for ever after the last one or an error.
func (l *lexer) next() token {
	l.skip(len(l.rest) - len(strings.TrimLeft(l.rest, " \t")))
	from := len(l.all) - len(l.rest)
	t := l.read()
	t.from = from
	return t
}

func (l *lexer) read() token {
	at := l.at
	if l.rest == "" {
		return token{kind: end, at: at}
	}
	r, size := utf8.DecodeRuneInString(l.rest)
	switch {
	case r == '\'':
		text, ok := l.quoted()
		if !ok {
			l.fail(at, "a text in single quotes is not closed; a quote inside is written twice")
			return token{kind: end, at: at}
		}
		return token{kind: literal, value: text, at: at}
	case r >= '0' && r <= '9', r == '-' && len(l.rest) > 1 && l.rest[1] >= '0' && l.rest[1] <= '9':
		return l.number(at)
	case r == '$':
		n := 1 + wordEnd(l.rest[1:])
		return token{kind: option, text: l.skip(n), at: at}
	case strings.ContainsRune("(),;=/:-*", r):
		return token{kind: mark, text: l.skip(size), at: at}
	case unicode.IsLetter(r) || r == '_' || r == '@':
		return l.word(at)
	}
	l.fail(at, "this character begins nothing; texts are in single quotes")
	return token{kind: end, at: at}
}

// quoted reads a text in single quotes, in which a quote is written twice.
func (l *lexer) quoted() (string, bool) {
	for n := 1; n < len(l.rest); n++ {
		if l.rest[n] != '\'' {
			continue
		}
		if n+1 < len(l.rest) && l.rest[n+1] == '\'' {
			n++
			continue
		}
		text := l.skip(n + 1)
		return strings.ReplaceAll(text[1:n], "''", "'"), true
	}
	return "", false
}

// wordEnd is how many bytes of a text are a word: letters, digits, _ and @, and dots and
// hyphens inside.
func wordEnd(text string) int {
	last := 0
	for n, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '@' && n == 0:
			last = n + utf8.RuneLen(r)
		case (r == '.' || r == '-') && n > 0:
		default:
			return last
		}
	}
	return last
}

// word reads a name, or a literal that begins with a word: geography'…', duration'…', true.
func (l *lexer) word(at int) token {
	n := wordEnd(l.rest)
	if n == 0 {
		l.fail(at, "this character begins nothing; texts are in single quotes")
		return token{kind: end, at: at}
	}
	text := l.skip(n)
	switch text {
	case "true", "false":
		return token{kind: literal, value: text == "true", at: at}
	case "null":
		return token{kind: literal, at: at}
	}
	if !strings.HasPrefix(l.rest, "'") {
		return token{kind: word, text: text, at: at}
	}
	inside, ok := l.quoted()
	if !ok {
		l.fail(at, "a text in single quotes is not closed; a quote inside is written twice")
		return token{kind: end, at: at}
	}
	v, hint := prefixed(text, inside)
	if hint != "" {
		l.fail(at, hint)
		return token{kind: end, at: at}
	}
	return token{kind: literal, value: v, at: at}
}

// prefixed reads a literal such as duration'PT1H'.
func prefixed(prefix, text string) (v any, hint string) {
	switch prefix {
	case "geography", "geometry":
		g, ok := Geometry(text)
		if !ok {
			return nil, "a geometry is well-known text (WKT) such as POINT(2.1 41.3) or " +
				"POLYGON((2 41,3 41,3 42,2 41)), of at most 2,000 points"
		}
		return g, ""
	case "duration":
		d, ok := Duration(text)
		if !ok {
			return nil, "a duration is such as duration'P1D' or duration'PT1H30M'"
		}
		return d, ""
	case "date":
		if _, err := time.Parse(time.DateOnly, text); err == nil {
			return Date(text), ""
		}
	case "time":
		if t, ok := clock(text); ok {
			return t, ""
		}
	}
	return nil, "before a quote come geography, geometry, duration, date or time alone"
}

const (
	instantForm  = `\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+ -]\d{2}:?\d{2})?`
	durationForm = `P(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d{1,9})?S)?)?`
)

// forms are the literals that begin with a digit, the longest first.
var forms = []struct {
	form *pattern.Pattern
	read func(string) (any, string)
}{
	{pattern.New(`^` + instantForm + `/(?:` + instantForm + `|` + durationForm + `)`), readTime},
	{pattern.New(`^` + instantForm), readTime},
	{pattern.New(`^\d{4}-\d{2}-\d{2}`), func(s string) (any, string) {
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return nil, "there is no such day"
		}
		return Date(s), ""
	}},
	{pattern.New(`^\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?`), func(s string) (any, string) {
		t, ok := clock(s)
		if !ok {
			return nil, "a time of day is such as 10:30:00"
		}
		return t, ""
	}},
	{pattern.New(`^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?`), readNumber},
}

func readNumber(s string) (any, string) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, "the number is too large"
	}
	return v, ""
}

// readTime is an instant or an interval. A time without a zone is nobody's.
func readTime(s string) (any, string) {
	t, ok := ParseTime(s)
	if !ok {
		return nil, "a time is such as 2026-11-23T10:00:00Z, and an interval 2026-11-23T10:00:00Z/PT1H; write + as %2B"
	}
	return t, ""
}

// number reads a literal that begins with a digit, or with a minus and a digit.
func (l *lexer) number(at int) token {
	for _, f := range forms {
		text := f.form.FindString(l.rest)
		if text == "" {
			continue
		}
		v, hint := f.read(text)
		l.skip(len(text))
		if hint == "" && wordEnd(l.rest) > 0 && l.rest[0] != '@' {
			hint = "after a number or a time comes a space"
		}
		if hint != "" {
			l.fail(at, hint)
			return token{kind: end, at: at}
		}
		return token{kind: literal, value: v, at: at}
	}
	l.fail(at, "this is neither a number nor a time")
	return token{kind: end, at: at}
}
