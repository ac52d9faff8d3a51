package fleet

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sluice/register"

	"sluice/internal/pattern"
)

// indent is how deep entries stand below "sensors:".
const indent = "  "

// AppendEntry appends an entry as one line of a register's file: its keys in the order of
// register.Sensor, those without a value left out. What register.Parse reads of it is the same entry.
func AppendEntry(raw []byte, s *register.Sensor) []byte {
	raw = append(raw, indent+"- {"...)
	v, first := reflect.ValueOf(s).Elem(), true
	for _, f := range fields() {
		value := scalar(v.Field(f.number))
		if value == "" {
			continue
		}
		if !first {
			raw = append(raw, ", "...)
		}
		first = false
		raw = append(raw, f.key+": "+value...)
	}
	return append(raw, "}\n"...)
}

// scalar writes the value of a key; empty for none.
func scalar(v reflect.Value) string {
	if v.IsZero() {
		return ""
	}
	if m, writes := v.Interface().(encoding.TextMarshaler); writes {
		text, err := m.MarshalText()
		if err != nil {
			panic("fleet: a value of the register that cannot be written")
		}
		return string(text)
	}
	switch {
	case v.Kind() == reflect.String:
		return word(v.String())
	case v.Type() == reflect.TypeFor[*float64]():
		return strconv.FormatFloat(v.Elem().Float(), 'f', -1, 64)
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.Type() == reflect.TypeFor[map[string]string]():
		m := v.Interface().(map[string]string)
		list := make([]string, 0, len(m))
		for _, k := range slices.Sorted(maps.Keys(m)) {
			list = append(list, word(k)+": "+word(m[k]))
		}
		return "{" + strings.Join(list, ", ") + "}"
	}
	panic(fmt.Sprintf("fleet: a key of the register of a type that cannot be written: %s", v.Type()))
}

// bare is what needs no quotes: it begins with a letter, and nothing in it means anything in YAML.
var bare = pattern.New(`^[A-Za-z][A-Za-z0-9_./@-]*$`)

// meaning are words that mean something else than themselves to some reader of YAML.
var meaning = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"}

// word writes a text as YAML: bare, or in double quotes.
func word(s string) string {
	if bare.MatchString(s) && !slices.Contains(meaning, strings.ToLower(s)) {
		return s
	}
	if strings.ContainsAny(s, `\"`) {
		s = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
	}
	return `"` + s + `"`
}
