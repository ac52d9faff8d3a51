package yamldoc

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// Wrong is the error of a file that can be read, and says what cannot be: a text, and the place of the value to which
// keys and indexes lead from the top, or as near to it as the file goes. It is a FileError.
func Wrong(name string, raw []byte, text string, path ...string) error {
	at := Position{1, 1}
	if tree, err := ParseTree(raw); err == nil && len(path) > 0 {
		at = tree.At(path, false)
	}
	return shown(name, raw, 0, &SyntaxError{Position: at, Text: text}, nil)
}

// Empty finds a key, or an entry of a list, that has no value, or an empty text: by keys and indexes from the top.
// Where a file may leave out each of its keys, one without a value was begun and forgotten.
func Empty(raw []byte) (path []string, found bool) {
	tree, err := ParseTree(raw)
	if err != nil {
		return nil, false
	}
	return emptyIn(tree.body, nil)
}

func emptyIn(n ast.Node, at []string) ([]string, bool) {
	switch n := n.(type) {
	case *ast.NullNode:
		return at, true
	case *ast.StringNode:
		return at, n.Value == ""
	case *ast.MappingNode, *ast.MappingValueNode:
		list, _ := pairs(n)
		for _, p := range list {
			if path, found := emptyIn(p.value, append(at[:len(at):len(at)], p.key)); found {
				return path, true
			}
		}
	case *ast.SequenceNode:
		for i, x := range n.Values {
			if path, found := emptyIn(x, append(at[:len(at):len(at)], strconv.Itoa(i))); found {
				return path, true
			}
		}
	}
	return nil, false
}
