// Package structure says how a message is built, without anything that it says: JSON pointers and
// types. A technician maps an unknown device by them.
//
// A value is never kept. An element of an array is element 0, so that nobody sees how many there
// were. A key is data as well (a list by address, a plate, a name), so it is shown only where it
// looks like a name that somebody gave to a field (Plain), and is * otherwise; so are all keys of
// an object of which half are not shown, or that has more than MaxKeys. A message
//
//	{"battery": 3.1, "seen": {"02005e100001": [{"rssi": -60}, {"rssi": -71}]}}
//
// is
//
//	/battery          number
//	/seen/*/0/rssi    number
//
// What it cannot tell from a field is a single word that is somebody's name: decision 43.
package structure

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Bounds of what is read and kept of a message.
const (
	MaxBytes  = 64 << 10
	MaxValues = 100
	MaxKeys   = 32
	maxDepth  = 16
)

// Value is where something is and what type of JSON it has: string, number, bool, null, or object
// and array where those are empty or too deep.
type Value struct{ Pointer, Type string }

// Of is how a message of JSON is built, sorted; more says that it has more than that. A message
// that is too long, or no JSON, has no structure.
func Of(payload []byte) (values []Value, more, ok bool) {
	if len(payload) > MaxBytes {
		return nil, false, false
	}
	var root any
	if json.Unmarshal(payload, &root) != nil {
		return nil, false, false
	}
	w := walker{found: make(map[Value]bool)}
	w.walk("", root, 0)
	values = slices.SortedFunc(maps.Keys(w.found), func(a, b Value) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Type, b.Type))
	})
	return values, w.more, true
}

// walker gathers what it finds.
type walker struct {
	found map[Value]bool
	more  bool
}

func (w *walker) add(pointer, typ string) {
	v := Value{pointer, typ}
	if !w.found[v] && len(w.found) >= MaxValues {
		w.more = true
		return
	}
	w.found[v] = true
}

func (w *walker) walk(pointer string, value any, depth int) {
	switch v := value.(type) {
	case nil:
		w.add(pointer, "null")
	case bool:
		w.add(pointer, "bool")
	case float64:
		w.add(pointer, "number")
	case string:
		w.add(pointer, "string")
	case []any:
		if len(v) == 0 || depth >= maxDepth {
			w.add(pointer, "array")
			return
		}
		for _, one := range v {
			w.walk(pointer+"/0", one, depth+1)
		}
	case map[string]any:
		if len(v) == 0 || depth >= maxDepth {
			w.add(pointer, "object")
			return
		}
		named := isRecord(v)
		for key, one := range v {
			if !named || !Plain(key) {
				key = "*"
			}
			w.walk(pointer+"/"+key, one, depth+1)
		}
	}
}

// isRecord reports whether an object has fields: one of many keys, or of which half do not look
// like a field's, is a list by something.
func isRecord(object map[string]any) bool {
	hidden := 0
	for key := range object {
		if !Plain(key) {
			hidden++
		}
	}
	return len(object) <= MaxKeys && (hidden < 2 || 2*hidden < len(object))
}
