package docs

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestAssessment: a clerk assesses and puts to the public what the documents show, as they show it.
func TestAssessment(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "policy")
	harness.Run(t, "cp", "-r", "../../configs/portalba/policy", dir)
	args := harness.FromReadme(t, fenced.Take(t, "docs/policy.md", "go run ./cmd/sluice policy dpia"))
	harness.Write(t, filepath.Join(dir, "dpia.yaml"), fenced.Take(t, "docs/policy.md", "plan:").Read())
	for i, arg := range args {
		if strings.HasSuffix(arg, "portalba/policy") {
			args[i] = dir
		}
	}
	cmd := exec.Command(harness.Sluice, append(args, "--lang", "en")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, want := range []string{`Acme runs the counters`, `judged by people: The clinic`, `Approved with conditions`} {
		harness.Want(t, string(out), want)
	}
	fenced.Take(t, "docs/council.md", "sluice policy consult").Run(dir, []string{filepath.Dir(harness.Sluice)})
	page := harness.Read(t, filepath.Join(dir, "../consultation/en.html"))
	harness.Want(t, page, `Nothing is decided yet`)
	harness.Want(t, page, `https://decidim.example/processes/footfall`)
}
