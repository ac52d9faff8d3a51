package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	c.Gateway.Kill()
	code, said := harness.Verb(w.t, "ledger", "recover", "-c", filepath.Join(c.Dir, "gateway.yaml"))
	if code != 0 || !strings.Contains(said, want) || !strings.Contains(said, "is silent until") {
		w.t.Fatalf("it ends with %d and says %s", code, said)
	}
	c.Run()
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
	for _, name := range []string{"street", "count", "hall-1"} {
		w.halts(name, "come back shorter than this ledger")
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
