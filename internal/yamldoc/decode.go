// Package yamldoc reads YAML files that people write, and only what they need: YAML 1.2, one
// document of at most 1 MiB, without anchors, tags and a second way to write anything. A key that
// is not known is refused, and so is a value of another type. An error is a SyntaxError: it names
// file, line and column, shows the line, and says in three languages what was probably meant.
package yamldoc

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Decode reads YAML strictly into v, a pointer to a struct whose fields have yaml
// or json tags. A value has the type of its field and no other: 10.9 or "10" is no
// whole number, 10 is no text. A key that v does not have is refused, and so is
// one that is there twice; what is empty is as if it were not there. Errors name
// the file, line and column, and show the line.
//
// The library's own decoder cuts 10.9 to 10, takes "1" for a number, and walks
// the whole document for every date.
func Decode(name string, raw []byte, v any) error {
	if err := decode(raw, v); err != nil {
		return shown(name, raw, 0, err, v)
	}
	return nil
}

// FileError is a SyntaxError with the file's name and the line shown.
type FileError struct {
	*SyntaxError
	shown string
}

func (e *FileError) Error() string { return e.shown }
func (e *FileError) Unwrap() error { return e.SyntaxError }

func decode(raw []byte, v any) error {
	tree, err := ParseTree(raw)
	if err != nil {
		return err
	}
	if _, err := tree.plain(); err != nil {
		return err // also what no field of v would look at
	}
	return set(tree.body, reflect.ValueOf(v).Elem())
}

// maxExcerpt is how much of a line is shown, in characters.
const maxExcerpt = 120

// excerpt shows the line and points at the column; raw is behind so many lines of
// the file.
func excerpt(raw []byte, at Position, before int) string {
	lines := strings.Split(string(raw), "\n")
	if at.Line < 1 || at.Line > len(lines) {
		return ""
	}
	line := []rune(strings.TrimRight(lines[at.Line-1], "\r"))
	if len(line) == 0 || at.Column > maxExcerpt {
		return ""
	}
	return fmt.Sprintf("\n>  %d | %s\n%s^", at.Line+before, string(line[:min(len(line), maxExcerpt)]),
		strings.Repeat(" ", len(fmt.Sprintf(">  %d | ", at.Line+before))+max(0, at.Column-1)))
}

// yamlUnmarshaler is a type with two forms, such as a word or a mapping.
type yamlUnmarshaler interface {
	UnmarshalYAML(unmarshal func(any) error) error
}

// set puts what a node says into a value. The error is a SyntaxError.
func set(n ast.Node, v reflect.Value) error {
	if v.CanAddr() && n.Type() != ast.NullType {
		switch u := v.Addr().Interface().(type) {
		case yamlUnmarshaler:
			return placed(n, u.UnmarshalYAML(func(into any) error { return set(n, reflect.ValueOf(into).Elem()) }))
		case encoding.TextUnmarshaler:
			text, err := word(n)
			if err != nil {
				return err
			}
			return placed(n, u.UnmarshalText([]byte(text)))
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.Type() == ast.NullType {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return set(n, v.Elem())
	case reflect.Struct:
		return setStruct(n, v)
	case reflect.Map:
		return setMap(n, v)
	case reflect.Slice:
		return setSlice(n, v)
	}
	return setScalar(n, v)
}

// placed gives an error the place of a node, where it has none.
func placed(n ast.Node, err error) error {
	if err == nil || errors.As(err, new(*SyntaxError)) {
		return err
	}
	return &SyntaxError{Position: position(n), Text: err.Error()}
}

// word is a scalar as it is written, for types that read text.
func word(n ast.Node) (string, error) {
	v, err := scalar(n)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case int64, float64:
		return n.GetToken().Value, nil
	}
	return "", &SyntaxError{Position: position(n), Text: "a word or a number is wanted here"}
}

func setStruct(n ast.Node, v reflect.Value) error {
	if n.Type() == ast.NullType {
		return nil
	}
	if !isMapping(n) {
		return &SyntaxError{Position: position(n),
			Text: "keys with values are wanted here: " + strings.Join(slices.Sorted(fieldNames(v.Type())), ", ")}
	}
	list, err := pairs(n)
	if err != nil {
		return err
	}
	for _, p := range list {
		f, known := field(v, p.key)
		if !known {
			return &SyntaxError{Position: position(p.at), Text: fmt.Sprintf("unknown field %q", p.key)}
		}
		if err := set(p.value, f); err != nil {
			return err
		}
	}
	return nil
}

func isMapping(n ast.Node) bool {
	return n.Type() == ast.MappingType || n.Type() == ast.MappingValueType
}

func setMap(n ast.Node, v reflect.Value) error {
	if n.Type() == ast.NullType {
		return nil
	}
	if !isMapping(n) {
		return &SyntaxError{Position: position(n), Text: "keys with values are wanted here"}
	}
	list, err := pairs(n)
	if err != nil {
		return err
	}
	out := reflect.MakeMapWithSize(v.Type(), len(list))
	for _, p := range list {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := set(p.value, item); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(p.key), item)
	}
	v.Set(out)
	return nil
}

func setSlice(n ast.Node, v reflect.Value) error {
	if n.Type() == ast.NullType {
		return nil
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return &SyntaxError{Position: position(n), Text: "a list is wanted here: [A, B]"}
	}
	out := reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values))
	for i, x := range list.Values {
		if err := set(x, out.Index(i)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func setScalar(n ast.Node, v reflect.Value) error {
	x, err := scalar(n)
	if err != nil || x == nil {
		return err
	}
	switch v.Kind() {
	case reflect.Interface:
		v.Set(reflect.ValueOf(x))
		return nil
	case reflect.String:
		if s, ok := x.(string); ok {
			v.SetString(s)
			return nil
		}
		return &SyntaxError{Position: position(n), Text: "text is wanted here; put it into quotes"}
	case reflect.Bool:
		if b, ok := x.(bool); ok {
			v.SetBool(b)
			return nil
		}
		return &SyntaxError{Position: position(n), Text: "true or false is wanted here"}
	case reflect.Int, reflect.Int64:
		if i, ok := x.(int64); ok {
			v.SetInt(i)
			return nil
		}
		return &SyntaxError{Position: position(n), Text: "a whole number such as 10 is wanted here, without quotes"}
	case reflect.Float64:
		switch x := x.(type) {
		case int64:
			v.SetFloat(float64(x))
			return exactly(n, x)
		case float64:
			v.SetFloat(x)
			return nil
		}
		return &SyntaxError{Position: position(n), Text: "a number such as 0.5 is wanted here, without quotes"}
	}
	return &SyntaxError{Position: position(n), Text: "this cannot be read here"}
}

// exactly refuses a whole number that a float64 would round.
func exactly(n ast.Node, x int64) error {
	if x > 1<<53 || x < -1<<53 || math.Abs(float64(x)) > 1<<53 {
		return &SyntaxError{Position: position(n), Text: "not a number that can be used here"}
	}
	return nil
}

// field finds a struct's field by its key: exactly, since Key and key are two.
func field(v reflect.Value, key string) (reflect.Value, bool) {
	t := v.Type()
	for i := range t.NumField() {
		if keyOf(t.Field(i)) == key {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// keyOf is a field's key in files, or empty.
func keyOf(f reflect.StructField) string {
	for _, tag := range []string{"yaml", "json"} {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" {
			return strings.TrimPrefix(name, "-")
		}
	}
	return ""
}

func fieldNames(t reflect.Type) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range t.NumField() {
			if name := keyOf(t.Field(i)); name != "" && !yield(name) {
				return
			}
		}
	}
}
