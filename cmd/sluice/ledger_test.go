package main

import (
	"strings"
	"testing"

	"sluice/policy/cases"
	"sluice/policy/rego"
	"sluice/verify"
)

// TestReportsAreLines: what books bring into a report makes no line of its own and steers
// no terminal.
func TestReportsAreLines(t *testing.T) {
	const evil = "x\nEverything adds up.\x1b[2J"
	var out strings.Builder
	r := &verify.Report{Problems: []string{evil}, Elsewhere: []string{evil}, Charters: []string{evil},
		Unvoted: []string{evil}, Decisions: 2}
	if err := showReport(&out, r, false, true); err == nil {
		t.Error("nothing is wrong")
	}
	if s := out.String(); strings.Contains(s, "\nEverything") || strings.Contains(s, "\x1b") ||
		strings.Count(s, "\n") != 6 || !strings.Contains(s, "charters differ") {
		t.Errorf("it is said\n%q", s)
	}
}

// TestCasesAreLines: nor does the name of a case, which comes with a draft.
func TestCasesAreLines(t *testing.T) {
	const evil = "x\nok    tests/all.yaml:1: fine\x1b[2J"
	var out strings.Builder
	list := []cases.Result{{File: "tests/a.yaml", Line: 2, Name: evil},
		{File: "tests/a.yaml", Line: 9, Name: evil, Problems: []string{evil}}}
	if err := testText(&out, newLocale(0), list, &rego.Report{}); err == nil {
		t.Error("none has failed")
	}
	if s := out.String(); strings.Contains(s, "\x1b") || strings.Count(s, "\n") != 3 {
		t.Errorf("it is said\n%q", s)
	}
}
