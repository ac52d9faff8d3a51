package policy

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/test/harness"
)

// TestADraftIsTriedInABrowser: the studio's page on which a draft is tried, with axe, by keyboard and
// without scripts; what it writes is in the file, beside its comments.
func TestADraftIsTriedInABrowser(t *testing.T) {
	t.Parallel()
	harness.Need(t, "chromium")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := portalba.Policy().Write(dir); err != nil {
		t.Fatal(err)
	}
	p := harness.Start(t, harness.Sluice, "policy", "studio", dir, "--lang", "en")
	address := p.Find(`(?m)^(http://127\.0\.0\.1:\d+/\w+/en/)$`)[1]
	harness.Node(t, "see.js", address, chromium, "2026-14-footfall")
	text := harness.Read(t, filepath.Join(dir, "decisions", "2026-14-footfall.yaml"))
	for _, want := range []string{"every: PT2H", "max_contributions: 2 ",
		"# per device and day, all measures together"} {
		if !strings.Contains(text, want) {
			t.Errorf("the draft has no %q:\n%s", want, text)
		}
	}
}
