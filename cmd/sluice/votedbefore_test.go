package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"sluice/test/raced"

	"sluice/policy/workspace"
)

// replace writes a file of the desk anew with one text in place of another.
func replace(t *testing.T, name, old, text string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), old) {
		t.Fatalf("%s has no %q", name, old)
	}
	write(t, name, strings.Replace(string(raw), old, text, 1))
}

// TestWhatWasVotedBeforeARule: a charter that is in force and outside of bounds that check
// has now keeps nobody from voting a decision, and hides no mistake of that; check says it,
// a change of that file is to mend it, and what gets wrong by another file's change is new.
func TestWhatWasVotedBeforeARule(t *testing.T) {
	raced.Skip(t)
	t.Setenv("LC_ALL", "C")
	vote(t)
	replace(t, "charter.yaml", "max_contributions: 4", "max_contributions: 20000")
	replace(t, "charter.yaml", "languages: [ca, es, en]", "languages: [ca, es, en, gl]")
	if code, out := sluice("motion", "create", "first"); code != 1 || !strings.Contains(out, "S08") ||
		!strings.Contains(out, "S05") {
		t.Fatalf("a first motion has such a charter: %d\n%s", code, out)
	}
	p, err := workspace.Dir(".").Draft()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workspace.Dir(".").Create(workspace.Order{ID: "first", Now: time.Now(), Policy: p}); err != nil {
		t.Fatal(err)
	}
	sign(t, "first", "anna", "bru")
	if code, out := sluice("motion", "enact", "first"); code != 0 {
		t.Fatal(out)
	}

	create := func(want int, rules ...string) {
		t.Helper()
		code, out := sluice("motion", "create", "second")
		for _, rule := range rules {
			if !strings.Contains(out, rule) {
				t.Errorf("it does not say %s", rule)
			}
		}
		if code != want {
			t.Errorf("motion create is %d; want %d", code, want)
		}
		if t.Failed() {
			t.Fatal(out)
		}
	}
	const footfall = "decisions/2026-14-footfall.yaml"
	replace(t, footfall, "epsilon: 1 ", "epsilon: 0.5 ")
	create(0)
	if code, out := sluice("policy", "check"); code != 1 || !strings.Contains(out, "S08") ||
		!strings.Contains(out, "S05") {
		t.Errorf("check says nothing of the charter: %d\n%s", code, out)
	}
	replace(t, footfall, "legal_basis", "# legal_basis")
	create(1, "T02")
	replace(t, footfall, "# legal_basis", "legal_basis")
	replace(t, footfall, "keep: [device", "keep: [devise")
	create(1, footfall+":")
	replace(t, footfall, "keep: [devise", "keep: [device")
	create(0)
	replace(t, "charter.yaml", "notice_days:", "# once more\nnotice_days:")
	create(1, "S08", "S05")
	replace(t, "charter.yaml", "max_contributions: 20000", "max_contributions: 4")
	replace(t, "charter.yaml", ", gl]", "]")
	create(0)
}
