package ingest

import (
	"testing"

	"sluice/gateway/ingest/internal/sparkplug"
)

// TestNamesOfMetrics: births are asked for again where a name is wanted that was not before, and
// only there.
func TestNamesOfMetrics(t *testing.T) {
	set := func(names ...string) *map[string]bool {
		m := make(map[string]bool)
		for _, n := range names {
			m[n] = true
		}
		return &m
	}
	n := nodes{edges: sparkplug.New()}
	for _, c := range []struct {
		names *map[string]bool
		anew  bool
	}{{set("a", "b"), true}, {set("a", "b"), false}, {set("a"), false}, {set("a", "c"), true}, {set(), false}} {
		before := n.edges
		if n.follow(c.names); (n.edges != before) != c.anew {
			t.Errorf("%v: all are asked again: %v", *c.names, !c.anew)
		}
	}
}
