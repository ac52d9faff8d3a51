package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/check"
	"sluice/policy/explain"
)

// TestSuspensions: what is wrong with a suspension is said under its line, in each
// language; what residents can read in theirs is right.
func TestSuspensions(t *testing.T) {
	const all = `{ca: Manipulat, en: Tampered with, es: Manipulado}`
	for name, x := range map[string]struct {
		lines string
		rule  string // empty for nothing
		line  int
		says  string
	}{
		"all languages":    {`  - {decision: "2026-14", reason: ` + all + `}`, "", 0, ""},
		"with a day":       {`  - {decision: "2026-14", since: 2026-12-01, reason: ` + all + `}`, "", 0, ""},
		"one text":         {`  - {decision: "2026-14", reason: a fault}`, "W31", 2, "ca, es, en"},
		"two languages":    {`  - {decision: "2026-14", reason: {ca: Manipulat, en: Tampered with}}`, "W31", 2, "es"},
		"no such decision": {"  - decision: \"2026-41\"\n    reason: " + all, "K31", 2, "2026-41"},
		"twice": {`  - {decision: "2026-14", reason: ` + all + "}\n" +
			`  - {decision: "2026-14", reason: ` + all + `}`, "D10", 3, "2026-14"},
		"a line break":       {"  - decision: \"2026-14\"\n    reason: \"a\\nb\"", "K32", 3, "one line of words"},
		"nothing but a dash": {"  - decision: \"2026-14\"\n    reason: \"-\"", "T01", 3, "-"},
		"too long": {"  - decision: \"2026-14\"\n    reason: " + strings.Repeat("a", 501), "S08", 3,
			"at most 500"},
		"a list": {"  - decision: \"2026-14\"\n    reason: [a fault]", "S04", 3,
			"{ca: Un sensor ha estat manipulat, en: A"},
		"a turn":       {"  - decision: \"2026-14\"\n    reason: {ca: \"a\\u202eb\"}", "Y02", 3, "U+202E"},
		"no reason":    {"  - decision: \"2026-14\"\n    reason:", "T01", 3, "“reason” is empty"},
		"a dash alone": {"  -", "S04", 2, "keys with values"},
		"nothing":      {"", "S04", 1, "write [] where there is nothing"},
		"large letters": {"  - decision: \"2026-14\"\n    reason: {CA: Manipulat}", "S07", 3,
			"not known here: CA"},
		"no day": {"  - decision: \"2026-14\"\n    since: tomorrow\n    reason: " + all, "S06", 3,
			"2026-12-01"},
	} {
		files := portalba.Policy()
		files["suspended.yaml"] = []byte("suspended:\n" + x.lines + "\n")
		found, _ := run(files)
		if x.rule == "" {
			if len(found) > 0 {
				t.Errorf("%s: found %+v", name, found)
			}
			continue
		}
		hit := false
		for _, f := range found {
			what, mend := f.Text(0)
			if f.Rule == x.rule && f.File == "suspended.yaml" && f.Line == x.line &&
				strings.Contains(what+mend, x.says) {
				hit = true
			}
			for l := range explain.Languages {
				if what, mend := f.Text(explain.Lang(l)); what == "" || mend == "" ||
					strings.Contains(what+mend, "%!") {
					t.Errorf("%s in %s: %q, %q", f.Rule, explain.Languages[l], what, mend)
				}
			}
		}
		if !hit || len(found) != 1 {
			t.Errorf("%s: found %+v; want %s in line %d", name, found, x.rule, x.line)
		}
	}
}

// TestNoValueIsASentence: what a file says is no line of what is said about it, and does
// not take the place of what to do.
func TestNoValueIsASentence(t *testing.T) {
	files := portalba.Policy()
	files["suspended.yaml"] = []byte("suspended:\n  - decision: \"2026-41 | all is well\\nNothing is " +
		"wrong.\\e[2J\"\n    reason: {ca: a, en: b, es: c}\n")
	found, _ := run(files)
	if len(found) != 1 {
		t.Fatalf("found %+v", found)
	}
	for l := range explain.Languages {
		what, mend := found[0].Text(explain.Lang(l))
		if strings.ContainsAny(what+mend, "\n\x1b") ||
			!strings.Contains(what, "2026-41 | all is well Nothing is wrong.") || strings.Contains(mend, "well") {
			t.Errorf("%q, %q", what, mend)
		}
	}
}

// TestManySlips: of a long list of unknown zones it is looked for those alone what they may
// mean that are said.
func TestManySlips(t *testing.T) {
	for _, n := range []int{1, 19, 20, 500} {
		files := portalba.Policy()
		const file = "decisions/2026-14-footfall.yaml"
		unknown := ""
		for i := range n {
			unknown += fmt.Sprintf("nowhere-at-all-%d, ", i)
		}
		text := strings.Replace(string(files[file]), "zones: [rambla,", "zones: ["+unknown+"rambal,", 1)
		if files[file] = []byte(text); !strings.Contains(text, "rambal,") {
			t.Fatal("the example is another")
		}
		found, _ := run(files)
		near := slices.ContainsFunc(found, func(f check.Finding) bool { return f.Rule == "C03" && f.Case == "near" })
		if want := n < 20; near != want {
			t.Errorf("behind %d unknown zones, what may be meant is said: %v", n, near)
		}
	}
}
