package studio

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestFromNothingToADecision goes the way of docs/studio.md, from a directory that is not there to a
// first decision in force at a gateway: the town is founded, by keyboard on a narrow page, the decision
// written from a template, and signed once in the browser and once by ssh-keygen. Nothing but the town's
// directory is written.
func TestFromNothingToADecision(t *testing.T) {
	t.Parallel()
	harness.Need(t, "ssh-keygen")
	root, keys := t.TempDir(), t.TempDir()
	for _, m := range []string{"anna", "bru", "carla"} {
		harness.Run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", m, "-f", filepath.Join(keys, m))
	}
	town := filepath.Join(root, "mytown")
	b := fenced.Take(t, "docs/studio.md", "sluice policy studio mytown")
	lines := strings.Split(b.Change("mytown", town).Read(), "\n")
	command := func(n int) []string {
		line, _, _ := strings.Cut(lines[n], "#")
		return strings.Fields(line)[1:]
	}
	p := harness.StartWith(t, []string{"LC_ALL=C"}, harness.Sluice, command(0)...)
	address := p.Find(`(?m)^(http://127\.0\.0\.1:\d+/\w+/en/)$`)[1]
	harness.Node(t, "studio.js", address, harness.Chromium(t), "/found")
	harness.Node(t, "town.js", address, harness.Chromium(t), keys)
	harness.Node(t, "studio.js", address, harness.Chromium(t), "/", "/vote/first")
	if code := p.Stop(10 * time.Second); code != 0 {
		t.Errorf("the studio ends with %d", code)
	}

	dir := filepath.Join(town, "council")
	if code, out := harness.Verb(t, "policy", "check", dir); code != 0 {
		t.Errorf("check ends with %d\n%s", code, out)
	}
	for _, name := range []string{"anna-puig.sig", "bru.sig"} {
		if raw := harness.Read(t, filepath.Join(dir, "motions", "first", "ballots", name)); !strings.Contains(raw,
			"SSH SIGNATURE") {
			t.Errorf("%s is no signature", name)
		}
	}
	var made []string
	harness.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		if parts := strings.Split(rel, string(filepath.Separator)); len(parts) == 2 {
			made = append(made, rel)
		}
		return err
	}))
	if want := []string{"mytown/council", "mytown/inbox"}; !slices.Equal(made, want) {
		t.Errorf("it made %v, not %v", made, want)
	}
	takesForce(t, append(command(1), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--json"))
}

// takesForce starts the town's gateway, and looks for its decision in the open data.
func takesForce(t *testing.T, args []string) {
	t.Helper()
	up := harness.Start(t, harness.Sluice, args...)
	open := up.Find(`"opendata":"(http://[^"]+)"`)[1]
	admin := up.Find(`"admin":"(http://[^"]+)"`)[1]
	says := func(url string, parts ...string) func() bool {
		return func() bool {
			_, _, body := harness.Get(t, url)
			return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(string(body), part) })
		}
	}
	harness.Await(t, time.Minute, "the decision in force", says(admin+"/metrics", "sluice_policy_version 1\n"))
	harness.Await(t, time.Minute, "its page", says(open+"/decisions/2026-01?lang=en", "Footfall in the square",
		"Anna Puig, alcaldessa and Bru"))
	harness.Await(t, time.Minute, "its stream", says(open+"/api/v1/streams", `"footfall"`))
}
