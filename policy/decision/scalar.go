package decision

import (
	"math"
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A value has one way to be written, so that whoever reads the file, in whatever
// editor, reads what the gateway reads: numbers as in JSON (RFC 8259 section 6),
// true and false, and text that could be taken for either in quotes.
var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	anyNumber   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	// likeNumber is what YAML 1.2 takes for a number, and the parser for text.
	likeNumber = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// scalar is what one value says: nil, a bool, an int64, a uint64, a float64 or a
// string. The error is a SyntaxError.
func scalar(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.NullNode:
		return nil, nil
	case *ast.BoolNode:
		if text := n.Token.Value; text != "true" && text != "false" {
			return nil, &SyntaxError{position(n), "write true or false"}
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
	return nil, &SyntaxError{position(n), "this form of YAML is not used here"}
}

// numeral reads a number in its one form.
func numeral(n ast.Node) (any, error) {
	bad := func(text string) error { return &SyntaxError{position(n), text} }
	t := n.GetToken()
	if t == nil || !anyNumber.MatchString(t.Value) {
		return nil, bad("a number is written as in 10, 0.5 or 1e-6; text goes into quotes")
	}
	if wholeNumber.MatchString(t.Value) {
		if i, err := strconv.ParseInt(t.Value, 10, 64); err == nil {
			return i, nil
		}
		return nil, bad("not a number that can be used here")
	}
	f, err := strconv.ParseFloat(t.Value, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, bad("not a number that can be used here")
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
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			return nil, &SyntaxError{position(v.Key), "a key is text; put it into quotes"}
		}
		if seen[key.Value] {
			return nil, &SyntaxError{position(key), "the key " + strconv.Quote(key.Value) + " is there twice"}
		}
		seen[key.Value] = true
		out = append(out, pair{key.Value, key, v.Value})
	}
	return out, nil
}
