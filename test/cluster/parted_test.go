package cluster

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/gateway/cluster/lease"
	"sluice/test/harness"
)

// cabled puts cables between machines and servers.
func (w *town) cabled() {
	w.t.Helper()
	w.cables = make(map[string][]*harness.Cable)
	for name, c := range w.machines {
		for _, n := range w.servers.Nodes {
			cable := harness.NewCable(w.t, n.Addr)
			c.Edit("gateway.yaml", "tls://"+n.Addr, "tls://"+cable.Addr())
			w.cables[name] = append(w.cables[name], cable)
		}
	}
}

// cut takes a machine's network away: nothing is carried, and nothing refused. What it returns gives it back, half of
// the time with what was on its way.
func (w *town) cut(name string, r *rand.Rand) func() {
	w.t.Helper()
	for _, cable := range w.cables[name] {
		cable.Hold(true)
	}
	late := r.IntN(2) == 0
	return func() {
		for _, cable := range w.cables[name] {
			if cable.Hold(false); !late {
				cable.Cut()
			}
		}
	}
}

// freeze has a machine stand still.
func (w *town) freeze(name string, _ *rand.Rand) func() {
	p := w.machines[name].Gateway.Cmd.Process
	_ = p.Signal(syscall.SIGSTOP)
	return func() { _ = p.Signal(syscall.SIGCONT) }
}

// unheard takes a front away, by whose links nothing is acknowledged meanwhile.
func unheard(away func(*town, string, *rand.Rand) func()) func(*town, *rand.Rand) func() {
	return func(w *town, r *rand.Rand) func() {
		n := r.IntN(len(w.fronts))
		end := away(w, w.fronts[n], r)
		still := w.acknowledgesNothing(w.links[n])
		return func() { still(); end() }
	}
}

// missed takes a machine away that has a lease, and looks that it has lost it when it is back.
func missed(
	who func(*town) string, away func(*town, string, *rand.Rand) func(),
) func(*town, *rand.Rand) func() {
	return func(w *town, r *rand.Rand) func() {
		name := who(w)
		c := w.machines[name]
		before := c.Metric("sluice_cluster_leases_lost_total")
		end := away(w, name, r)
		return func() {
			end()
			harness.Await(w.t, time.Minute, name+" to know that it has lost its leases", func() bool {
				return c.Metric("sluice_cluster_leases_lost_total") > before
			})
		}
	}
}

// owner is the machine that counts a partition.
func (*town) owner() string { return lease.Owner(0, []string{"count-1", "count-2"}) }

// acknowledgesNothing looks that what the links send is not acknowledged, from two seconds after now on.
func (w *town) acknowledgesNothing(links ...*device.Link) (until func()) {
	time.Sleep(2 * time.Second) // what was on its way
	before := make([]int64, len(links))
	for i, link := range links {
		before[i] = link.Sent()
	}
	return func() {
		w.t.Helper()
		for i, link := range links {
			if n := link.Sent(); n != before[i] {
				w.t.Errorf("%d are acknowledged though no majority of the servers is heard", n-before[i])
			}
		}
	}
}

var parted = []fault{
	{"a front is cut off", unheard((*town).cut)},
	{"a front stands still", unheard((*town).freeze)},
	{"a worker is cut off", missed((*town).owner, (*town).cut)},
	{"a worker stands still", missed((*town).owner, (*town).freeze)},
	{"who releases is cut off", missed((*town).releases, (*town).cut)},
	{"who releases stands still", missed((*town).releases, (*town).freeze)},
	{"one server is cut off from two", func(w *town, r *rand.Rand) func() {
		n := w.servers.Nodes[r.IntN(3)]
		w.servers.Alone(n, true)
		return func() { w.servers.Alone(n, false) }
	}},
	{"each server is cut off from the others", func(w *town, _ *rand.Rand) func() {
		alone := w.servers.Nodes[:2]
		for _, n := range alone {
			w.servers.Alone(n, true)
		}
		still := w.acknowledgesNothing(w.links...)
		released := w.released()
		return func() {
			still()
			if n := w.released(); n > released {
				w.t.Errorf("%d windows are released though no two servers hear each other", n-released)
			}
			for _, n := range alone {
				w.servers.Alone(n, false)
			}
		}
	}},
}

// TestParted: in each hour a machine is cut off from the servers or stands still, or servers from each other, for
// longer than a lease holds. Who comes back finds that others do its work, and writes nothing: all that is acknowledged
// is counted once, each window is released once.
//
//	go test ./test/cluster -run 'TestParted$' -timeout 1h -args -trials 40 -seed 7
func TestParted(t *testing.T) {
	t.Parallel()
	w := newTown(t, "street-1: front", "street-2: front", "count-1: worker", "count-2: worker", "hall-1: releaser",
		"hall-2: releaser")
	w.cabled()
	w.begin()
	w.endures(parted, func(r *rand.Rand) time.Duration { return time.Duration(12+r.IntN(5)) * time.Second })
}
