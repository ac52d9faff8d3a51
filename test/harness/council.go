package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Ruled puts a plan.rego of one's own beside the other rules.
func Ruled(body string) func(map[string]string) {
	return func(files map[string]string) {
		for _, name := range []string{"charter", "release", "lib"} {
			raw, err := os.ReadFile("../../policy/rules/" + name + ".rego")
			if err != nil {
				panic(err)
			}
			files["policy/rules/"+name+".rego"] = string(raw)
		}
		files["policy/rules/plan.rego"] = "package sluice.plan\n" + body
	}
}

// Assembly is a council at its desk: a policy directory, seven members with keys
// that ssh-keygen made, and the clerk.
type Assembly struct {
	T   *testing.T
	Dir string
}

// Members are the council.
var Members = []string{"anna", "bru", "carla", "dani", "emma", "ferran", "gemma"}

// Assemble writes the desk. The policy is that of the small city.
func Assemble(t *testing.T, files map[string]string) *Assembly {
	t.Helper()
	Need(t, "ssh-keygen")
	a := &Assembly{t, t.TempDir()}
	var roster strings.Builder
	roster.WriteString("version: 1\nmembers:\n")
	for i, m := range Members {
		kind := []string{"ed25519", "ecdsa"}[i%2]
		a.Must("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", m, "-f", a.Path("keys", m))
		fmt.Fprintf(&roster, "  - {id: %s, name: %s, keys: [%q]}\n", m, strings.ToUpper(m[:1])+m[1:],
			strings.TrimSpace(Read(t, a.Path("keys", m+".pub"))))
	}
	for name, text := range files {
		Write(t, a.Path(name), text)
	}
	Write(t, a.Path("council.yaml"), roster.String())
	return a
}

// Path is a file of the council's directory.
func (a *Assembly) Path(parts ...string) string {
	full := filepath.Join(append([]string{a.Dir}, parts...)...)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		a.T.Fatal(err)
	}
	return full
}

// Must runs a command at the desk.
func (a *Assembly) Must(name string, args ...string) string {
	a.T.Helper()
	out, err := a.Try(name, args...)
	if err != nil {
		a.T.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return out
}

// Try runs a verb as a member.
func (a *Assembly) Try(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = a.Dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Sign is what a member does, with nothing of ours.
func (a *Assembly) Sign(motion string, who ...string) {
	a.T.Helper()
	text := a.Path("motions", motion, "motion.txt")
	for _, m := range who {
		a.Must("ssh-keygen", "-q", "-Y", "sign", "-f", a.Path("keys", m), "-n", "sluice-vote@smallville", text)
		if err := os.Rename(text+".sig", a.Path("motions", motion, "ballots", m+".sig")); err != nil {
			a.T.Fatal(err)
		}
	}
}

// Says is what a member does who is against a motion, or for it, and says why; the vote for it is
// signed apart.
func (a *Assembly) Says(motion, who, choice, reason string) {
	a.T.Helper()
	a.Must(Sluice, "motion", "ballot", motion, "--"+choice, "--reason", reason)
	text := a.Path("motions", motion, choice+".txt")
	a.Must("ssh-keygen", "-q", "-Y", "sign", "-f", a.Path("keys", who), "-n", "sluice-ballot@smallville", text)
	for _, end := range []string{"", ".sig"} {
		if err := os.Rename(text+end, a.Path("motions", motion, "ballots", who+".txt"+end)); err != nil {
			a.T.Fatal(err)
		}
	}
}

// Enact is a whole vote.
func (a *Assembly) Enact(motion, inbox string, who ...string) {
	a.T.Helper()
	a.Must(Sluice, "motion", "create", motion)
	a.Sign(motion, who...)
	a.Must(Sluice, "motion", "enact", motion, "--inbox", inbox)
}
