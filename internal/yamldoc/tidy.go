package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/lexer"
)

// Tidy is the file in its usual layout: two blanks a level, one blank behind colons, commas
// and dashes, none inside brackets, none at the end of a line, and one line feed at the
// end. Comments, order and quotes are kept, and what it says stays the same.
func Tidy(raw []byte) ([]byte, error) {
	before, err := value(raw)
	if err != nil {
		return nil, err
	}
	out := evened(raw)
	after, err := value(out)
	if err != nil || !bytes.Equal(before, after) { // a form that is not known here: lines stay
		out = trimmed(raw)
		after, err = value(out)
	}
	if err != nil || !bytes.Equal(before, after) {
		return nil, errors.New("the file cannot be laid out without changing what it says; it is left as it is")
	}
	return out, nil
}

func value(raw []byte) ([]byte, error) {
	t, err := ParseTree(raw)
	if err != nil {
		return nil, err
	}
	return t.Value()
}

// trimmed works on the ends of lines only, so that comments stay where they are: carriage returns,
// blanks at the end of a line and more than one empty line in a row go; a comment
// has a blank behind its #.
func trimmed(raw []byte) []byte {
	var b bytes.Buffer
	empty := 0
	inText := scalarLines(raw)
	for i, line := range strings.Split(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n") {
		if inText[i+1] {
			fmt.Fprintf(&b, "%s\n", line)
			empty = 0
			continue
		}
		line = strings.TrimRight(line, " \t")
		if line == "" {
			empty++
			continue
		}
		if empty > 0 && b.Len() > 0 {
			b.WriteByte('\n')
		}
		empty = 0
		b.WriteString(spaced(line) + "\n")
	}
	return b.Bytes()
}

// spaced puts a blank behind the # of a line that is a comment.
func spaced(line string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	body := line[len(indent):]
	if strings.HasPrefix(body, "#") && len(body) > 1 && body[1] != ' ' && body[1] != '!' && body[1] != '#' {
		return indent + "# " + body[1:]
	}
	return line
}

// scalarLines are the lines inside block and multi-line scalars, where blanks
// count.
func scalarLines(raw []byte) map[int]bool {
	out := make(map[int]bool)
	tokens := lexer.Tokenize(string(raw))
	for i, t := range tokens {
		if n := strings.Count(strings.TrimRight(t.Origin, "\n"), "\n"); n > 0 && t.Value != "" && i > 0 &&
			strings.Contains(t.Value, "\n") {
			for line := t.Position.Line; line <= t.Position.Line+n; line++ {
				out[line] = true
			}
		}
	}
	return out
}
