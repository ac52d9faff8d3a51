package cluster

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/test/harness"
)

// another is another build of the program.
func another(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "sluice-next")
	harness.Run(t, "go", "build", "-ldflags=-s -w -X=main.build=next", "-o", out, "sluice/cmd/sluice")
	return out
}

// TestRolling: all machines get another build and all servers start again, one after the other, while sensors send;
// then one machine gets the build before back. Nothing is lost and nothing counts twice.
func TestRolling(t *testing.T) {
	t.Parallel()
	next := another(t)
	w := newTownOf(t, func() *harness.City { return harness.Found(t, crowded()) }, "street-1: front", "street-2: front",
		"count-1: worker", "count-2: worker", "hall-1: releaser", "hall-2: releaser")
	w.begin()
	w.versions(1)
	w.tick(ten)
	exchange := func(name, program string) {
		if code := w.machines[name].Gateway.Stop(time.Minute); code != 0 {
			t.Errorf("%s ends with %d", name, code)
		}
		w.programs[name] = program
		w.start(name)
		w.machines[name].Gateway.Find("the gateway runs")
	}
	w.lives(func() {
		for _, name := range slices.Sorted(maps.Keys(w.machines)) {
			exchange(name, next)
		}
		for _, n := range w.servers.Nodes {
			n.Stop()
			n.Start()
			n.Healthy()
		}
		exchange("count-1", "")
	})
}
