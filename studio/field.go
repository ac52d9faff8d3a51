package studio

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/yamldoc"

	"sluice/internal/pattern"
)

// option is one of the values that a field can have.
type option struct {
	Value, Label string
	On           bool
}

// field is one field of a form over a YAML file: where its value stands there, and how it is shown.
type field struct {
	// Name is the way to the value: keys and indexes, joined by dots.
	Name string
	// Sort is text, area, number, date, select or checks.
	Sort        string
	Label, Help string
	Lang        string // of what is written in it; empty for no language's
	Value       string
	Options     []option
	Wrong       []sentence
	// Focus: the page opens at it.
	Focus bool

	// read and write are how it is read from, and written into, what the file says; nil for a text.
	read  func(v any) []string
	write func(v any, said []string) (any, error)
}

// Path is the way as a list.
func (f field) Path() []string { return strings.Split(f.Name, ".") }

// ID is the field's id in the page.
func (f field) ID() string { return "f-" + strings.ReplaceAll(f.Name, ".", "-") }

// shows are the values that it shows of a file.
func (f field) shows(v any) []string {
	if f.read != nil {
		return f.read(v)
	}
	return one(spelled(yamldoc.In(v, f.Path()...)))
}

// put is the file's value with what was written in the field. What the field showed of the value
// that the form was made of stays as it is.
func (f field) put(v, made any, sent []string) (any, error) {
	var said []string
	for _, x := range sent {
		if x = tidied(x); x != "" { // a form's way to say none
			said = append(said, x)
		}
	}
	shown := slices.Clone(f.shows(made))
	for i := range shown {
		shown[i] = tidied(shown[i])
	}
	if slices.Equal(shown, said) {
		return v, nil
	}
	if f.Sort == "number" && yamldoc.Same(numeral(strings.Join(shown, "")), numeral(strings.Join(said, ""))) {
		return v, nil // 1,5 and 1.5
	}
	if f.write != nil {
		return f.write(v, said)
	}
	text := strings.Join(said, " ")
	if f.Sort == "number" {
		return yamldoc.With(v, numeral(text), f.Path()...)
	}
	return yamldoc.With(v, orNothing(text), f.Path()...)
}

// tidied is a text as a browser's form keeps it, without blanks around it.
func tidied(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"))
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// orNothing takes a key out where nothing is written.
func orNothing(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// number is what a file can say as one.
var number = pattern.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// numeral is a number, a comma taken for the point; what is none stays a text, of which check says
// what is wrong.
func numeral(text string) any {
	if text == "" {
		return nil
	}
	if pointed := strings.Replace(text, ",", ".", 1); number.MatchString(pointed) {
		return json.Number(pointed)
	}
	return text
}

// spelled is a scalar as a person writes it.
func spelled(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case json.Number:
		return string(v)
	case float64:
		return exponent.ReplaceAllString(strconv.FormatFloat(v, 'g', -1, 64), "e$1")
	}
	return ""
}

// exponent has a zero that nobody writes.
var exponent = pattern.New(`e(-?)\+?0*`)

// listed are the entries of a list of scalars.
func listed(v any, path ...string) (out []string) {
	list, _ := yamldoc.In(v, path...).([]any)
	for _, x := range list {
		out = append(out, spelled(x))
	}
	return out
}

// checks is a field whose value is a list of some of its options; those that were there keep their
// order.
func checks(f field) field {
	f.Sort = "checks"
	f.read = func(v any) []string { return listed(v, f.Path()...) }
	f.write = func(v any, said []string) (any, error) {
		var out []any
		for _, x := range listed(v, f.Path()...) {
			if slices.Contains(said, x) {
				out = append(out, x)
			}
		}
		for _, x := range said {
			if x != "" && !slices.Contains(out, any(x)) {
				out = append(out, x)
			}
		}
		if out == nil {
			out = []any{}
		}
		return yamldoc.With(v, out, f.Path()...)
	}
	return f
}

func isAny(of string) func(rune) bool {
	return func(r rune) bool { return strings.ContainsRune(of, r) }
}

// numbers is a field with a list of numbers, written with blanks or semicolons between.
func numbers(f field) field {
	f.Sort = "text"
	f.read = func(v any) []string { return one(strings.Join(listed(v, f.Path()...), " ")) }
	f.write = func(v any, said []string) (any, error) {
		var out []any
		for _, x := range strings.FieldsFunc(strings.Join(said, " "), isAny(" ;")) {
			out = append(out, numeral(strings.TrimSuffix(x, ",")))
		}
		if out == nil {
			return yamldoc.With(v, nil, f.Path()...)
		}
		return yamldoc.With(v, out, f.Path()...)
	}
	return f
}

// wordList is a field with a list of words.
func wordList(f field) field {
	f.Sort = "text"
	f.read = func(v any) []string { return one(strings.Join(listed(v, f.Path()...), " ")) }
	f.write = func(v any, said []string) (any, error) {
		out := []any{}
		for _, x := range strings.FieldsFunc(strings.Join(said, " "), isAny(" ,")) {
			out = append(out, x)
		}
		return yamldoc.With(v, out, f.Path()...)
	}
	return f
}

// filled is the field with what a file says in it. A value that is none of its options is one more.
func (f field) filled(v any) field {
	said := f.shows(v)
	f.Value = strings.Join(said, " ")
	f.Options = slices.Clone(f.Options)
	for i := range f.Options {
		f.Options[i].On = slices.Contains(said, f.Options[i].Value)
	}
	for _, x := range said {
		known := slices.ContainsFunc(f.Options, func(o option) bool { return o.Value == x })
		if (f.Sort == "select" || f.Sort == "checks") && !known {
			f.Options = append(f.Options, option{x, x, true})
		}
	}
	if f.Sort == "date" && f.Value != "" && !day.MatchString(f.Value) {
		f.Sort = "text"
	}
	if f.Sort == "select" && len(said) == 0 && (len(f.Options) == 0 || f.Options[0].Value != "") {
		f.Options = append([]option{{"", "", true}}, f.Options...)
	}
	return f
}

// day is a date as browsers' fields of dates know it.
var day = pattern.New(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
