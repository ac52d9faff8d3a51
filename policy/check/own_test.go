package check_test

import (
	"slices"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/rego"
)

// TestOwnRules: a copy of the program's rules is warned of where it differs, and only there.
func TestOwnRules(t *testing.T) {
	files, err := rego.WithRules(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	warned := func() (out []string) {
		found, _ := run(files)
		for _, f := range found {
			if f.Rule == "W44" && f.Warning() {
				out = append(out, f.File)
			}
		}
		return out
	}
	if got := warned(); got != nil {
		t.Errorf("an equal copy is warned of: %v", got)
	}
	files["rules/plan.rego"] = append(slices.Clone(files["rules/plan.rego"]), "# as of last year\n"...)
	files["rules/ours.rego"] = []byte("package sluice.ours\n")
	if got := warned(); !slices.Equal(got, []string{"rules/ours.rego", "rules/plan.rego"}) {
		t.Errorf("warned of %v", got)
	}
}
