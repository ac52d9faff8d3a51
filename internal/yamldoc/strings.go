package yamldoc

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// StringAt is a value of a file and its place, by keys and indexes with slashes between.
type StringAt struct{ Place, Text string }

// Strings are all values of the file that are text, a date among them, in its order. An
// empty value of a key is a text that says nothing.
func (t *Tree) Strings() []StringAt {
	var out []StringAt
	collect(t.body, "", &out)
	return out
}

func collect(n ast.Node, place string, out *[]StringAt) {
	below := func(step string) string {
		if place == "" {
			return step
		}
		return place + "/" + step
	}
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		list, err := pairs(n)
		if err != nil {
			return
		}
		for _, p := range list {
			collect(p.value, below(p.key), out)
		}
	case *ast.SequenceNode:
		for i, x := range n.Values {
			collect(x, below(strconv.Itoa(i)), out)
		}
	default:
		switch v, err := scalar(n); v := v.(type) {
		case string:
			*out = append(*out, StringAt{place, v})
		case nil:
			if err == nil {
				*out = append(*out, StringAt{place, ""})
			}
		}
	}
}
