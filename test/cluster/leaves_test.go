package cluster

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

// TestOneLeaves: a machine that a signed roster has no place for any more ends by itself, which it says, and does not
// start again; the others go on.
func TestOneLeaves(t *testing.T) {
	t.Parallel()
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

// TestAFrontLeaves is docs/operations.md's rows of a machine that has no more work, and of one that leaves for good: a
// front that is stopped says that it ends, so that no window waits for it or lacks what it had; the next roster has its
// last day, and it does not start again, while what it had acknowledged counts.
func TestAFrontLeaves(t *testing.T) {
	t.Parallel()
	w := newTown(t, "street-1: front", "street-2: front", "town: worker, releaser")
	w.begin()
	w.versions(1)
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten))
	}
	hour(t, w.links, 0)
	at := ten.Add(time.Hour + 4*time.Minute)
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, at))
	}
	i := slices.Index(w.fronts, "street-2")
	w.links[i].Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(199, at, 5)), false)
	harness.NoError(t, w.links[i].Flush())
	leaver := w.machines["street-2"]
	if code := leaver.Gateway.Stop(time.Minute); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	left := []*device.Link{w.links[1-i]}
	hour(t, left, 1)
	w.holds(4)

	before := harness.Read(t, filepath.Join(leaver.Dir, "roster.yaml"))
	gone := "$1[], front_until: " + time.Now().UTC().Format(time.DateOnly)
	after := regexp.MustCompile(`(name: street-2, .*roles: )\[front\]`).ReplaceAllString(before, gone)
	w.signs(strings.Replace(after, "version: 1", "version: 2", 1))
	w.machines["town"].Gateway.Find(`another roster holds.*version=2`)
	code, said := harness.Verb(t, "gateway", "-c", filepath.Join(leaver.Dir, "gateway.yaml"))
	if code != 3 || !strings.Contains(said, "does not have front for street-2") {
		t.Errorf("it starts again: %d, %s", code, said)
	}
	hour(t, left, 2)
	w.holds(6)
	got := numbers(w.machines["town"], "gates")
	for h, want := range []float64{115, 120, 115} {
		if v := got[fmt.Sprintf("%d:00 square passed", 10+h)]; v != want {
			t.Errorf("hour %d: %v have passed; want %v", h, v, want)
		}
	}
}
