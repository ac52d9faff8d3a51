package diff

import (
	"maps"
	"strings"
	"testing"

	"sluice/policy/bundle"
)

// TestRulesAreNotTrusted: a change of rules is weaker, whatever it says; a first
// module can only deny, a second one could undo what the first denies.
func TestRulesAreNotTrusted(t *testing.T) {
	with := func(files map[string]string) *bundle.Policy {
		p := policyOf(t, plain)
		for name, text := range files {
			p.Files[name] = []byte(text)
		}
		return p
	}
	one, two := map[string]string{"local/a.rego": "package sluice.local"},
		map[string]string{"local/a.rego": "package sluice.local", "local/b.rego": "package sluice.local"}
	for name, c := range map[string]struct {
		old, new map[string]string
		want     Mark
	}{
		"a first module":  {nil, one, Stronger},
		"a second module": {one, two, Weaker},
		"one less":        {two, one, Weaker},
		"none left":       {one, nil, Weaker},
		"a changed one":   {one, map[string]string{"local/a.rego": "package sluice.local\n# new"}, Weaker},
		"a rule more":     {nil, map[string]string{"rules/x.rego": "package x"}, Weaker},
		"a test only":     {nil, map[string]string{"local/a_test.rego": "package x"}, Neutral},
	} {
		if got := Overall(between(with(c.old), with(c.new))); got != c.want {
			t.Errorf("%s is %s; want %s", name, got, c.want)
		}
	}
}

// TestFirstRules: a first policy with rules that are not the program's, with some of
// them missing or with none at all, says so.
func TestFirstRules(t *testing.T) {
	own := Own()
	for name, c := range map[string]struct {
		edit  func(bundle.Files)
		about string
		key   string
		want  Mark
	}{
		"another rule": {func(f bundle.Files) {
			f["rules/charter.rego"] = append(f["rules/charter.rego"], '\n')
		}, "rules/charter.rego", "foreign", Weaker},
		"one more": {func(f bundle.Files) {
			f["rules/more.rego"] = []byte("package more\n")
		}, "rules/more.rego", "foreign", Weaker},
		"one missing": {func(f bundle.Files) {
			delete(f, "rules/release.rego")
		}, "rules/release.rego", "absent", Weaker},
		"none": {func(f bundle.Files) {
			for name := range own {
				delete(f, name)
			}
		}, "rules/", "unbound", Weaker},
		"a module": {func(f bundle.Files) {
			f["local/a.rego"] = []byte("package sluice.local\n")
		}, "local/a.rego", "module", Neutral},
	} {
		files := city()
		delete(files, "rules/x.rego")
		for name, text := range own {
			files[name] = []byte(text)
		}
		honest, err := bundle.Read(maps.Clone(files))
		if err != nil {
			t.Fatal(err)
		}
		c.edit(files)
		p, err := bundle.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		x := has(Compare(Before{}, p), c.about, c.key)
		if x == nil || x.Mark != c.want || has(Compare(Before{}, honest), c.about, c.key) != nil {
			t.Errorf("%s: %+v; want %s %s, %s", name, x, c.about, c.key, c.want)
			continue
		}
		if words := x.Words(0); c.key != "absent" && c.key != "unbound" && !strings.Contains(words, "sha256:") {
			t.Errorf("%s: %q names no digest", name, words)
		}
	}
}

// TestRulesOfAFormat: in a motion of an earlier format the rules of that time are the
// program's own, and today's are not where they differ.
func TestRulesOfAFormat(t *testing.T) {
	files := city()
	delete(files, "rules/x.rego")
	for name, text := range Own() {
		files[name] = []byte(text)
	}
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	OwnIn[-1] = map[string]string{"rules/charter.rego": strings.Repeat("0", 64)}
	defer delete(OwnIn, -1)
	for format, want := range map[int]bool{0: false, -1: true} {
		if x := has(Compare(Before{Format: format}, p), "rules/charter.rego", "foreign"); (x != nil) != want {
			t.Errorf("in format %d: %+v", format, x)
		}
	}
	for name, sum := range OwnIn[4] {
		if Own()[name] == "" || len(sum) != 64 {
			t.Errorf("in format 4 the program had %s %s", name, sum)
		}
	}
}
