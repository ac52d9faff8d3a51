package yamldoc

import (
	"math"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"sluice/internal/pattern"
)

// A value has one way to be written, so that whoever reads the file, in whatever
// editor, reads what the gateway reads: numbers as in JSON (RFC 8259 section 6),
// true and false, and text that could be taken for either in quotes.
var (
	wholeNumber = pattern.New(`^-?(0|[1-9][0-9]*)$`)
	anyNumber   = pattern.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	// likeNumber is what YAML 1.2 takes for a number, and the parser for text.
	likeNumber = pattern.New(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// scalar is what one value says: nil, a bool, an int64, a uint64, a float64 or a
// string. The error is a SyntaxError.
func scalar(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.NullNode:
		return nil, nil
	case *ast.BoolNode:
		if text := n.Token.Value; text != "true" && text != "false" {
			return nil, slip(position(n), writeBool)
		}
		return n.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return numeral(n)
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.StringNode:
		if t := n.GetToken(); t != nil && t.Type == token.StringType && likeNumber.MatchString(n.Value) {
			return numeral(n)
		}
		return n.Value, nil
	}
	return nil, slip(position(n), oddForm)
}

// numeral reads a number in its one form.
func numeral(n ast.Node) (any, error) {
	bad := func(s said) error { return slip(position(n), s) }
	t := n.GetToken()
	if t == nil || !anyNumber.MatchString(t.Value) {
		return nil, bad(writeNumber)
	}
	if wholeNumber.MatchString(t.Value) {
		if i, err := strconv.ParseInt(t.Value, 10, 64); err == nil {
			return i, nil
		}
		return nil, bad(unusableNumber)
	}
	f, err := strconv.ParseFloat(t.Value, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, bad(unusableNumber)
	}
	return f, nil
}

// pair is one key of a mapping with its value.
type pair struct {
	key   string
	at    ast.Node // the key
	value ast.Node
}

// pairs are the keys of a mapping in the order of the file, each there once.
func pairs(n ast.Node) ([]pair, error) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	}
	out := make([]pair, 0, len(values))
	first := make(map[string]Position, len(values))
	for _, v := range values {
		key, ok := v.Key.(*ast.StringNode)
		if _, number := v.Key.(*ast.IntegerNode); number && v.Value != nil && v.Value.Type() == ast.NullType {
			return nil, slip(position(v.Key), decimalComma)
		}
		if !ok {
			return nil, slip(position(v.Key), keyIsText)
		}
		if _, twice := first[key.Value]; twice {
			return nil, slip(position(key), twiceKey, key.Value, first[key.Value].Line)
		}
		first[key.Value] = position(key)
		out = append(out, pair{key.Value, key, v.Value})
	}
	return out, nil
}
