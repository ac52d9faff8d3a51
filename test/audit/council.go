package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// vote makes a policy that a council of one has signed, out of the files in the
// directory, and puts it into an inbox beside. It returns the roster's pin. Only such
// a policy runs in a gateway that is no simulation.
func vote(sluice, dir, inbox string) (pin string, err error) {
	if sluice, err = filepath.Abs(sluice); err != nil {
		return "", err
	}
	do := func(name string, args ...string) string {
		if err != nil {
			return ""
		}
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		var out []byte
		if out, err = cmd.CombinedOutput(); err != nil {
			err = fmt.Errorf("%s %v: %w: %s", filepath.Base(name), args, err, out)
		}
		return string(out)
	}
	do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "anna", "-f", "anna")
	if err != nil {
		return "", err
	}
	public, err := os.ReadFile(filepath.Join(dir, "anna.pub"))
	if err != nil {
		return "", err
	}
	roster := fmt.Sprintf("version: 1\nmembers:\n  - {id: anna, name: Anna, keys: [%q]}\n", bytes.TrimSpace(public))
	if err := os.WriteFile(filepath.Join(dir, "council.yaml"), []byte(roster), 0o644); err != nil {
		return "", err
	}
	pin = regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(do(sluice, "motion", "show"))
	do(sluice, "motion", "create", "audit")
	text := filepath.Join("motions", "audit", "motion.txt")
	do("ssh-keygen", "-q", "-Y", "sign", "-f", "anna", "-n", "sluice-vote@audit", text)
	if err == nil {
		err = os.Rename(filepath.Join(dir, text+".sig"), filepath.Join(dir, "motions", "audit", "ballots", "anna.sig"))
	}
	do(sluice, "motion", "enact", "audit")
	if err != nil {
		return "", err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "motions", "audit", "audit.sluice"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(inbox, 0o755); err != nil {
		return "", err
	}
	return pin, os.WriteFile(filepath.Join(inbox, "audit.sluice"), raw, 0o644)
}

// term is the first and last day of a decision that is in force now.
func term() (from, until string) {
	now := time.Now().UTC()
	return now.AddDate(0, 0, -30).Format(time.DateOnly), now.AddDate(0, 0, 300).Format(time.DateOnly)
}
