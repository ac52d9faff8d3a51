package main

import (
	"slices"
	"testing"
)

// TestClobberFreeIsAskedForOnce: whatever GODEBUG an operator has set, the next start must see ours.
func TestClobberFreeIsAskedForOnce(t *testing.T) {
	for before, after := range map[string]string{
		"GODEBUG=gctrace=1": "GODEBUG=gctrace=1,clobberfree=1,asyncpreemptoff=1",
		"GODEBUG=":          "GODEBUG=clobberfree=1,asyncpreemptoff=1",
		"GODEBUGS=1":        "GODEBUG=clobberfree=1,asyncpreemptoff=1",
	} {
		got := withClobberFree([]string{"A=1", before, "B=2"})
		want := []string{"A=1", "B=2", after}
		if before == "GODEBUGS=1" {
			want = []string{"A=1", before, "B=2", after}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s becomes %q", before, got)
		}
	}
}
