package yamldoc

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"sluice/internal/pattern"
)

var unknownField = pattern.New(`unknown field "([^"]*)"`)

// hint says what may have been meant where an error is about an unknown key: the
// nearest key that v has anywhere, or all of them.
func hint(problem string, v any) string {
	m := unknownField.FindStringSubmatch(problem)
	if m == nil {
		return ""
	}
	known := make(map[string]bool)
	keys(reflect.TypeOf(v), known, 0)
	best := Nearest(m[1], slices.Collect(maps.Keys(known)))
	if best != "" && !known[m[1]] {
		return "; did you mean " + best + "?"
	}
	if known[m[1]] {
		return "; this key belongs elsewhere in the file"
	}
	return "; known keys are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}

// Nearest is the known name that differs from another in two letters or fewer, and has one
// in common, the first by the alphabet where several do, or empty.
func Nearest(name string, known []string) string {
	best, distance := "", 3
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := apart(strings.ToLower(name), k); d < distance && d < max(len([]rune(name)), len([]rune(k))) {
			best, distance = k, d
		}
	}
	return best
}

// apart is how many letters differ. Letters in another order are the commonest slip, and
// count as one.
func apart(a, b string) int {
	one, other := []rune(a), []rune(b)
	slices.Sort(one)
	slices.Sort(other)
	if a != b && slices.Equal(one, other) {
		return 1
	}
	return levenshtein.ComputeDistance(a, b)
}

// keys collects the yaml keys of a type and all that it holds.
func keys(t reflect.Type, into map[string]bool, depth int) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || depth > 6 {
		return
	}
	for i := range t.NumField() {
		if name := keyOf(t.Field(i)); name != "" {
			into[name] = true
			keys(t.Field(i).Type, into, depth+1)
		}
	}
}
