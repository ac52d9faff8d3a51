package studio

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/test/fenced"
	"sluice/test/harness"
)

// begin starts a studio as docs/studio.md says, over a copy of the example city, and returns the
// address that it prints.
func begin(t *testing.T) (address, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "policy")
	harness.NoError(t, portalba.Policy().Write(dir))
	b := fenced.Take(t, "docs/studio.md", "go run ./cmd/sluice policy studio")
	args := harness.FromReadme(t, b)
	if args[len(args)-1] != "configs/portalba/policy" {
		t.Fatalf("the document says %q", args)
	}
	args[len(args)-1] = dir
	p := harness.StartWith(t, []string{"LC_ALL=C"}, harness.Sluice, args...)
	return p.Find(`(?m)^(http://127\.0\.0\.1:\d+/\w+/en/)$`)[1], dir
}

// TestPagesInABrowser opens every page in three languages and widths, WCAG 2.2 AA by axe, also of
// files that cannot be read and of files with mistakes.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	address, dir := begin(t)
	harness.Node(t, "studio.js", address, harness.Chromium(t),
		"/", "/new", "/draft/2026-14-footfall", "/draft/2026-17-air",
		"/file/charter", "/file/kinds", "/file/council", "/dpia", "/consult", "/consult/2026-14")
	harness.Write(t, filepath.Join(dir, "decisions", "broken.yaml"), "title: [\n")
	harness.Write(t, filepath.Join(dir, "decisions", "slips.yaml"),
		"decision: x\ntitle: {en: \"\"}\nunit: {none: x}\npublish: {every: PT7M, measures: [{name: A, of: sum}]}\n"+
			"from: soon\n")
	harness.Node(t, "studio.js", address, harness.Chromium(t),
		"/", "/draft/2026-14-footfall", "/draft/broken", "/draft/slips")
}

// TestAClerksDay: the example city is edited by form, by file, by keyboard and without scripts; what
// is saved then passes check, and differs from what was there by what was written.
func TestAClerksDay(t *testing.T) {
	t.Parallel()
	address, dir := begin(t)
	harness.Node(t, "studio.js", address, harness.Chromium(t))
	file := filepath.Join(dir, "decisions", "2026-14-footfall.yaml")
	before := string(portalba.Policy()["decisions/2026-14-footfall.yaml"])
	want := strings.NewReplacer("Footfall in the old town", "Footfall by forms", "min_units: 10", "min_units: 12",
		"epsilon: 1 ", "epsilon: 0.5 ").Replace(before)
	if got := harness.Read(t, file); got != want {
		t.Errorf("saved is\n%s\nnot\n%s", got, want)
	}
	if code, out := harness.Verb(t, "policy", "check", file); code != 0 {
		t.Errorf("check ends with %d\n%s", code, out)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "decisions", "2026-40.yaml")); err != nil ||
		!strings.Contains(string(raw), `decision: "2026-40"`) {
		t.Errorf("the new decision is %s, %v", raw, err)
	}
	if kinds := harness.Read(t, filepath.Join(dir, "kinds.yaml")); !strings.Contains(kinds, "bike-counter:") ||
		!strings.Contains(kinds, "# What devices of each sort can send") {
		t.Errorf("the kind of the template was not added:\n%s", kinds)
	}
}
