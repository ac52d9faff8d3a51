package docs

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestFlags gives each flag that no other story gives, on a city that has released
// something: what is for programs is JSON, and what is narrowed is narrower.
func TestFlags(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Send("gate-1", harness.Gate(1, harness.Ten, 5))
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	config, state, policy := filepath.Join(c.Dir, "gateway.yaml"), filepath.Join(c.Dir, "state"),
		filepath.Join(c.Dir, "policy")
	say := func(code int, args ...string) string {
		t.Helper()
		cmd := exec.Command(harness.Sluice, args...)
		cmd.Env = append(cmd.Environ(), "LANG=en", "LC_ALL=")
		out, err := cmd.Output()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("sluice %v: %d, want %d (%v)\n%s", args, got, code, err, out)
		}
		return string(out)
	}
	data := func(key, out string) {
		t.Helper()
		var v map[string]any
		if err := json.Unmarshal([]byte(out), &v); err != nil || v[key] == nil {
			t.Errorf("%v, or there is no %q in\n%s", err, key, out)
		}
	}
	data("problems", say(0, "verify", "--json", c.Opendata))
	say(2, "verify", strings.TrimPrefix(c.Opendata, "http://"))
	data("problems", say(0, "ledger", "verify", "--json", state))
	data("days", say(0, "ledger", "show", "--json", state))
	data("aside", say(0, "ledger", "aside", "--json", "-c", config))

	other := filepath.Join(t.TempDir(), "policy")
	harness.Run(t, "cp", "-r", policy, other)
	gates := filepath.Join(other, "decisions/gates.yaml")
	harness.Write(t, gates, strings.Replace(harness.Read(t, gates), "lateness: PT2M", "lateness: PT3M", 1))
	data("changes", say(0, "policy", "diff", "--json", policy, other))
	harness.Want(t, say(0, "policy", "explain", "--dir", other, "1"), "Gates")
	harness.Write(t, filepath.Join(other, "tests/a.yaml"),
		"tests: [{name: a, given: {kind: people-gate, zone: square}, then: {kept: [passed]}}]\n")
	data("cases", say(0, "policy", "test", "--json", other))
	harness.Want(t, say(0, "policy", "test", "--lang", "ca", other), "(?i)prov")
	harness.Want(t, say(0, "motion", "--lang", "ca", "--dir", other, "show"), "(?i)roster|padró|cens")

	say(0, "policy", "new", "--dir", other, "2026-99")
	harness.Read(t, filepath.Join(other, "decisions/2026-99.yaml"))

	say(0, "sensor", "acl", "--gateway", "edge", "--register", filepath.Join(c.Dir, "register.yaml"), "--dir", other)
	harness.Want(t, harness.Read(t, filepath.Join(other, "acl")), `(?m)^user edge$`)

	at := harness.Ten.Format(time.RFC3339)
	say(0, "withdraw", "gates", "--cell", "square", "--measure", "turns", "--start", at, "--reason", "a test", "-c",
		config)
	harness.Await(t, 20*time.Second, "one measure to be withdrawn", func() bool {
		list := c.Items("gates", harness.Ten, harness.Ten.Add(time.Hour))
		status := map[string]string{}
		for _, i := range list {
			status[i.Measure] = i.Status
		}
		return status["turns"] == "withdrawn" && status["passed"] == "published"
	})
}
