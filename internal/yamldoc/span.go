package yamldoc

import (
	"errors"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// errSpan: where a value begins and ends in the text cannot be told.
var errSpan = errors.New("the file is written in a form that cannot be edited here")

// text is a file of which each part can be found in its bytes.
type text struct {
	raw      string
	lines    []int // where each begins
	body     ast.Node
	comments []remark
}

// remark is a comment, from its # to the end of the line.
type remark struct {
	at   int
	said string
}

// readText reads a file that ends its lines with line feeds.
func readText(raw string) (*text, error) {
	if strings.Contains(raw, "\r") {
		return nil, errSpan
	}
	tree, err := ParseTree([]byte(raw))
	if err != nil {
		return nil, err
	}
	list, err := tokens([]byte(raw))
	if err != nil {
		return nil, err
	}
	t := &text{raw: raw, body: tree.body, lines: []int{0}}
	for i := range len(raw) {
		if raw[i] == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	for _, x := range list {
		if x.Type != token.CommentType {
			continue
		}
		at := t.offset(Position{x.Position.Line, x.Position.Column})
		if at >= len(raw) || raw[at] != '#' {
			return nil, errSpan
		}
		t.comments = append(t.comments, remark{at, strings.TrimRight(raw[at:t.lineEnd(at)], " ")})
	}
	return t, nil
}

// offset is where a position is in the bytes; their end, if it is none of them.
func (t *text) offset(p Position) int {
	if p.Line < 1 || p.Line > len(t.lines) {
		return len(t.raw)
	}
	at := t.lines[p.Line-1]
	for n, r := range t.raw[at:] { // columns count runes
		if p.Column--; p.Column == 0 || r == '\n' {
			return at + n
		}
	}
	return len(t.raw)
}

// lineEnd is where the line of an offset ends, before its line feed.
func (t *text) lineEnd(at int) int {
	if n := strings.IndexByte(t.raw[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(t.raw)
}

// lineStart is where the line of an offset begins.
func (t *text) lineStart(at int) int { return strings.LastIndexByte(t.raw[:at], '\n') + 1 }

// indent is how many blanks are before a line's first letter.
func (t *text) indent(at int) int {
	line := t.raw[t.lineStart(at):]
	return len(line) - len(strings.TrimLeft(line, " "))
}

// start is where a node begins.
func (t *text) start(n ast.Node) int {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return t.start(n.Values[0])
		}
	case *ast.MappingValueNode:
		return t.offset(position(n.Key))
	}
	return t.offset(position(n))
}

// span is a node's part of the bytes. What is empty behind its key has none.
func (t *text) span(n ast.Node) (from, to int, err error) {
	from = t.start(n)
	last := ast.Node(nil)
	switch n := n.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return t.bracketed(from, n.End)
		}
		if len(n.Values) > 0 {
			last = n.Values[len(n.Values)-1].Value
		}
	case *ast.MappingValueNode:
		last = n.Value
	case *ast.SequenceNode:
		if n.IsFlowStyle {
			return t.bracketed(from, n.End)
		}
		if len(n.Values) > 0 {
			last = n.Values[len(n.Values)-1]
		}
	case *ast.LiteralNode:
		return from, t.literalEnd(from), nil
	default:
		return t.scalarSpan(from, n)
	}
	if last == nil {
		return 0, 0, errSpan
	}
	_, to, err = t.span(last)
	return from, to, err
}

func (t *text) bracketed(from int, end *token.Token) (int, int, error) {
	if end == nil || end.Position == nil {
		return 0, 0, errSpan
	}
	to := t.offset(Position{end.Position.Line, end.Position.Column})
	if to < from || to >= len(t.raw) || !strings.ContainsRune("]}", rune(t.raw[to])) {
		return 0, 0, errSpan
	}
	return from, to + 1, nil
}

// literalEnd is where a text behind | or > ends: before the first line that is no deeper than the
// line that began it.
func (t *text) literalEnd(from int) int {
	deep, to := t.indent(from), t.lineEnd(from)
	for next := to + 1; next < len(t.raw); next = t.lineEnd(next) + 1 {
		blank := strings.TrimSpace(t.raw[next:t.lineEnd(next)]) == ""
		if !blank && t.indent(next) <= deep {
			break
		}
		if !blank {
			to = t.lineEnd(next)
		}
	}
	return to
}

func (t *text) scalarSpan(from int, n ast.Node) (int, int, error) {
	rest := t.raw[from:]
	switch {
	case strings.HasPrefix(rest, `"`):
		for i := 1; i < len(rest); i++ {
			if rest[i] == '\\' {
				i++
			} else if rest[i] == '"' {
				return from, from + i + 1, nil
			}
		}
		return 0, 0, errSpan
	case strings.HasPrefix(rest, "'"):
		for i := 1; i < len(rest); i++ {
			if rest[i] == '\'' && strings.HasPrefix(rest[i+1:], "'") {
				i++
			} else if rest[i] == '\'' {
				return from, from + i + 1, nil
			}
		}
		return 0, 0, errSpan
	}
	origin := strings.TrimSpace(n.GetToken().Origin)
	if origin != "" && strings.HasPrefix(rest, origin) {
		return from, from + len(origin), nil
	}
	if _, empty := n.(*ast.NullNode); empty {
		back := strings.TrimRight(t.raw[:from], " \n") // behind the colon, or the dash
		return len(back), len(back), nil
	}
	return 0, 0, errSpan
}

// splice puts a text in the place of some bytes. Comments that stood there are written above the
// line of an offset that is before them, as deep as it.
func (t *text) splice(from, to int, put string, above int) string {
	line := t.lineStart(min(above, from))
	var kept strings.Builder
	for _, c := range t.comments {
		if c.at >= from && c.at < to && !strings.Contains(put, c.said) {
			kept.WriteString(strings.Repeat(" ", t.indent(line)) + c.said + "\n")
		}
	}
	return t.raw[:line] + kept.String() + t.raw[line:from] + put + t.raw[to:]
}

// remarks are the comments of a file, sorted.
func (t *text) remarks() []string {
	out := make([]string, len(t.comments))
	for i, c := range t.comments {
		out[i] = c.said
	}
	slices.Sort(out)
	return out
}
