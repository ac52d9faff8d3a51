package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// stores has something happen to the servers' stores while all three are stopped.
func (w *town) stores(happens func(store string)) {
	w.t.Helper()
	for _, n := range w.servers.Nodes {
		n.Stop()
	}
	for _, n := range w.servers.Nodes {
		happens(n.Store)
	}
	for _, n := range w.servers.Nodes {
		n.Start()
	}
	w.servers.Whole()
}

// halts waits until a machine says why nothing is released.
func (w *town) halts(name, why string) {
	w.t.Helper()
	harness.Await(w.t, time.Minute, name+" to say that nothing is released", func() bool {
		ok, hints := w.machines[name].Ready()
		said := hints["ledger"]
		return !ok && strings.Contains(said, why) && strings.Contains(said, "sluice ledger recover")
	})
}

// recovers ends a machine's gateway, recovers there, and starts it again.
func (w *town) recovers(name, want string) {
	w.t.Helper()
	c := w.machines[name]
	bin := w.t.TempDir()
	harness.NoError(w.t, os.Symlink(harness.Sluice, filepath.Join(bin, "sluice")))
	b := fenced.Take(w.t, "docs/operations.md", "sluice cluster status -c /etc/sluice/gateway.yaml --once")
	b.Change("/etc/sluice/gateway.yaml", filepath.Join(c.Dir, "gateway.yaml"))
	b.Change("/var/lib/sluice", filepath.Join(c.Dir, "state"))
	b.StandIn("systemctl", `[ "$1 $2" = "start sluice-gateway" ] || [ "$1 $2" = "stop sluice-gateway" ]
if [ $1 = stop ]; then kill -9 $GATEWAY; while kill -0 $GATEWAY 2>/dev/null; do sleep 0.1; done; fi`,
		"the test has no systemd")
	said := b.Run(c.Dir, []string{bin}, fmt.Sprint("GATEWAY=", c.Gateway.Cmd.Process.Pid))
	for _, what := range []string{"Nothing is released: ", want, "is silent until"} {
		if !strings.Contains(said, what) {
			w.t.Errorf("the document's commands do not say %q:\n%s", what, said)
		}
	}
	c.Gateway.Kill()
	c.Run()
}

// TestOneServerPutBack: a server that is put back from an old copy is filled by the other two, and nobody is halted. A
// number that is taken back at one machine, beside its gateway, is hidden by all.
func TestOneServerPutBack(t *testing.T) {
	t.Parallel()
	w := newTown(t, "town: front, worker", "hall-1: releaser", "hall-2: releaser")
	w.begin()
	w.versions(1)
	harness.NoError(t, w.links[0].Tick(harness.ClockTopic, ten))
	hour(t, w.links, 0)
	w.holds(2)
	n, backup := w.servers.Leader("BOOKS"), filepath.Join(t.TempDir(), "store")
	n.Stop()
	harness.NoError(t, os.CopyFS(backup, os.DirFS(n.Store)))
	n.Start()
	w.servers.Whole()
	hour(t, w.links, 1)
	w.holds(4)
	n.Stop()
	harness.RemoveAll(t, n.Store)
	harness.NoError(t, os.CopyFS(n.Store, os.DirFS(backup)))
	n.Start()
	w.servers.Whole()
	at := ten.Format(time.RFC3339)
	for name, want := range map[string]int{"hall-1": 0, "town": 3} {
		code, said := harness.Verb(t, "withdraw", "gates", "-c", filepath.Join(w.machines[name].Dir, "gateway.yaml"),
			"--start", at, "--reason", "a wasp in the gate")
		if code != want {
			t.Errorf("withdraw at %s: %d\n%s", name, code, said)
		}
	}
	if code, said := harness.Verb(t, "ledger", "aside", "--send", "-c",
		filepath.Join(w.machines["hall-1"].Dir, "gateway.yaml")); code != 0 {
		t.Errorf("aside: %d\n%s", code, said)
	}
	hour(t, w.links, 2)
	for _, name := range w.halls {
		c := w.machines[name]
		harness.Await(t, time.Minute, name+" to hide it, and to go on", func() bool {
			var hidden, next bool
			for _, o := range c.Items("gates", ten, ten.Add(3*time.Hour)) {
				hidden = hidden || o.Start.Equal(ten) && o.Status == "withdrawn" && o.Reason == "a wasp in the gate"
				next = next || o.Start.Equal(ten.Add(2*time.Hour)) && o.Value != nil
			}
			return hidden && next
		})
		c.Stored()
		code, out := harness.Verb(t, "verify", c.Opendata)
		if code != 0 || !strings.Contains(out, "1 window withdrawn") {
			t.Errorf("%s: verify: %d\n%s", name, code, out)
		}
		if code, out := harness.Stranger(t, filepath.Join(c.Dir, "state/public")); code != 0 {
			t.Errorf("%s: a stranger's program: %d\n%s", name, code, out)
		}
		if said := c.Gateway.Err.String(); strings.Contains(said, "nothing is released") {
			t.Errorf("%s was halted:\n%s", name, harness.Tail(said))
		}
	}
}

// publishes waits until an hour is published by all that release, and looks that their books add up, for us and for a
// stranger, and have a public gap.
func (w *town) publishes(h int) {
	w.t.Helper()
	from := ten.Add(time.Duration(h) * time.Hour)
	for _, name := range w.halls {
		c := w.machines[name]
		harness.Await(w.t, 2*time.Minute, fmt.Sprintf("%s to publish hour %d", name, h), func() bool {
			for _, o := range c.Items("gates", from, from.Add(time.Hour)) {
				if o.Measure == "passed" && o.Value != nil {
					if *o.Value != 115 {
						w.t.Fatalf("%s: in hour %d %v have passed; want 115", name, h, *o.Value)
					}
					return true
				}
			}
			return false
		})
		c.Stored()
		public := filepath.Join(c.Dir, "state/public")
		if code, out := harness.Verb(w.t, "verify", c.Opendata); code != 0 {
			w.t.Errorf("%s: verify: %d\n%s", name, code, out)
		}
		if code, out := harness.Stranger(w.t, public); code != 0 {
			w.t.Errorf("%s: a stranger's program: %d\n%s", name, code, out)
		}
		if gaps := harness.Read(w.t, filepath.Join(public, "gaps.jsonl")); !strings.Contains(gaps, `"recovered"`) {
			w.t.Errorf("%s has no public gap:\n%s", name, gaps)
		}
	}
}

// TestServersThatForget: where the cluster's servers have lost all they had, nothing is released, also where the ledger
// is lost as well and only the public books still know; a recovery puts back what is known, and the next day is
// published.
func TestServersThatForget(t *testing.T) {
	t.Parallel()
	w := newTown(t, "town-1: front, worker, releaser")
	w.begin()
	w.versions(1)
	c := w.machines["town-1"]
	harness.NoError(t, w.links[0].Tick(harness.ClockTopic, ten))
	hour(t, w.links, 0)
	w.holds(2)
	forget := func() {
		if code := c.Gateway.Stop(20 * time.Second); code != 0 {
			t.Fatal(code)
		}
		w.stores(func(store string) { harness.RemoveAll(t, store) })
	}
	forget()
	c.Run()
	w.halts("town-1", "come back shorter than this ledger")
	hour(t, w.links, 1)         // it is acknowledged
	time.Sleep(2 * time.Second) // in which it would be released
	if n := w.released(); n != 2 {
		t.Errorf("the public books have %d windows", n)
	}
	w.recovers("town-1", "put back into the books that machines share")
	hour(t, w.links, 14) // the next day
	w.publishes(14)

	forget()
	for _, name := range []string{"ledger.db", "ledger.db-wal", "ledger.db-shm"} {
		harness.RemoveAll(t, filepath.Join(c.Dir, "state", name))
	}
	c.Run()
	w.halts("town-1", "lack something that was released")
	w.recovers("town-1", "lines were taken over from copies of the books")
	harness.Await(t, time.Minute, "a policy", func() bool { return c.Version() >= 1 })
	hour(t, w.links, 62) // without a policy nobody knows whose midnight it is
	w.publishes(62)
}

// TestServersPutBack: all three servers are put back from a backup of an hour before, while all else goes on. No
// machine releases anything, fronts acknowledge; a recovery at one puts back what is missing, the other takes it by
// itself, and the next day both release what was heard.
func TestServersPutBack(t *testing.T) {
	t.Parallel()
	w := newTown(t, "street: front", "count: worker", "hall-1: releaser", "hall-2: releaser")
	w.begin()
	w.versions(1)
	harness.NoError(t, w.links[0].Tick(harness.ClockTopic, ten))
	hour(t, w.links, 0)
	w.holds(2)
	backup := t.TempDir()
	w.stores(func(store string) {
		harness.NoError(t, os.CopyFS(filepath.Join(backup, filepath.Base(store)), os.DirFS(store)))
	})
	hour(t, w.links, 1)
	w.holds(4)
	hall := w.machines["hall-2"]
	hall.Gateway.Kill()
	w.stores(func(store string) {
		harness.RemoveAll(t, store)
		harness.NoError(t, os.CopyFS(store, os.DirFS(filepath.Join(backup, filepath.Base(store)))))
	})
	w.halts("hall-1", "come back shorter than this ledger")
	for _, name := range []string{"street", "count"} { // it sees that by itself, or is told by who has seen it first
		w.halts(name, "no machine releases anything until they are recovered")
	}
	// One that has no more than the servers would release the second hour once more.
	for _, name := range []string{"state", "keys"} {
		harness.RemoveAll(t, filepath.Join(hall.Dir, name))
	}
	hall.Run()
	w.halts("hall-2", "lack something that was released")
	hour(t, w.links, 2)
	time.Sleep(2 * time.Second) // in which it would be released
	if n := w.released(); n != 4 {
		t.Errorf("the public books have %d windows", n)
	}
	w.recovers("hall-1", "put back into the books that machines share")
	for name, c := range w.machines {
		harness.Await(t, time.Minute, name+" to go on", func() bool {
			_, hints := c.Ready()
			return hints["ledger"] == ""
		})
	}
	hour(t, w.links, 14)
	w.publishes(14)
	got := numbers(w.machines["hall-2"], "gates")
	if got["10:00 square passed"] == 0 || got["11:00 square passed"] == 0 {
		t.Errorf("hall-2 lacks numbers of before: %v", got)
	}
	w.silent()
}
