package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/configs/portalba"
	"sluice/gateway/config"
	"sluice/internal/yamldoc"
	"sluice/opendata"
	"sluice/policy/cases"
	"sluice/policy/decision"
	"sluice/policy/schema"
	"sluice/register"
)

func compile(t *testing.T, name string) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	raw, err := schema.FS.ReadFile(name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s, doc.(map[string]any)
}

// TestOurFilesFit holds every YAML file of this repository against its schema.
func TestOurFilesFit(t *testing.T) {
	files := map[string][]byte{}
	for name, raw := range portalba.Policy() {
		files[name] = raw
	}
	for _, name := range []string{"gateway.yaml", "opendata.yaml", "portalba/register.yaml"} {
		raw, err := os.ReadFile(filepath.Join("../../configs", name))
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = raw
	}
	tried := 0
	for name, raw := range files {
		kind := schema.Of(name)
		if kind == "" {
			kind = strings.TrimSuffix(name, ".yaml")
		}
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		s, _ := compile(t, kind)
		tree, err := yamldoc.ParseTree(raw)
		if err != nil {
			t.Fatal(name, err)
		}
		out, err := tree.Value()
		if err != nil {
			t.Fatal(name, err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		tried++
	}
	if tried < 10 {
		t.Errorf("%d files were tried", tried)
	}
}

// TestKeysAreTheProgram's: a schema has the keys that the program reads, and no
// others, at the top and one level below.
func TestKeysAreTheProgramsOwn(t *testing.T) {
	for name, v := range map[string]any{
		"decision": decision.Document{}, "charter": decision.Charter{}, "council": decision.Council{},
		"gateway": config.Config{}, "opendata": opendata.Config{},
	} {
		_, doc := compile(t, name)
		compare(t, name, doc, reflect.TypeOf(v), 0)
	}
	for name, v := range map[string]any{"register": register.Sensor{}, "tests": cases.Case{},
		"suspended": decision.Suspension{}, "council": decision.Member{}} {
		_, doc := compile(t, name)
		for _, p := range doc["properties"].(map[string]any) {
			items, ok := p.(map[string]any)["items"].(map[string]any)
			if ok && items["properties"] != nil {
				compare(t, name, items, reflect.TypeOf(v), 1)
			}
		}
	}
}

func compare(t *testing.T, name string, doc map[string]any, typ reflect.Type, depth int) {
	t.Helper()
	properties, ok := doc["properties"].(map[string]any)
	if !ok {
		return // several forms
	}
	var want []string
	for i := range typ.NumField() {
		key, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			continue
		}
		want = append(want, key)
		below := typ.Field(i).Type
		for below.Kind() == reflect.Pointer || below.Kind() == reflect.Slice {
			below = below.Elem()
		}
		sub, _ := properties[key].(map[string]any)
		if items, ok := sub["items"].(map[string]any); ok {
			sub = items
		}
		if below.Kind() == reflect.Struct && sub["properties"] != nil && depth < 2 && below.NumField() > 0 &&
			below.Field(0).Tag.Get("yaml") != "" {
			compare(t, name+"."+key, sub, below, depth+1)
		}
	}
	var got []string
	for key := range properties {
		got = append(got, key)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%s: the schema has %v, the program %v", name, got, want)
	}
}

// TestEverythingIsDescribed: an editor has something to say about every key.
func TestEverythingIsDescribed(t *testing.T) {
	entries, err := schema.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		if properties, ok := m["properties"].(map[string]any); ok {
			for key, p := range properties {
				pm := p.(map[string]any)
				if pm["description"] == nil && pm["properties"] == nil {
					t.Errorf("%s: %s has no description", name, key)
				}
				walk(name+"."+key, p)
			}
		}
		walk(name, m["items"])
	}
	for _, e := range entries {
		raw, err := schema.FS.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		if doc["$schema"] != "http://json-schema.org/draft-07/schema#" {
			t.Errorf("%s is of %v", e.Name(), doc["$schema"])
		}
		walk(e.Name(), doc)
	}
}
