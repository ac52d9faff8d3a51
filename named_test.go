package sluice_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/register/preset"
)

// exits are the tests that see the program end with each code.
var exits = map[string]string{
	"0": "TestDemo", "1": "TestPolicyVerbs", "2": "TestRefused", "3": "TestRefused", "4": "TestBrokerWithTLSAndDoctor",
	"70": "TestPanicsSayNothing", "75": "TestTheLastResort",
}

// TestExitCodes: docs/operations.md has each code that the program ends with and no
// other, and a test sees each.
func TestExitCodes(t *testing.T) {
	raw, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(raw), "\n## Exit codes\n")
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n\n")
	told := map[string]bool{}
	for _, part := range strings.Split(text, "·") {
		told[strings.Fields(part)[0]] = true
	}
	can := map[string]bool{}
	files, err := filepath.Glob("cmd/sluice/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^(?:const|\t)\s*exit[A-Z]\w*\s*= (\d+)$`).
			FindAllStringSubmatch(string(raw), -1) {
			can[m[1]] = true
		}
	}
	if want := slices.Sorted(maps.Keys(can)); !slices.Equal(slices.Sorted(maps.Keys(told)), want) || len(want) < 7 {
		t.Errorf("docs/operations.md has the codes %v, the program %v", slices.Sorted(maps.Keys(told)), want)
	}
	bodies := testBodies(t)
	for code := range can {
		if test := exits[code]; !slices.Contains(reach(bodies, test), "number "+code) {
			t.Errorf("no test sees exit code %s: %q does not", code, test)
		}
	}
}

// presetKeys gathers the keys of a preset's type, and of those that it holds.
func presetKeys(keys map[string]bool, of reflect.Type) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
		of = of.Elem()
	}
	for i := 0; of.Kind() == reflect.Struct && i < of.NumField(); i++ {
		if key := of.Field(i).Tag.Get("yaml"); key != "" {
			keys[key] = true
			presetKeys(keys, of.Field(i).Type)
		}
	}
}

// TestNamedInDocuments: a key that a document names in code is one of some file, and a
// test that it names is there.
func TestNamedInDocuments(t *testing.T) {
	keys := map[string]bool{}
	for key := range schemaKeys(t) {
		for _, part := range strings.FieldsFunc(key, func(r rune) bool { return r == ' ' || r == '.' || r == ':' }) {
			keys[part] = true
		}
	}
	presetKeys(keys, reflect.TypeFor[preset.Preset]())
	presetKeys(keys, reflect.TypeFor[preset.Profile]())
	// What is a name of the city's own below a key, or the list that a file is.
	for _, own := range []string{"acme", "tram", "device", "card", "home", "field", "sensors", "kinds", "suspended",
		"tests", "devices", "occupied", "free"} {
		keys[own] = true
	}
	there := map[string]bool{}
	for name := range testBodies(t) {
		_, test, _ := strings.Cut(name, ":")
		there[test] = true
	}
	own, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range own {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`func (Test\w+)`).FindAllStringSubmatch(string(raw), -1) {
			there[m[1]] = true
		}
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, page := range append(pages, "README.md", "SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md") {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(raw), "")
		for _, m := range regexp.MustCompile("`[^`]+`").FindAllString(text, -1) {
			code := strings.ReplaceAll(strings.Trim(m, "`"), "\n", " ")
			if strings.Contains(code, ": Test") || strings.ContainsAny(code, `"/`) && !strings.Contains(code, "{") {
				continue // a package's tests; words
			}
			for _, k := range regexp.MustCompile(`(?:^|[{, ])([a-z_]+):(?: |$|\{)`).FindAllStringSubmatch(code, -1) {
				if named++; !keys[k[1]] {
					t.Errorf("%s names the key %q in `%s`; no file has it", page, k[1], code)
				}
			}
		}
		for _, m := range regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(raw), -1) {
			if named++; !there[m] {
				t.Errorf("%s names %s, which is not there", page, m)
			}
		}
	}
	if named < 100 {
		t.Errorf("only %d names were found", named)
	}
}
