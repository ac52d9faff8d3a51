package yamldoc

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"sluice/internal/pattern"
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

var place = pattern.New(`^\[(\d+):(\d+)\]\s*(.*)`)

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

// Path is the way by keys and indexes to what stands at a position, or last before it: the other way
// of At.
func (t *Tree) Path(at Position) []string {
	var best []string
	var walk func(n ast.Node, path []string)
	walk = func(n ast.Node, path []string) {
		list, err := pairs(n)
		if err != nil {
			return
		}
		for _, p := range list {
			if !position(p.at).behind(at) {
				best = append(path[:len(path):len(path)], p.key)
				walk(p.value, best)
			}
		}
		if seq, ok := n.(*ast.SequenceNode); ok {
			for i, x := range seq.Values {
				if !position(x).behind(at) {
					best = append(path[:len(path):len(path)], strconv.Itoa(i))
					walk(x, best)
				}
			}
		}
	}
	walk(t.body, nil)
	return best
}

// behind reports whether a position is behind another.
func (p Position) behind(other Position) bool {
	return p.Line > other.Line || p.Line == other.Line && p.Column > other.Column
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
