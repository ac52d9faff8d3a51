package yamldoc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// Pair is a key with its value.
type Pair struct {
	Key   string
	Value any
}

// Pairs are a mapping in the order of its keys. What values are: nil, bool, string, a number
// (int64, uint64, float64, or json.Number, which is written as it is), []any and Pairs.
type Pairs []Pair

// Get is the value of a key, or nil.
func (p Pairs) Get(key string) any {
	if i := p.index(key); i >= 0 {
		return p[i].Value
	}
	return nil
}

// Put is the mapping with a key's value, which is put last where it is new; nil takes the key out.
func (p Pairs) Put(key string, v any) Pairs {
	i := p.index(key)
	switch {
	case v == nil && i < 0:
		return p
	case v == nil:
		return slices.Delete(slices.Clone(p), i, i+1)
	case i < 0:
		return append(slices.Clone(p), Pair{key, v})
	}
	p = slices.Clone(p)
	p[i].Value = v
	return p
}

func (p Pairs) index(key string) int {
	return slices.IndexFunc(p, func(x Pair) bool { return x.Key == key })
}

// In is the value to which keys and indexes lead, or nil.
func In(v any, path ...string) any {
	for _, step := range path {
		switch x := v.(type) {
		case Pairs:
			v = x.Get(step)
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// With is the value with another one put where keys and indexes lead; nil takes it out. Mappings on
// the way are made where they are missing, and a list grows by one.
func With(v any, put any, path ...string) (any, error) {
	if len(path) == 0 {
		return put, nil
	}
	switch x := v.(type) {
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i > len(x) {
			return nil, fmt.Errorf("a list of %d has no %q", len(x), path[0])
		}
		x = slices.Clone(x)
		if i == len(x) {
			x = append(x, nil)
		}
		if x[i], err = With(x[i], put, path[1:]...); err != nil {
			return nil, err
		}
		if x[i] == nil {
			x = slices.Delete(x, i, i+1)
		}
		return x, nil
	case Pairs, nil:
		pairs, _ := x.(Pairs)
		if pairs == nil && put == nil {
			return nil, nil
		}
		below, err := With(pairs.Get(path[0]), put, path[1:]...)
		return pairs.Put(path[0], below), err
	}
	return nil, fmt.Errorf("%q is in no mapping and no list", path[0])
}

// Ordered is what the file says, its mappings as Pairs.
func (t *Tree) Ordered() (any, error) { return ordered(t.body) }

func ordered(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		list, err := pairs(n)
		if err != nil {
			return nil, err
		}
		out := make(Pairs, len(list))
		for i, p := range list {
			out[i].Key = p.key
			if out[i].Value, err = ordered(p.value); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *ast.SequenceNode:
		out := make([]any, len(n.Values))
		for i, x := range n.Values {
			var err error
			if out[i], err = ordered(x); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return scalar(n)
}

// Same reports whether two values say the same: mappings in any order, numbers by their value.
func Same(a, b any) bool { return reflect.DeepEqual(canonical(a), canonical(b)) }

func canonical(v any) any {
	switch v := v.(type) {
	case Pairs:
		out := make(map[string]any, len(v))
		for _, p := range v {
			out[p.Key] = canonical(p.Value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = canonical(v[i])
		}
		return out
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
		return string(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case int:
		return float64(v)
	}
	return v
}
