package format

import "github.com/valyala/fastjson"

// lookup finds a value by its keys, and notes where one of them comes twice in its object: nobody knows then which of
// the two is meant, and parsers differ in which they take.
type lookup struct {
	visit func(key []byte, v *fastjson.Value)
	key   string
	found *fastjson.Value
	twice bool
}

func newLookup() *lookup {
	l := &lookup{}
	l.visit = func(key []byte, v *fastjson.Value) {
		switch {
		case string(key) != l.key:
		case l.found == nil:
			l.found = v
		default:
			l.twice = true
		}
	}
	return l
}

// get is Value.Get that looks at every key.
func (l *lookup) get(v *fastjson.Value, path []string) *fastjson.Value {
	for _, key := range path {
		if v = l.one(v, key); v == nil {
			return nil
		}
	}
	return v
}

// array is get for a list; none where there is something else.
func (l *lookup) array(v *fastjson.Value, path []string) []*fastjson.Value {
	if v = l.get(v, path); v == nil {
		return nil
	}
	return v.GetArray()
}

func (l *lookup) one(v *fastjson.Value, key string) *fastjson.Value {
	if v.Type() != fastjson.TypeObject {
		return v.Get(key)
	}
	l.key, l.found = key, nil
	v.GetObject().Visit(l.visit)
	found := l.found
	l.found = nil
	return found
}

// repeated reports whether a key came twice since it was asked last.
func (l *lookup) repeated() bool {
	twice := l.twice
	l.twice = false
	return twice
}
