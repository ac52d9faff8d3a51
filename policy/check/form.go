package check

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/internal/yamldoc"
)

// form is what is wrong with a value in the eyes of the form that it was most likely meant
// to have; nil where none is nearest, and the mistake has been noted as a whole.
func (c *checker) form(
	file string, e *jsonschema.ValidationError, here *jsonschema.Schema, value any,
) *jsonschema.ValidationError {
	if here == nil || len(e.Causes) != len(here.OneOf) {
		c.note(file, e, "S07", here)
		return nil
	}
	var fit []int // forms of the value's sort
	var wanted sorts
	for i, form := range here.OneOf {
		names := form.Types.ToStrings()
		wanted = append(wanted, names...)
		if slices.Contains(names, sortOf(value)) {
			fit = append(fit, i)
		}
	}
	text, isText := value.(string)
	keys, isMap := value.(map[string]any)
	switch {
	case len(fit) == 0 && value == nil, isText && text == "":
		c.ofCase("empty", file, e, "S04", here, distinct(wanted))
	case len(fit) == 0:
		c.note(file, e, "S04", here, distinct(wanted))
	case isMap:
		return c.formOf(file, e, here, fit, keys)
	case isText && here.OneOf[fit[0]].Enum != nil && yamldoc.Nearest(text, oneOfTexts(here.OneOf[fit[0]].Enum)) == "":
		c.note(file, e, "S07", here) // another form may be meant
	default:
		return e.Causes[fit[0]]
	}
	return nil
}

// formOf is the form that has most of the keys.
func (c *checker) formOf(
	file string, e *jsonschema.ValidationError, here *jsonschema.Schema, fit []int, keys map[string]any,
) *jsonschema.ValidationError {
	best, most, tie := -1, 0, false
	all := make(map[string]bool) // keys of any form
	for _, i := range fit {
		known := 0
		for key := range keys {
			if has(here.OneOf[i], key) {
				known++
				all[key] = true
			}
		}
		tie = known == most && best >= 0 || tie && known < most
		if known > most || best < 0 {
			best, most, tie = i, known, false
		}
	}
	names := slices.Sorted(maps.Keys(all))
	switch {
	case len(keys) == 0:
		c.ofCase("empty", file, e, "S07", here)
	case len(all) > most:
		c.ofCase("mixed", file, e, "S07", here, strings.Join(names, ", "))
	case tie && most > 0:
		c.ofCase("little", file, e, "S07", here, strings.Join(names, ", "))
	case most == 0:
		c.ofCase("other", file, e, "S07", here, strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
	default:
		return e.Causes[best]
	}
	return nil
}

// has reports whether a form has a key.
func has(form *jsonschema.Schema, key string) bool {
	if form.Properties[key] != nil {
		return true
	}
	for pattern := range form.PatternProperties {
		if pattern.MatchString(key) {
			return true
		}
	}
	return false
}

// properties are the keys that a value can have, in any of its forms.
func properties(s *jsonschema.Schema) map[string]*jsonschema.Schema {
	out := make(map[string]*jsonschema.Schema)
	if s != nil {
		maps.Copy(out, s.Properties)
		for _, form := range s.OneOf {
			maps.Copy(out, form.Properties)
		}
	}
	return out
}

// inside is the part of a JSON value at a place, or nil.
func inside(value any, place []string) any {
	for _, step := range place {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// sortOf is a JSON value's type, as schemas name it.
func sortOf(value any) string {
	switch value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case nil:
		return "null"
	}
	return "number"
}

func distinct(s sorts) sorts {
	slices.Sort(s)
	slices.Reverse(s) // text is said before keys with values
	return slices.Compact(s)
}

func oneOfTexts(e *jsonschema.Enum) (out []string) {
	for _, v := range e.Values {
		if text, ok := v.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// isList reports whether a schema is a list's.
func isList(s *jsonschema.Schema) bool {
	if s == nil {
		return false
	}
	_, list := s.Items.(*jsonschema.Schema)
	return list
}
