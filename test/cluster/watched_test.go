package cluster

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// status is what `sluice cluster status` says on one of the machines.
func (w *town) status(name string) string {
	w.t.Helper()
	out, _ := exec.Command(harness.Sluice, "cluster", "status", "--once", "-c",
		filepath.Join(w.machines[name].Dir, "gateway.yaml")).CombinedOutput()
	return string(out)
}

// TestWatched: cluster status sees each machine and what it does, also with one of three servers away, and says so with
// two; and machines have each number of the cluster that the dashboard shows.
func TestWatched(t *testing.T) {
	w := newTown(t, "street: front", "count: worker", "hall: releaser")
	w.begin()
	w.versions(1)
	harness.NoError(t, w.links[0].Tick(harness.ClockTopic, ten))
	hour(t, w.links, 0)
	said := ""
	await := func(what string, patterns ...string) {
		t.Helper()
		harness.Await(t, time.Minute, what, func() bool {
			said = w.status("street")
			for _, p := range patterns {
				if !regexp.MustCompile("(?m)" + p).MatchString(said) {
					return false
				}
			}
			return true
		})
	}
	await("all machines to be seen", `^3 of 3 servers answer\.$`,
		`^street +front +yes +-$`, `^count +worker +yes +0-3$`,
		`^hall +releaser +yes, releases +-$`, `^0 +count +[1-9]`, `^3 +count +\d+ +[0-2]s`)
	names := regexp.MustCompile(`sluice_cluster_[a-z_]+`)
	shown := map[string]bool{}
	for _, name := range names.FindAllString(harness.Read(t, "../../configs/grafana/sluice.json"), -1) {
		shown[name] = true
	}
	harness.Await(t, time.Minute, "each number that the dashboard shows", func() bool {
		all := ""
		for _, c := range w.machines {
			all += c.Metrics()
		}
		for name := range shown {
			if !strings.Contains(all, "\n"+name) {
				said = name
				return false
			}
		}
		return true
	})
	if len(shown) < 7 {
		t.Errorf("the dashboard shows %v", shown)
	}
	w.servers.Nodes[0].Kill()
	await("one server to be missed", `^2 of 3 servers answer; away: `+regexp.QuoteMeta(w.servers.Nodes[0].Addr)+`\.$`,
		`^count +worker +yes +0-3$`)
	w.servers.Nodes[1].Kill()
	await("two servers to be missed", `^1 of 3 servers answer`, `no majority of the servers answers`)
}
