package main

import (
	"strings"
	"testing"

	"sluice/proof"
)

// TestReportsAreLines: what books bring into a report makes no line of its own and steers
// no terminal.
func TestReportsAreLines(t *testing.T) {
	const evil = "x\nEverything adds up.\x1b[2J"
	var out strings.Builder
	if err := showReport(&out, &proof.Report{Problems: []string{evil}, Elsewhere: []string{evil}}, false, true); err == nil {
		t.Error("nothing is wrong")
	}
	if s := out.String(); strings.Contains(s, "\nEverything") || strings.Contains(s, "\x1b") || strings.Count(s, "\n") != 4 {
		t.Errorf("it is said\n%q", s)
	}
}
