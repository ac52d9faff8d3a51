package town

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/policy/bundle"
	"sluice/policy/council"
)

// TestSteps: what is to be done next is what has not been done yet.
func TestSteps(t *testing.T) {
	o := &Options{Dir: t.TempDir()}
	if err := os.Mkdir(o.inbox(), 0o700); err != nil {
		t.Fatal(err)
	}
	founding, first := &council.Enacted{Policy: &bundle.Policy{}},
		&council.Enacted{Policy: &bundle.Policy{Decisions: make([]bundle.Decision, 1)}}
	founding.ID, first.ID, founding.City = "founding", "2026-01", "vila"
	said := func(chain ...*council.Enacted) string { return strings.Join(o.steps(chain, "key", true), "\n") }
	bring := func(id string) { // into the inbox
		if err := os.WriteFile(filepath.Join(o.inbox(), id+".sluice"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	carried := "cp " + filepath.Join(string(o.workspace()), "motions", "founding", "founding.sluice")
	for _, x := range []struct {
		said        string
		wants, none string
	}{
		{said(), "motion create founding", "cp "},
		{said(founding), carried, "motion create founding"},
		{said(founding), "sluice-vote@vila", "@town"},
		{said(founding, first), "2026-01.sluice " + o.inbox(), "policy new"},
	} {
		if !strings.Contains(x.said, x.wants) || strings.Contains(x.said, x.none) {
			t.Errorf("without %q, or with %q:\n%s", x.wants, x.none, x.said)
		}
	}
	bring("founding")
	bring("2026-01")
	steps := said(founding, first)
	if strings.Contains(steps, "cp ") || !strings.Contains(steps, "motion status 2026-01") {
		t.Errorf("when all is there:\n%s", steps)
	}
}
