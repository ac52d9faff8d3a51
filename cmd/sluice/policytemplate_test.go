package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/check"
	"sluice/policy/explain"
	"sluice/policy/workspace"
	"sluice/test/raced"
)

// TestNoTemplatePassesUntouched: whatever a verb writes to begin with, policy check finds
// in it what is to be written, motion create makes nothing of it, and with words in place
// of what stands in angles it passes. All templates, in all languages.
func TestNoTemplatePassesUntouched(t *testing.T) {
	raced.Skip(t)
	t.Setenv("LC_ALL", "C")
	member, err := workspace.MakeKey(filepath.Join(t.TempDir(), "anna"), "anna")
	if err != nil {
		t.Fatal(err)
	}
	found := func() string { // as policy new finds a directory
		if err := workspace.Dir(".").Found([]workspace.Member{{ID: "anna", Key: member}},
			portalba.Policy()["kinds.yaml"]); err != nil {
			t.Fatal(err)
		}
		return "council.yaml"
	}
	airOnly := func() string {
		write(t, "kinds.yaml", "kinds:\n  air:\n    fields: [{name: pm10, type: float, class: measurement}]\n")
		return found()
	}
	oneLanguage := func() string {
		name := found()
		charter, err := os.ReadFile("charter.yaml")
		if err != nil {
			t.Fatal(err)
		}
		write(t, "charter.yaml", strings.Replace(string(charter), "[en, ca, es]", "[es]", 1))
		return name
	}
	for name, before := range map[string]func() string{
		"in a new directory": nil, "in a town": found, "of a city that measures nobody": airOnly,
		"in one language": oneLanguage,
	} {
		for _, l := range explain.Languages {
			t.Run(name+" "+l, func(t *testing.T) {
				t.Chdir(t.TempDir())
				if before != nil {
					before()
				}
				if code, out := sluice("policy", "new", "2027-01", "--lang", l); code != 0 {
					t.Fatal(out)
				}
				charter, decision := "charter.yaml", "decisions/2027-01.yaml"
				for _, file := range []string{charter, decision} {
					if code, out := sluice("policy", "check", file, "--lang", l); code != 1 ||
						!strings.Contains(out, "T01") {
						t.Errorf("%s passes untouched: %d\n%s", file, code, out)
					}
				}
				if code, out := sluice("motion", "create", "m", "--lang", l); code != 1 {
					t.Errorf("a motion is made of it\n%s", out)
				}
				written(t, charter)
				written(t, decision)
				if code, out := sluice("policy", "check", "--lang", l); code != 0 {
					t.Errorf("filled in it does not pass\n%s", out)
				}
				if code, out := sluice("policy", "fmt", "--check"); code != 0 {
					t.Errorf("it is not laid out as usual\n%s", out)
				}
				// the example's roster is empty
				if code, out := sluice("motion", "create", "m", "--lang", l); before != nil && code != 0 {
					t.Errorf("no motion is made of it\n%s", out)
				}
			})
		}
	}
}

var angled = regexp.MustCompile(`<[^<>]+>`)

// written puts words where a template left them out.
func written(t *testing.T, name string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	text := angled.ReplaceAllStringFunc(string(raw), func(string) string { n++; return fmt.Sprintf("Word %d", n) })
	write(t, name, strings.NewReplacer(check.TemplateCity, "portalba", "Our town", "Portalba").Replace(text))
}

// TestPassedOverIsSaid: a decision that its file's name keeps out of the policy is said by
// check and create, in each language, also where it is all that there is.
func TestPassedOverIsSaid(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	dir := t.TempDir()
	t.Chdir(dir)
	member, err := workspace.MakeKey(filepath.Join(t.TempDir(), "anna"), "anna")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("decisions", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "decisions/x.yml", "decision: x\n")
	said := func(args ...string) {
		t.Helper()
		if code, out := sluice(args...); code != 1 || !strings.Contains(out, "decisions/x.yml:1") ||
			!strings.Contains(out, "S09") || !strings.Contains(out, "decisions/x.yaml") {
			t.Errorf("%v: %d\n%s", args, code, out)
		}
	}
	said("policy", "check")
	anna := []workspace.Member{{ID: "anna", Key: member}}
	if err := workspace.Dir(".").Found(anna, portalba.Policy()["kinds.yaml"]); err != nil {
		t.Fatal(err)
	}
	written(t, "charter.yaml")
	for _, l := range explain.Languages {
		said("policy", "check", "--lang", l)
		said("policy", "check", "decisions/x.yml", "--lang", l)
		said("motion", "create", "m", "--lang", l)
	}
	if err := os.Remove("decisions/x.yml"); err != nil {
		t.Fatal(err)
	}
	if code, out := sluice("motion", "create", "m"); code != 0 {
		t.Errorf("%s", out)
	}
}
