package test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFlags gives each flag that no other story gives, on a city that has released
// something: what is for programs is JSON, and what is narrowed is narrower.
func TestFlags(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	c.send("gate-1", gate(1, ten, 5))
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	config, state, policy := filepath.Join(c.dir, "gateway.yaml"), filepath.Join(c.dir, "state"),
		filepath.Join(c.dir, "policy")
	say := func(code int, args ...string) string {
		t.Helper()
		cmd := exec.Command(sluice, args...)
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
	data("problems", say(0, "verify", "--json", c.opendata))
	say(2, "verify", strings.TrimPrefix(c.opendata, "http://"))
	data("problems", say(0, "ledger", "verify", "--json", state))
	data("days", say(0, "ledger", "show", "--json", state))
	data("aside", say(0, "ledger", "aside", "--json", "-c", config))

	other := filepath.Join(t.TempDir(), "policy")
	run(t, "cp", "-r", policy, other)
	gates := filepath.Join(other, "decisions/gates.yaml")
	write(t, gates, strings.Replace(read(t, gates), "lateness: PT2M", "lateness: PT3M", 1))
	data("changes", say(0, "policy", "diff", "--json", policy, other))
	want(t, say(0, "policy", "explain", "--dir", other, "1"), "Gates")
	write(t, filepath.Join(other, "tests/a.yaml"),
		"tests: [{name: a, given: {kind: people-gate, zone: square}, then: {kept: [passed]}}]\n")
	data("cases", say(0, "policy", "test", "--json", other))
	want(t, say(0, "policy", "test", "--lang", "ca", other), "(?i)prov")
	want(t, say(0, "motion", "--lang", "ca", "--dir", other, "show"), "(?i)roster|padró|cens")

	say(0, "policy", "new", "--dir", other, "2026-99")
	read(t, filepath.Join(other, "decisions/2026-99.yaml"))

	say(0, "sensor", "acl", "--gateway", "edge", "--register", filepath.Join(c.dir, "register.yaml"), "--dir", other)
	want(t, read(t, filepath.Join(other, "acl")), `(?m)^user edge$`)

	at := ten.Format(time.RFC3339)
	say(0, "withdraw", "gates", "--cell", "square", "--measure", "turns", "--start", at, "--reason", "a test", "-c",
		config)
	await(t, 20*time.Second, "one measure to be withdrawn", func() bool {
		list := c.items("gates", ten, ten.Add(time.Hour))
		status := map[string]string{}
		for _, i := range list {
			status[i.Measure] = i.Status
		}
		return status["turns"] == "withdrawn" && status["passed"] == "published"
	})
}
