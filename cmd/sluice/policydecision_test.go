package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/policy/rego"
)

// TestGoldenDecision: the decision that policy new writes, byte for byte, in each language:
// with budget left, with none left, of a city that measures nobody, and in one language.
// UPDATE=1 writes it anew, to be read again.
func TestGoldenDecision(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for name, change := range map[string]func(bundle.Files){
		"spent": func(bundle.Files) {},
		"left": func(f bundle.Files) {
			maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasPrefix(name, "decisions/") })
		},
		"nobody": func(f bundle.Files) {
			maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasPrefix(name, "decisions/") })
			f["kinds.yaml"] = []byte("kinds:\n  air:\n    fields: [{name: pm10, type: float, class: measurement}]\n")
		},
		"one_language": func(f bundle.Files) {
			f["charter.yaml"] = []byte(strings.NewReplacer("languages: [ca, es, en]", "languages: [es]", "P2Y",
				"P6M").Replace(string(f["charter.yaml"])))
		},
	} {
		files := portalba.Policy()
		change(files)
		files, err := rego.WithRules(files)
		if err != nil {
			t.Fatal(err)
		}
		p, err := bundle.Read(files)
		if err != nil {
			t.Fatal(name, err)
		}
		for i, l := range explain.Languages {
			v := newLocale(explain.Lang(i))
			text, err := newDecision(v, p, "2027_01.b", now)
			if err != nil {
				t.Fatal(err)
			}
			got := commentsIn(v, text)
			file := filepath.Join("testdata", "decisions", name+"."+l+".yaml")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%s is not what people have read (UPDATE=1 writes it anew): %v\n%s", file, err, got)
			}
		}
	}
}
