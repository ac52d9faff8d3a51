package main

import (
	"os"
	"strings"
	"testing"

	"sluice/test/raced"
)

// TestSuspendingLeavesTheDeskInOrder: a suspension says that it is in the draft too, keeps
// what is drafted there besides, and leaves a motion alone that members may be signing; who
// enacts one without an inbox is told where the file must go.
func TestSuspendingLeavesTheDeskInOrder(t *testing.T) {
	raced.Skip(t)
	vote(t)
	t.Setenv("LC_ALL", "C")
	do := func(code int, says string, args ...string) {
		t.Helper()
		if got, out := sluice(args...); got != code || !strings.Contains(out, says) {
			t.Errorf("sluice %s: %d, want %d, with %q\n%s", strings.Join(args, " "), got, code, says, out)
		}
	}
	read := func(name string) string {
		t.Helper()
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	do(0, "is put to the vote", "motion", "create", "first")
	sign(t, "first", "anna", "bru")
	do(0, "No gateway has it yet: put motions/first/first.sluice where policy.inbox", "motion", "enact", "first")
	do(0, "Written: motions/first/first.sluice, inbox/first.sluice", "motion", "enact", "first", "--inbox", "inbox")
	if _, out := sluice("motion", "enact", "first", "--inbox", "inbox"); strings.Contains(out, "No gateway has it") {
		t.Errorf("with an inbox it says\n%s", out)
	}

	write(t, "suspended.yaml", "suspended:\n  - {decision: other, reason: drafted}\n")
	do(0, "suspended.yaml has the suspension now too", "motion", "suspend", "2026-14", "--reason", "a fault")
	if got := read("suspended.yaml"); !strings.Contains(got, `{decision: "other", reason: "drafted"}`) ||
		!strings.Contains(got, `reason: "a fault"`) {
		t.Errorf("the draft is\n%s", got)
	}
	text, draft := read("motions/suspend-2026-14-v2/motion.txt"), read("suspended.yaml")
	do(1, "motion suspend-2026-14-v2 is put to the vote already; to make it anew, take motions/suspend-2026-14-v2 "+
		"away first", "motion", "suspend", "2026-14", "--reason", "another fault")
	if read("motions/suspend-2026-14-v2/motion.txt") != text || read("suspended.yaml") != draft {
		t.Error("a second suspension changes what the first one put to the vote")
	}
	if err := os.RemoveAll("motions/suspend-2026-14-v2"); err != nil {
		t.Fatal(err)
	}
	do(0, "is put to the vote", "motion", "suspend", "2026-14", "--reason", "another fault")
	if got := read("suspended.yaml"); strings.Count(got, "2026-14") != 1 || !strings.Contains(got, "another fault") ||
		!strings.Contains(got, "drafted") {
		t.Errorf("the draft is\n%s", got)
	}
	write(t, "suspended.yaml", "suspended: {\n")
	if err := os.RemoveAll("motions/suspend-2026-14-v2"); err != nil {
		t.Fatal(err)
	}
	do(1, "suspended.yaml", "motion", "suspend", "2026-14", "--reason", "x")
	if _, err := os.Stat("motions/suspend-2026-14-v2"); err == nil {
		t.Error("a draft that cannot be read leaves half a motion")
	}
}
