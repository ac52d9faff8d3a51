package gateway

import (
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/ledger"
)

// TestUnmoved: a cluster's machine begins with a state directory of its own, and not with that of a gateway that has
// run alone.
func TestUnmoved(t *testing.T) {
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := unmoved(t.Context(), l, "state"); err != nil {
		t.Errorf("an empty one: %v", err)
	}
	if err := l.Policies.Enact(t.Context(), ledger.Version{Digest: "d", Packed: []byte("{}")}, 0); err != nil {
		t.Fatal(err)
	}
	if err := unmoved(t.Context(), l, "state"); err == nil || !strings.Contains(err.Error(), "sluice cluster move") {
		t.Errorf("one that has run alone: %v", err)
	}
}
