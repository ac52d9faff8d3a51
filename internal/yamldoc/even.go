package yamldoc

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// evened is a file with its lines indented again: how deep each is, and the blanks in it.
func evened(raw []byte) []byte {
	text := trimmed(raw)
	inText := scalarLines(text)
	e := evener{scan: scan{text: -1}}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		switch body := strings.TrimLeft(line, " "); {
		case inText[i+1] && e.begun || len(e.scan.open) > 0 || e.scan.quote != 0:
			e.follow(line, inText[i+1])
		case body == "" || body[0] == '#':
			e.waiting = append(e.waiting, line)
		default:
			e.begin(line, body, inText[i+1])
		}
	}
	e.flush(-1, 0)
	return e.out.Bytes()
}

// evener sets the lines of a file, one after the other.
type evener struct {
	out     bytes.Buffer
	levels  []level
	waiting []string // comments and empty lines, which go with the line behind them
	scan    scan     // of quotes and brackets that are open
	shift   int      // how much deeper the last line has got that began something
	begun   bool     // some line has begun
}

// level is how deep lines of it were, and are.
type level struct{ was, is int }

// begin sets a line that begins a key or an entry.
func (e *evener) begin(line, body string, text bool) {
	was := len(line) - len(body)
	for len(e.levels) > 0 && e.levels[len(e.levels)-1].was > was {
		e.levels = e.levels[:len(e.levels)-1]
	}
	e.flush(was, e.at(was))
	is := e.at(was)
	if n := len(e.levels); n == 0 || e.levels[n-1].was < was {
		e.levels = append(e.levels, level{was, is})
	}
	e.shift, e.begun = is-was, true
	rest, dashes := body, ""
	for strings.HasPrefix(rest, "- ") {
		next := strings.TrimLeft(rest[1:], " ")
		was += len(rest) - len(next)
		rest, dashes = next, dashes+"- "
		e.levels = append(e.levels, level{was, is + len(dashes)})
	}
	if text { // the last line of what goes on below
		e.write(strings.Repeat(" ", is) + dashes + rest)
	} else {
		code := uncommented(rest)
		set := dashes + even(code)
		e.write(e.commented(strings.Repeat(" ", is)+set, rest[len(code):], len(line)-len(rest)+len(code)))
	}
	e.look(line)
}

// at is how deep a line gets that was so deep.
func (e *evener) at(was int) int {
	n := len(e.levels)
	switch {
	case n == 0:
		return 0
	case e.levels[n-1].was == was:
		return e.levels[n-1].is
	}
	return e.levels[n-1].is + 2
}

// follow moves a line of a text or of brackets with the line that began them.
func (e *evener) follow(line string, text bool) {
	e.flush(-1, 0)
	switch blanks := len(line) - len(strings.TrimLeft(line, " ")); {
	case line == "":
	case e.shift >= 0:
		line = strings.Repeat(" ", e.shift) + line
	default:
		line = line[min(blanks, -e.shift):]
	}
	e.write(line)
	if !text || e.scan.quote != 0 {
		e.look(line)
	}
}

// look follows quotes and brackets over a line.
func (e *evener) look(line string) {
	e.scan.text = -1
	_ = e.scan.next(line)
}

// flush writes the comments that waited for a line; those that were as deep as it get as
// deep as it gets.
func (e *evener) flush(was, is int) {
	for _, line := range e.waiting {
		body := strings.TrimLeft(line, " ")
		deep := len(line) - len(body)
		switch deep {
		case was:
			deep = is
		default:
			for _, l := range e.levels {
				if l.was == deep {
					deep = l.is
					break
				}
			}
		}
		if body == "" {
			deep = 0
		}
		e.write(strings.Repeat(" ", deep) + body)
	}
	e.waiting = nil
}

func (e *evener) write(line string) { e.out.WriteString(strings.TrimRight(line, " ") + "\n") }

// commented puts a comment behind a line, in the column where it was if there is room.
func (e *evener) commented(code, comment string, column int) string {
	if comment == "" {
		return code
	}
	return code + strings.Repeat(" ", max(1, column-len(code))) + comment
}

// even sets the blanks of one line without its comment: one behind a colon and a comma,
// none inside brackets. Text and what is in quotes stay.
func even(code string) string {
	var out []byte
	s, line := scan{text: -1}, []rune(strings.TrimRight(code, " "))
	for i := 0; i < len(line); i++ {
		open, quoted, plain := len(s.open), s.quote != 0, s.plain
		skip, err := s.step(line, i)
		if err != nil {
			return code
		}
		r := line[i]
		if quoted || s.quote != 0 {
			out = append(out, string(line[i:i+skip+1])...)
			i += skip
			continue
		}
		ends := plain && !s.plain || len(s.open) < open || r == ',' && open > 0 || r == ':' && !s.plain
		switch {
		case ends && (r == ',' || r == ']' || r == '}'):
			out = append(bytes.TrimRight(out, " "), byte(r))
		default:
			out = utf8.AppendRune(out, r)
		}
		next := func() rune {
			if i+1 < len(line) {
				return line[i+1]
			}
			return 0
		}
		switch {
		case len(s.open) > open, ends && (r == ',' || r == ':'):
			for next() == ' ' {
				i++
			}
			if len(s.open) <= open && next() != 0 && (r == ',' || i > 0 && line[i] == ' ') {
				out = append(out, ' ')
			}
		}
	}
	return string(out)
}
