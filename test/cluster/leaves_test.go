package cluster

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestOneLeaves: a machine that a signed roster has no place for any more ends by itself, which it says, and does not
// start again; the others go on.
func TestOneLeaves(t *testing.T) {
	w := newTown(t, "town: front, worker, releaser", "count: worker")
	w.begin()
	w.versions(1)
	town, count := w.machines["town"], w.machines["count"]
	before := harness.Read(t, filepath.Join(town.Dir, "roster.yaml"))
	after := regexp.MustCompile(`(name: count, .*roles: )\[worker\]`).ReplaceAllString(before, "$1[]")
	w.signs(strings.Replace(after, "version: 1", "version: 2", 1))
	harness.Await(t, 3*time.Minute, "the machine to end", count.Gateway.Ended)
	if code := count.Gateway.Cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("it ended with %d", code)
	}
	code, said := harness.Verb(t, "gateway", "-c", filepath.Join(count.Dir, "gateway.yaml"))
	if code != 3 || !strings.Contains(said, "worker") {
		t.Errorf("it starts again: %d, %s", code, said)
	}
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten))
	}
	hour(t, w.links, 0)
	hour(t, w.links, 1)
	w.holds(4)
}
