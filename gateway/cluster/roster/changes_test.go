package roster

import (
	"slices"
	"strings"
	"testing"
)

// TestChanges: who comes, goes, is called otherwise, has another key or does something else is said, and nobody else.
func TestChanges(t *testing.T) {
	_, a := pair(t, "a")
	_, b := pair(t, "b")
	_, c := pair(t, "c")
	of := func(members ...string) *Roster {
		t.Helper()
		r, err := Parse("r", []byte("version: 1\nmembers:\n  - {name: "+strings.Join(members, "}\n  - {name: ")+"}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := of("a, key: "+a+", roles: [worker, front]", "b, key: "+b+", roles: [releaser]")
	for name, test := range map[string]struct {
		next *Roster
		want []string
	}{
		"nothing": {of("b, key: "+b+", roles: [releaser]", "a, key: "+a+", roles: [front, worker]"), nil},
		"another": {of("a, key: "+a+", roles: [front, worker]", "b, key: "+b+", roles: [releaser]",
			"c, key: "+c+", roles: [worker]"), []string{"c comes: worker"}},
		"out": {of("a, key: " + a + ", roles: [front, worker]"), []string{"b is taken out, and was releaser"}},
		"other roles": {of("a, key: "+a+", roles: [worker], front_until: 2026-11-27", "b, key: "+b+", roles: []"),
			[]string{"a was front, worker, and is worker, front until 2026-11-27",
				"b was releaser, and is without a role"}},
		"other name": {of("a, key: "+a+", roles: [front, worker]", "d, key: "+b+", roles: [releaser]"),
			[]string{"d was called b: releaser"}},
	} {
		if got := test.next.Changes(before); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	got := of("a, key: "+a+", roles: [front, worker]", "b, key: "+c+", roles: [releaser]").Changes(before)
	if len(got) != 1 || !strings.Contains(got[0], "b has another key (SHA256:") {
		t.Errorf("another key: %q", got)
	}
}
