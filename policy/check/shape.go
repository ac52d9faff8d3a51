package check

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"sluice/internal/names"
	"sluice/internal/yamldoc"
	"sluice/policy/schema"
)

// shape reads one file and holds it against its schema.
func (c *checker) shape(file string) {
	tree, err := yamldoc.ParseTree(c.files[file])
	var raw []byte
	if err == nil {
		c.trees[file] = tree
		raw, err = tree.Value()
	}
	var syntax *yamldoc.SyntaxError
	if errors.As(err, &syntax) {
		c.bad[file] = true
		c.add(Finding{File: file, Line: syntax.Line, Column: syntax.Column, Rule: "Y01", Syntax: syntax})
		return
	}
	s, err := schemaOf(file)
	if err != nil {
		c.raw(file, "R99", err)
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = s.Validate(value)
	}
	var invalid *jsonschema.ValidationError
	switch {
	case errors.As(err, &invalid):
		before := len(c.found)
		c.invalid(file, s, value, invalid)
		if len(c.found) > before { // what is in force can be gone on with, and else all decisions would go unseen
			c.bad[file] = path.Dir(file) == "decisions" || !c.voted(file, c.inForce)
		}
	case err != nil:
		c.bad[file] = true
		c.raw(file, "Y01", err)
	}
}

// schemas are those of schema.FS by name, each made at its first use: a city has a hundred decisions,
// and a page checks all of them while somebody writes. They are not changed, and safe for concurrent use.
var schemas = func() map[string]func() (*jsonschema.Schema, error) {
	out := make(map[string]func() (*jsonschema.Schema, error))
	files, _ := schema.FS.ReadDir(".") // it is embedded
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".schema.json")
		out[name] = sync.OnceValues(func() (*jsonschema.Schema, error) { return compiled(name) })
	}
	return out
}()

// schemaOf is the schema of a file.
func schemaOf(file string) (*jsonschema.Schema, error) {
	made, known := schemas[schema.Of(file)]
	if !known {
		return nil, fs.ErrNotExist
	}
	return made()
}

// compiled makes a schema of schema.FS; nothing is ever fetched.
func compiled(name string) (*jsonschema.Schema, error) {
	file := name + ".schema.json"
	raw, err := schema.FS.ReadFile(file)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(file, doc); err != nil {
		return nil, err
	}
	return compiler.Compile(file)
}

type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("schemas are not fetched") }

// invalid notes the innermost causes, keys that are not known before those that are missing:
// a mistyped key is both, and is reported once.
func (c *checker) invalid(file string, s *jsonschema.Schema, value any, e *jsonschema.ValidationError) {
	leaves := c.leaves(file, s, value, e)
	slices.SortStableFunc(leaves, func(a, b *jsonschema.ValidationError) int { return rank(a) - rank(b) })
	meant := make(map[string]bool) // the places of keys that were mistyped
	for _, leaf := range leaves {
		c.leaf(file, s, leaf, meant)
	}
}

func rank(e *jsonschema.ValidationError) int {
	if _, unknown := e.ErrorKind.(*kind.AdditionalProperties); unknown {
		return 0
	}
	return 1
}

// leaves are the innermost causes. Where one of several forms was wanted, they are those of
// the nearest form, or else the whole value is reported.
func (c *checker) leaves(
	file string, s *jsonschema.Schema, value any, e *jsonschema.ValidationError,
) (out []*jsonschema.ValidationError) {
	causes := e.Causes
	if _, choice := e.ErrorKind.(*kind.OneOf); choice {
		here := at(s, e.InstanceLocation)
		form := c.form(file, e, here, inside(value, e.InstanceLocation))
		if form == nil {
			return nil
		}
		causes = []*jsonschema.ValidationError{form}
	}
	if len(causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	for _, cause := range causes {
		out = append(out, c.leaves(file, s, value, cause)...)
	}
	return out
}

// leaf notes one innermost cause.
func (c *checker) leaf(file string, s *jsonschema.Schema, e *jsonschema.ValidationError, meant map[string]bool) {
	here, place := at(s, e.InstanceLocation), strings.Join(e.InstanceLocation, "/")
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			meant[place+"/"+c.unknown(file, e.InstanceLocation, key, here)] = true
		}
	case *kind.Required:
		for _, key := range k.Missing {
			if place == "" && (key == "review" || key == "legal_basis") {
				continue // said by filled, and what is in force may lack them
			}
			if !meant[place+"/"+key] {
				c.at(file, "S03", place, key, example(at(s, append(slices.Clone(e.InstanceLocation), key))))
			}
		}
	case *kind.Not: // a placeholder, which filled says
	case *kind.Type:
		if n := len(e.InstanceLocation); n > 0 {
			c.ofSort(file, e, here, k, isList(at(s, e.InstanceLocation[:n-1])))
			return
		}
		c.ofSort(file, e, here, k, false)
	case *kind.Enum:
		c.oneOf(file, e, here, k)
	case *kind.Pattern, *kind.Format:
		c.written(file, e, here)
	default:
		c.within(file, e, here)
	}
}

func (c *checker) note(file string, e *jsonschema.ValidationError, rule string, here *jsonschema.Schema, args ...any) {
	key := file
	for _, step := range e.InstanceLocation {
		if _, err := strconv.Atoi(step); err != nil {
			key = step // an entry of a list is named by the list
		}
	}
	c.at(file, rule, strings.Join(e.InstanceLocation, "/"), append([]any{key, example(here)}, args...)...)
}

// unknown notes a key that is not in the schema, and the nearest that is, which it returns;
// empty where none is near.
func (c *checker) unknown(file string, place []string, key string, here *jsonschema.Schema) string {
	p := c.trees[file].At(append(slices.Clone(place), key), true)
	best, distance, all := "", 4, []string{}
	known := properties(here)
	for name := range known {
		all = append(all, name)
		if d := levenshtein.ComputeDistance(strings.ToLower(key), name); d < len(key) && d < distance ||
			d == distance && name < best {
			best, distance = name, d
		}
	}
	slices.Sort(all)
	near := best
	switch {
	case best == "" && len(all) > 0:
		best = strings.Join(all, ", ")
	case best == "":
		best = example(here) // its keys are not listed
	}
	f := Finding{File: file, Line: p.Line, Column: p.Column, Rule: "S02", Args: []any{key, best}}
	if at, r := names.Hidden(key); at >= 0 {
		f.Rule, f.Case, f.Args = "Y02", "key", []any{fmt.Sprintf("%U", r), key}
		c.add(f)
		return near
	}
	if name, rest, tight := strings.Cut(key, ":"); tight && known[name] != nil {
		f.Case, f.Args = "blank", []any{key, name + ": " + rest}
		near = name
	} else if digits.MatchString(key) {
		f.Case = "comma"
	}
	c.add(f)
	return near
}

// at finds the part of a schema for a place in a file.
func at(s *jsonschema.Schema, place []string) *jsonschema.Schema {
	for _, step := range place {
		if s == nil {
			return nil
		}
		next := s.Properties[step]
		for _, form := range s.OneOf {
			if next == nil {
				next = form.Properties[step]
			}
		}
		if next == nil {
			if items, ok := s.Items.(*jsonschema.Schema); ok {
				next = items
			} else if more, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
				next = more
			}
		}
		s = next
	}
	return s
}

// example returns an example of a correct value.
func example(s *jsonschema.Schema) string {
	switch {
	case s == nil:
		return "..."
	case len(s.Examples) > 0:
		out := make([]string, len(s.Examples))
		for i, x := range s.Examples {
			out[i] = flow(x)
		}
		return strings.Join(out, "; ")
	case s.Enum != nil:
		return words(s.Enum.Values)
	case s.Types != nil &&
		(slices.Contains(s.Types.ToStrings(), "object") || slices.Contains(s.Types.ToStrings(), "array")):
		return composed(s)
	case limits(s) != "":
		return limits(s)
	}
	return "…"
}

// flow is a value as YAML has it in one line.
func flow(v any) string {
	var out []string
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			out = append(out, flow(x))
		}
		return "[" + strings.Join(out, ", ") + "]"
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, key+": "+flow(v[key]))
		}
		return "{" + strings.Join(out, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// composed is an example of keys or of a list, made of those below.
func composed(s *jsonschema.Schema) string {
	if items, ok := s.Items.(*jsonschema.Schema); ok {
		return "[" + first(example(items)) + "]"
	}
	var out []string
	for _, key := range s.Required {
		out = append(out, key+": "+first(example(s.Properties[key])))
	}
	if len(out) == 0 {
		return "{…}"
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// first is the first of several examples.
func first(examples string) string {
	one, _, _ := strings.Cut(examples, "; ")
	return one
}

func limits(s *jsonschema.Schema) string {
	if s == nil {
		return ""
	}
	var out []string
	if s.Minimum != nil {
		out = append(out, ">= "+plainly(s.Minimum))
	}
	if s.ExclusiveMinimum != nil {
		out = append(out, "> "+plainly(s.ExclusiveMinimum))
	}
	if s.Maximum != nil {
		out = append(out, "<= "+plainly(s.Maximum))
	}
	if s.ExclusiveMaximum != nil {
		out = append(out, "< "+plainly(s.ExclusiveMaximum))
	}
	if s.MinItems != nil {
		out = append(out, fmt.Sprintf(">= %d", *s.MinItems))
	}
	if s.MaxItems != nil {
		out = append(out, fmt.Sprintf("<= %d", *s.MaxItems))
	}
	return strings.Join(out, ", ")
}

// plainly is a limit as people write it.
func plainly(r *big.Rat) string {
	if r.IsInt() {
		return r.RatString()
	}
	f, _ := r.Float64()
	return fmt.Sprint(f)
}

func words[T any](list []T) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = fmt.Sprint(x)
	}
	return strings.Join(out, ", ")
}

// Known reports whether a file of a policy directory has a schema.
func Known(file string) bool { return path.Ext(file) == ".yaml" && schema.Of(file) != "" }
