package cluster

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/rollcall"
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
	t.Parallel()
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
		`^hall +releaser +yes, releases +-$`, `^0 +count +[1-9]`, `^3 +count +\d+ +[0-9]s`)
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

// hint is what /readyz of a machine says of one of its parts; empty where that works.
func (w *town) hint(name, part string) string {
	_, hints := w.machines[name].Ready()
	return hints[part]
}

// TestToldOf: what an operator is told, and where, when a front says nothing, a name is used twice, a server keeps
// nothing any more, and no majority of them is there.
func TestToldOf(t *testing.T) {
	t.Parallel()
	w := newTown(t, "street-1: front", "street-2: front", "count: worker", "hall: releaser")
	w.begin()
	w.versions(1)
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten))
	}
	hour(t, w.links, 0)
	w.holds(2)
	said := ""
	says := func(name string, patterns ...string) {
		t.Helper()
		harness.Await(t, time.Minute, strings.Join(patterns, ", "), func() bool {
			said = w.status(name)
			for _, p := range patterns {
				if !regexp.MustCompile("(?m)" + p).MatchString(said) {
					return false
				}
			}
			return true
		})
	}
	var is struct {
		Through *time.Time `json:"released_through"`
	}
	harness.GetJSON(t, w.machines["hall"].Admin+"/healthz", &is)
	if is.Through == nil {
		t.Error("two windows are released, and healthz knows of none")
	}

	harness.NoError(t, w.machines["street-2"].Gateway.Cmd.Process.Signal(syscall.SIGSTOP))
	says("hall", `^count: windows wait for front street-2 since .*: it says nothing; `)
	harness.Await(t, time.Minute, "the metric", func() bool {
		return w.machines["count"].Metric("sluice_cluster_waits") == 1
	})
	harness.NoError(t, w.machines["street-2"].Gateway.Cmd.Process.Signal(syscall.SIGCONT))
	harness.Await(t, time.Minute, "nothing to wait for", func() bool {
		return w.machines["count"].Metric("sluice_cluster_waits") == 0
	})

	conn, err := engine.Dial(t.Context(), engine.Config{URLs: w.servers.URLs(), CA: w.servers.CA,
		Credentials: w.servers.Data})
	harness.NoError(t, err)
	defer conn.Close()
	leave, err := rollcall.Answer(t.Context(), conn, func() rollcall.Said {
		return rollcall.Said{Name: "count", Run: "another", Host: "elsewhere", Now: time.Now()}
	})
	harness.NoError(t, err)
	says("hall", `^count is the name of several processes`, `^count: cluster, since .*another process is count too, on elsewhere`)
	leave()
	harness.Await(t, time.Minute, "one of that name", func() bool { return w.hint("count", "cluster") == "" })

	w.servers.Nodes[0].Kill()
	says("hall", `^Server nats-1 keeps nothing of what is written: `)
	w.servers.Nodes[1].Kill()
	for name := range w.machines {
		harness.Await(t, time.Minute, name+" to miss a majority", func() bool {
			return strings.Contains(w.hint(name, "cluster"), "no majority of the servers answers since ")
		})
	}
	says("street-1", `^count: cluster, since .*no majority of the servers answers since `)
	harness.Await(t, time.Minute, "the front to say what it waits for", func() bool {
		return strings.Contains(w.hint("street-1", "intake"), "a majority of the cluster's servers")
	})
}
