package yamldoc

import (
	"strings"

	"sluice/internal/pattern"
)

// scan goes through a file as a reader does, who looks for quotes and brackets that
// belong together, where the parser has given up.
type scan struct {
	line, column int
	quote        rune     // what is open; 0 for none
	mark         rune     // the last that was open
	from, ended  Position // where it began, and the last that ended did so
	open         []bracket
	behind       bool // a quote has just ended, so that no text may follow
	plain        bool // inside text without quotes
	begins       int  // blanks before the line's first letter
	text         int  // inside a block of text whose key has so many blanks before it; -1 for none
}

type bracket struct {
	mark   rune
	at     Position
	begins int // blanks before the first letter of its line
}

var closes = map[rune]rune{'[': ']', '{': '}'}

// unclosed finds a quote or a bracket that is not closed where it should be, or closes
// nothing, or nil.
func unclosed(raw []byte) *SyntaxError {
	s := scan{text: -1}
	for n, text := range strings.Split(string(raw), "\n") {
		s.line = n + 1
		if e := s.next(strings.TrimRight(text, "\r")); e != nil {
			return e
		}
	}
	switch {
	case s.quote != 0:
		return slip(s.from, openQuote, string(s.quote))
	case len(s.open) > 0:
		return s.missing()
	}
	return nil
}

// missing returns the slip of the innermost bracket that is not closed.
func (s *scan) missing() *SyntaxError {
	b := s.open[len(s.open)-1]
	return slip(b.at, openBracket, string(b.mark), string(closes[b.mark]))
}

// next goes through one line.
func (s *scan) next(text string) *SyntaxError {
	trimmed := strings.TrimLeft(text, " ")
	begins := len(text) - len(trimmed)
	switch {
	case s.quote != 0:
	case trimmed == "":
		return nil
	case s.text >= 0 && begins > s.text:
		return nil
	case len(s.open) > 0 && begins <= s.open[0].begins && keyed.MatchString(trimmed):
		return s.missing()
	}
	if s.quote == 0 {
		s.begins, s.text = begins, -1
		s.plain = s.plain && len(s.open) > 0
	}
	line := []rune(text)
	for i := 0; i < len(line); i++ {
		s.column = i + 1
		if line[i] == '#' && s.quote == 0 && (i == 0 || line[i-1] == ' ') {
			break
		}
		skip, e := s.step(line, i)
		if e != nil {
			return e
		}
		i += skip
	}
	if s.quote == 0 && blockText(uncommented(text)) {
		s.text = begins
	}
	if s.quote == 0 && len(s.open) == 0 {
		s.behind, s.plain = false, false
	}
	return nil
}

// step looks at one letter; skip is how many after it are looked at with it.
func (s *scan) step(line []rune, i int) (skip int, e *SyntaxError) {
	r, then := line[i], rune(0)
	if i+1 < len(line) {
		then = line[i+1]
	}
	switch {
	case s.quote != 0:
		return s.quoted(r, then)
	case r == ' ':
	case s.behind && !strings.ContainsRune(",]}:", r):
		if s.from.Line < s.line { // it began lines before, and swallowed what is between
			return 0, slip(s.from, openQuote, string(s.mark))
		}
		return 0, slip(s.ended, behindQuote)
	case s.ends(r, then):
		s.plain, s.behind = false, false
		return 0, s.close(r)
	case s.plain:
	case r == '"' || r == '\'':
		s.quote, s.mark, s.from = r, r, Position{s.line, s.column}
	case r == '[' || r == '{':
		s.open = append(s.open, bracket{r, Position{s.line, s.column}, s.begins})
	case (r == ']' || r == '}') && len(s.open) == 0:
		return 0, slip(Position{s.line, s.column}, strayBracket, string(r))
	case r == '-' && then == ' ' && len(s.open) == 0:
	default:
		s.plain = true
	}
	return 0, nil
}

// ends reports whether a letter ends a value: a colon before a blank, and in brackets a
// comma or a bracket.
func (s *scan) ends(r, then rune) bool {
	in := len(s.open) > 0
	return r == ':' && (then == ' ' || then == 0 || s.behind || in && strings.ContainsRune(",[]{}", then)) ||
		in && strings.ContainsRune(",]}", r)
}

// close takes a closing bracket.
func (s *scan) close(r rune) *SyntaxError {
	if r != ']' && r != '}' {
		return nil
	}
	if closes[s.open[len(s.open)-1].mark] != r {
		return s.missing()
	}
	s.open = s.open[:len(s.open)-1]
	return nil
}

// quoted looks at a letter inside quotes.
func (s *scan) quoted(r, then rune) (skip int, e *SyntaxError) {
	switch {
	case s.quote == '"' && r == '\\':
		if then != 0 && !strings.ContainsRune("0abtnvfre \"/\\N_LPxuU", then) {
			return 0, slip(Position{s.line, s.column}, badEscape)
		}
		return 1, nil
	case s.quote == '\'' && r == '\'' && then == '\'':
		return 1, nil
	case r == s.quote:
		s.quote, s.behind, s.ended = 0, true, Position{s.line, s.column}
	}
	return 0, nil
}

// uncommented is a line without its comment; a quote that does not end on it hides none.
func uncommented(text string) string {
	s, line := scan{text: -1}, []rune(text)
	for i := 0; i < len(line); i++ {
		if line[i] == '#' && s.quote == 0 && (i == 0 || line[i-1] == ' ') {
			return string(line[:i])
		}
		skip, e := s.step(line, i)
		if e != nil {
			return text
		}
		i += skip
	}
	return text
}

var keyed = pattern.New(`^[A-Za-z_][A-Za-z0-9_.-]*:( |$)`)

// blockText reports whether text begins behind a line: | or >, perhaps with what YAML
// says of its depth and end, at the line's start or behind a key or dash.
func blockText(line string) bool {
	head := strings.TrimRight(strings.TrimRight(line, " "), "-+0123456789")
	if !strings.HasSuffix(head, "|") && !strings.HasSuffix(head, ">") {
		return false
	}
	head = head[:len(head)-1]
	key := strings.TrimRight(head, " ")
	return head == "" || key != head && (strings.HasSuffix(key, ":") || strings.HasSuffix(key, "-"))
}
