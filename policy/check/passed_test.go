package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/policy/check"
	"sluice/policy/explain"
)

// TestPassedOver: what is no part of a policy by its name only is a mistake, with the name
// that it must have; what nobody can have meant is none.
func TestPassedOver(t *testing.T) {
	dir := t.TempDir()
	meant := map[string]string{
		"decisions/x.yml": "decisions/x.yaml", "decisions/y.YAML": "decisions/y.yaml",
		"decisions/z.yaml.txt": "decisions/z.yaml", "tests/t.Yml": "tests/t.yaml", "local/a.REGO": "local/a.rego",
		"Rules/b.rego": "rules/b.rego", "suspended.yml": "suspended.yaml", "Charter.yaml": "charter.yaml",
		"zones.GeoJSON": "zones.geojson",
	}
	for _, other := range []string{"decisions/a.yaml", "decisions/README.md", "decisions/a.yaml~", "decisions/.a.yml",
		"decisions/old/a.yml", "docker-compose.yml", "rules/notes.yaml", "motions/m/x.yml"} {
		meant[other] = ""
	}
	for name := range meant {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found := check.PassedOver(dir)
	for _, f := range found {
		want := meant[f.File]
		if f.Rule != "S09" || f.Warning() || want == "" {
			t.Errorf("%+v", f)
		}
		for l := range explain.Languages {
			what, mend := f.Text(explain.Lang(l))
			if what == "" || !strings.Contains(mend, " "+want+",") || strings.Contains(what+mend, "%!") {
				t.Errorf("%s: %q, %q", f.File, what, mend)
			}
		}
	}
	if len(found) != 9 {
		t.Errorf("%d files are passed over: %v", len(found), fmt.Sprint(found))
	}
}
