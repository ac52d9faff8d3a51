package studio

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestADraftIsTriedInABrowser: the page on which a draft is tried, with axe, by keyboard and without
// scripts; what it writes is in the file, beside its comments.
func TestADraftIsTriedInABrowser(t *testing.T) {
	t.Parallel()
	address, dir := begin(t)
	harness.Node(t, "see.js", address, harness.Chromium(t), "2026-14-footfall")
	text := harness.Read(t, filepath.Join(dir, "decisions", "2026-14-footfall.yaml"))
	for _, want := range []string{"every: PT2H", "max_contributions: 2 ",
		"# per device and day, all measures together"} {
		if !strings.Contains(text, want) {
			t.Errorf("the draft has no %q:\n%s", want, text)
		}
	}
}

// TestAssessmentAndConsultation: the sections of docs/studio.md begin with commands that work.
func TestAssessmentAndConsultation(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "consultation")
	for block, want := range map[*fenced.Taken]string{
		fenced.Take(t, "docs/studio.md", "go run ./cmd/sluice policy dpia"):    "## 4. Riscos",
		fenced.Take(t, "docs/studio.md", "go run ./cmd/sluice policy consult"): "index.html",
	} {
		args := harness.FromReadme(t, block)
		for i, arg := range args {
			switch arg {
			case "configs/portalba/policy":
				args[i] = "../../configs/portalba/policy"
			case "consultation":
				args[i] = out
			}
		}
		if code, said := harness.Verb(t, args...); code != 0 || !strings.Contains(said, want) {
			t.Errorf("%q: %d: %s", args, code, said)
		}
	}
	harness.Want(t, harness.Read(t, filepath.Join(out, "en.html")), "Nothing is decided yet")
	harness.Node(t, "consult.js", out, harness.Chromium(t)) // from the disk, narrow, by keyboard, with axe
}

// TestTheVerbSaysTheSame runs what docs/studio.md says of the verb.
func TestTheVerbSaysTheSame(t *testing.T) {
	t.Parallel()
	args := harness.FromReadme(t, fenced.Take(t, "docs/studio.md", "go run ./cmd/sluice policy simulate"))
	at := slices.Index(args, "configs/portalba/policy")
	if at < 0 {
		t.Fatalf("the document says %q", args)
	}
	args[at] = "../../configs/portalba/policy"
	code, out := harness.Verb(t, append(args, "--lang", "en", "--seed", "1", "--svg",
		filepath.Join(t.TempDir(), "chart.svg"))...)
	if code != 0 || !strings.Contains(out, "a street of 3000,18,0.5") ||
		!strings.Contains(out, "Proposed: max_contributions: 4") {
		t.Errorf("%d: %s", code, out)
	}
}

// TestTwoPagesInABrowser: of two pages of one decision none takes back what the other has written.
func TestTwoPagesInABrowser(t *testing.T) {
	t.Parallel()
	address, dir := begin(t)
	harness.Node(t, "twopages.js", address, harness.Chromium(t), "2026-14-footfall")
	text := harness.Read(t, filepath.Join(dir, "decisions", "2026-14-footfall.yaml"))
	for _, want := range []string{"De la primera", "De la segunda"} {
		if !strings.Contains(text, want) {
			t.Errorf("saved is no %q:\n%s", want, text)
		}
	}
}
