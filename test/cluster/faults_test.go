package cluster

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/nats"
)

var (
	trials = flag.Int("trials", 4, "faults of TestFaults, one in each simulated hour")
	seed   = flag.Uint64("seed", 1, "which ones")
)

// fault is something that happens to a town, and how it ends; nil where it ends by itself.
type fault struct {
	name  string
	begin func(w *town, r *rand.Rand) (end func())
}

var faults = []fault{
	{"a gateway is killed", func(w *town, r *rand.Rand) func() {
		c := w.any(r)
		c.Gateway.Kill()
		return c.Run
	}},
	{"a gateway stands still", func(w *town, r *rand.Rand) func() {
		p := w.any(r).Gateway.Cmd.Process
		_ = p.Signal(syscall.SIGSTOP)
		return func() { _ = p.Signal(syscall.SIGCONT) }
	}},
	{"a server is killed", func(w *town, r *rand.Rand) func() {
		n := w.servers.Nodes[r.IntN(3)]
		n.Kill()
		return n.Start
	}},
	{"two servers are killed", func(w *town, r *rand.Rand) func() {
		left := r.IntN(3)
		var gone []*nats.Node
		for i, n := range w.servers.Nodes {
			if i != left {
				n.Kill()
				gone = append(gone, n)
			}
		}
		released := w.released() // and what was on its way when they died
		time.Sleep(time.Second)
		released = max(released, w.released())
		return func() {
			if n := w.released(); n > released {
				w.t.Errorf("%d windows are released while two of three servers are away", n-released)
			}
			for _, n := range gone {
				n.Start()
			}
		}
	}},
	{"a server is killed, and a gateway starts without it", func(w *town, r *rand.Rand) func() {
		n := w.servers.Nodes[r.IntN(3)]
		n.Kill()
		c := w.any(r)
		c.Gateway.Kill()
		c.Run()
		return n.Start
	}},
	{"everything is killed, and gateways start before the servers", func(w *town, _ *rand.Rand) func() {
		for _, n := range w.servers.Nodes {
			n.Kill()
		}
		for name, c := range w.machines {
			c.Gateway.Kill()
			w.start(name)
		}
		return func() {
			for _, n := range w.servers.Nodes {
				n.Start()
			}
			w.ready()
		}
	}},
	{"a server stands still", func(w *town, r *rand.Rand) func() {
		n := w.servers.Nodes[r.IntN(3)]
		n.Freeze(true)
		return func() { n.Freeze(false) }
	}},
	{"all gateways are killed", func(w *town, _ *rand.Rand) func() {
		for _, c := range w.machines {
			c.Gateway.Kill()
		}
		return func() {
			for _, c := range w.machines {
				c.Run()
			}
		}
	}},
}

// any is one of the machines.
func (w *town) any(r *rand.Rand) *harness.City {
	return w.machines[w.halls[r.IntN(len(w.halls))]]
}

// released is how many windows the public books have that have most.
func (w *town) released() (most int) {
	for _, name := range w.halls {
		raw, _ := os.ReadFile(filepath.Join(w.machines[name].Dir, "state/public/releases.jsonl"))
		most = max(most, bytes.Count(raw, []byte("\n")))
	}
	return most
}

// TestFaults: in each hour something happens to three machines or their servers, for up to twelve seconds, while
// sensors send. All that is acknowledged is counted once, each window is released once, and everything goes on.
//
//	go test ./test/cluster -run 'TestFaults$' -timeout 6h -args -trials 300 -seed 7
func TestFaults(t *testing.T) {
	t.Parallel()
	all := "front, worker, releaser"
	w := newTown(t, "town-1: "+all, "town-2: "+all, "town-3: "+all)
	w.begin()
	w.endures(faults, func(r *rand.Rand) time.Duration { return time.Duration(1+r.IntN(12)) * time.Second })
}

// endures lives through as many hours as there are trials, in each of which one of the faults happens, and looks that
// each reading counts once.
func (w *town) endures(faults []fault, lasting func(*rand.Rand) time.Duration) {
	t := w.t
	t.Helper()
	w.versions(1)
	r := rand.New(rand.NewPCG(*seed, 0))
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten))
	}
	order := r.Perm(len(faults))
	for h := range *trials {
		f := faults[order[h%len(order)]]
		lasts := lasting(r)
		t.Logf("hour %d: %s, for %s", h, f.name, lasts)
		began := time.Now()
		var during sync.WaitGroup
		during.Go(func() { hour(t, w.links, h) })
		time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
		end := f.begin(w, r)
		time.Sleep(lasts)
		end()
		during.Wait()
		t.Logf("hour %d: all is acknowledged after %s", h, time.Since(began).Round(time.Second))
		w.servers.Whole()
	}
	w.holds(2 * *trials)
	for _, name := range w.halls {
		for h := range *trials {
			w.published(name, h, heard{turns: 40, passed: 115, devices: 30})
		}
	}
	if n := w.released(); n != 2**trials {
		t.Errorf("released are %d windows", n)
	}
	w.silent()
}
