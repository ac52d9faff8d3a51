package yamldoc

import (
	"strconv"
	"strings"

	"sluice/internal/pattern"
)

// slipOf says what is wrong with a file that the parser refused at a place, for a reason
// in its own words. The slip itself is looked for in the text: an unclosed quote is
// noticed lines later, at what is right.
func slipOf(raw []byte, at Position, reason string) *SyntaxError {
	if m := defined.FindStringSubmatch(reason); m != nil {
		line, _ := strconv.Atoi(m[2])
		return slip(at, twiceKey, m[1], line)
	}
	lines := strings.Split(string(raw), "\n")
	// An open quote or bracket explains all that comes after it, a missing blank may be
	// a line before the place, and the rest is of the place itself.
	if e := unclosed(raw); e != nil {
		if near := spacing(line(lines, e.Line), e.Line); near != nil && e.said == strayBracket {
			return near
		}
		return e
	}
	plain := outside(lines)
	for n := at.Line; n >= 1 && n >= at.Line-1; n-- {
		if e := spacing(line(plain, n), n); e != nil {
			return e
		}
	}
	for n := 1; n <= len(plain); n++ {
		if e := spacing(plain[n-1], n); e != nil {
			return e
		}
	}
	for n := at.Line; n >= 1 && n >= at.Line-1; n-- {
		if m := bareKey.FindStringSubmatch(uncommented(line(lines, n))); m != nil {
			return slip(Position{n, len(m[1]) + 1}, missingColon, m[2])
		}
	}
	for _, r := range ofReasons {
		if strings.Contains(reason, r.part) {
			return slip(Position{at.Line, first(line(lines, at.Line), at.Column)}, r.said)
		}
	}
	return slip(at, notYAML)
}

// defined is how the parser says that a key is there twice.
var defined = pattern.New(`mapping key "(.*)" already defined at \[(\d{1,9}):(\d{1,9})\]`)

// ofReasons are slips that the parser's reason tells apart.
var ofReasons = []struct {
	part string
	said said
}{
	{"',' or '}' must be specified", missingComma},
	{"',' or ']' must be specified", missingComma},
	{"expected sequence element, but found", missingComma},
	{"unexpected key name", indented},
	{"value is not allowed in this context", indented},
	{"non-map value is specified", indented},
	{"unexpected map key", indented},
	{"block sequence entries are not", indented},
	{"unexpected scalar value", indented},
	{"invalid number of indent", indented},
	{"unexpected end content", indented},
	{"document separator", manyDocuments},
}

// outside are the lines with those left empty that go on in brackets that were opened before:
// there a key may stand behind a value.
func outside(lines []string) []string {
	out := make([]string, len(lines))
	depth, quote := 0, rune(0)
	for i, text := range lines {
		if depth == 0 && quote == 0 {
			out[i] = text
		}
		last := ' ' // a quote begins where a value does, and is an apostrophe elsewhere
		for _, r := range uncommented(text) {
			switch {
			case quote != 0:
				if r == quote {
					quote = 0
				}
			case (r == '"' || r == '\'') && strings.ContainsRune("[{,: ", last):
				quote = r
			case r == '[' || r == '{':
				depth++
			case (r == ']' || r == '}') && depth > 0:
				depth--
			}
			last = r
		}
	}
	return out
}

// first is the column of a line's first letter, or the one that is given where there is none.
func first(text string, column int) int {
	if t := strings.TrimLeft(text, " "); t != "" {
		return len(text) - len(t) + 1
	}
	return column
}

func line(lines []string, n int) string {
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

var (
	tightKey  = pattern.New(`^(\s*(?:- +)*)([A-Za-z_][A-Za-z0-9_.-]*):([^\s:/].*)$`)
	tightDash = pattern.New(`^(\s*(?:- +)*)-([\[{"'A-Za-z].*)$`)
	bareKey   = pattern.New(`^(\s*(?:- +)*)([a-z_]{2,}) *(?: [^:]*|[{\[].*)?\r?$`)
	colonText = pattern.New(`^(\s*(?:- +)*)([A-Za-z_][A-Za-z0-9_.-]*): +([^"'\[{|>&*#][^"]*:(?: .*|))$`)
	oddStart  = pattern.New("^(\\s*(?:- +)*(?:[A-Za-z_][A-Za-z0-9_.-]*: +)?)([@`%])")
)

// spacing finds a slip inside one line: blanks and colons.
func spacing(text string, n int) *SyntaxError {
	text = strings.TrimRight(uncommented(text), " \r")
	if !strings.ContainsAny(text, ":-@`%") { // most lines of a long text
		return nil
	}
	at := func(before string) Position { return Position{n, len([]rune(before)) + 1} }
	if m := tightKey.FindStringSubmatch(text); m != nil {
		return slip(at(m[1]+m[2]+":"), missingBlank, m[2], shorten(m[3]))
	}
	if m := tightDash.FindStringSubmatch(text); m != nil {
		return slip(at(m[1]), missingDash, shorten(m[2]))
	}
	if m := oddStart.FindStringSubmatch(text); m != nil {
		return slip(at(m[1]), oddFirst, m[2])
	}
	if m := colonText.FindStringSubmatch(text); m != nil {
		return slip(at(m[1]+m[2]+": "), colonInText, m[2], shorten(m[3]))
	}
	return nil
}

// maxQuoted is how much of a line an error repeats, in characters.
const maxQuoted = 60

func shorten(text string) string {
	if r := []rune(text); len(r) > maxQuoted {
		return string(r[:maxQuoted]) + "…"
	}
	return text
}
