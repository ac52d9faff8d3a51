package decision

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

// Position is a place in a file; lines and columns count from 1.
type Position struct{ Line, Column int }

// Tree is a YAML file of which places can be found.
type Tree struct {
	raw  []byte
	body ast.Node
}

// SyntaxError is where and why a file is no YAML as it is used here.
type SyntaxError struct {
	Position
	Text string // in English
	said said
	args []any
}

func (e *SyntaxError) Error() string { return e.Text }

var place = regexp.MustCompile(`^\[(\d+):(\d+)\]\s*(.*)`)

// ParseTree reads the file's shape: one document, within bounds, in the forms of
// YAML that are used here. The error is a SyntaxError.
func ParseTree(raw []byte) (tree *Tree, err error) {
	list, err := tokens(raw)
	if err != nil {
		return nil, err
	}
	// The parser is others' code, and the file may be a stranger's.
	defer func() {
		if recover() != nil {
			tree, err = nil, slipOf(raw, Position{1, 1}, "")
		}
	}()
	file, err := parser.Parse(list, 0)
	if err != nil {
		at, reason := Position{1, 1}, ""
		first, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
		if m := place.FindStringSubmatch(first); m != nil {
			at.Line, _ = strconv.Atoi(m[1])
			at.Column, _ = strconv.Atoi(m[2])
			reason = m[3]
		}
		return nil, slipOf(raw, at, reason)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, slip(Position{1, 1}, empty)
	}
	return &Tree{raw, file.Docs[0].Body}, nil
}

// Value is the file as JSON. The error is a SyntaxError.
func (t *Tree) Value() ([]byte, error) {
	v, err := t.plain()
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func (t *Tree) plain() (any, error) { return plain(t.body) }

// plain turns nodes into what encoding/json writes.
func plain(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return plainMap(n)
	case *ast.SequenceNode:
		list := []any{}
		for _, x := range n.Values {
			v, err := plain(x)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return scalar(n)
}

func plainMap(n ast.Node) (any, error) {
	pairs, err := pairs(n)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(pairs))
	for _, p := range pairs {
		if out[p.key], err = plain(p.value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// At is where a value stands, by keys and indexes from the top; as near to it as
// the file goes. With key it is the key of the last step instead.
func (t *Tree) At(path []string, key bool) Position {
	node := t.body
	at := position(node)
	for i, step := range path {
		keyNode, value := child(node, step)
		if value == nil {
			break
		}
		at = position(value)
		if keyNode != nil && (at.Line == 0 || isBlock(value) || key && i == len(path)-1) {
			at = position(keyNode)
		}
		node = value
	}
	if at.Line == 0 {
		at = Position{1, 1}
	}
	return at
}

func isBlock(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MappingNode:
		return !n.IsFlowStyle
	case *ast.MappingValueNode:
		return true
	case *ast.SequenceNode:
		return !n.IsFlowStyle
	}
	return false
}

func position(n ast.Node) Position {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Position{}
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		return position(m.Key)
	}
	p := n.GetToken().Position
	return Position{p.Line, p.Column}
}

func child(n ast.Node, step string) (key, value ast.Node) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			if k, x := child(v, step); x != nil {
				return k, x
			}
		}
	case *ast.MappingValueNode:
		if n.Key.GetToken() != nil && strings.Trim(n.Key.GetToken().Value, `"'`) == step {
			return n.Key, n.Value
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Values) {
			return nil, n.Values[i]
		}
	case *ast.TagNode:
		return child(n.Value, step)
	}
	return nil, nil
}

// Tidy is the file in its usual layout: comments and order are kept, trailing
// blanks go, and the file ends with one line feed. What it says stays the same.
func Tidy(raw []byte) ([]byte, error) {
	before, err := value(raw)
	if err != nil {
		return nil, err
	}
	out := layout(raw)
	after, err := value(out)
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

// layout works on lines, so that comments stay where they are: carriage returns,
// blanks at the end of a line and more than one empty line in a row go; a comment
// has a blank behind its #.
func layout(raw []byte) []byte {
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
		if n := strings.Count(strings.TrimRight(t.Origin, "\n"), "\n"); n > 0 && t.Value != "" && i > 0 && strings.Contains(t.Value, "\n") {
			for line := t.Position.Line; line <= t.Position.Line+n; line++ {
				out[line] = true
			}
		}
	}
	return out
}
