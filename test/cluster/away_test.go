package cluster

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/gateway/cluster/lease"
	"sluice/test/harness"
)

// felt is how long one machine or server may be missed at most; how long it is here depends on what else this machine
// does, so that the test ends only at a multiple.
const (
	felt       = 15 * time.Second
	feltAtMost = 10 * felt
)

// away is a loss, and how long it was felt: from the signal until something is acknowledged, and until a window that
// was open then is released, which all partitions and the releaser have a part in.
type away struct {
	what         string
	acknowledged time.Duration
	released     time.Duration
}

// releases is the machine that releases at the moment.
func (w *town) releases() (name string) {
	w.t.Helper()
	line := regexp.MustCompile(`(?m)^(\S+) +releaser +yes, releases`)
	harness.Await(w.t, time.Minute, "somebody to release", func() bool {
		m := line.FindStringSubmatch(w.status("street-2"))
		if m == nil || !slices.Contains(w.halls, m[1]) {
			return false
		}
		name = m[1]
		return true
	})
	return name
}

// loses has something happen in an hour, and sends the rest of the hour to those of the fronts that are there.
func (w *town) loses(h int, what string, links []*device.Link, happens func()) away {
	w.t.Helper()
	before := w.released()
	at := ten.Add(time.Duration(h)*time.Hour + 2*time.Minute)
	for _, link := range links {
		harness.NoError(w.t, link.Tick(harness.ClockTopic, at))
	}
	began := time.Now()
	happens()
	links[0].Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(h*100+50, at, 0)), false)
	harness.NoError(w.t, links[0].Flush())
	is := away{what: what, acknowledged: time.Since(began)}
	hour(w.t, links, h)
	harness.Await(w.t, feltAtMost, what+": the next release", func() bool { return w.released() >= before+2 })
	is.released = time.Since(began)
	w.t.Logf("%-40s acknowledged after %5.1f s, released after %5.1f s", what, is.acknowledged.Seconds(),
		is.released.Seconds())
	return is
}

// TestOneIsAway: one after the other of a city's machines and servers is killed or stopped. Whoever is left goes on
// before long, and so does one that starts again under its name.
func TestOneIsAway(t *testing.T) {
	t.Parallel()
	w := newTown(t, "street-1: front", "street-2: front", "count-1: worker", "count-2: worker", "hall-1: releaser",
		"hall-2: releaser")
	w.begin()
	w.versions(1)
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten))
	}
	kill := func(name string) func() { return func() { w.machines[name].Gateway.Kill() } }
	stop := func(name string) func() {
		return func() {
			if code := w.machines[name].Gateway.Stop(time.Minute); code != 0 {
				t.Errorf("%s ends with %d", name, code)
			}
		}
	}
	again := func(name string) func() {
		return func() {
			w.machines[name].Gateway.Kill()
			w.machines[name].Run()
		}
	}
	var all []away
	lose := func(what string, happens func()) {
		t.Helper()
		all = append(all, w.loses(len(all), what, w.links, happens))
	}
	lose("nothing", func() {})
	owner := lease.Owner(0, []string{"count-1", "count-2"})
	lose("a worker", kill(owner))
	w.machines[owner].Run()
	lose("a worker, which starts again", again(owner))
	lose("a worker, which is stopped as it should", stop(owner))
	w.machines[owner].Run()
	who := w.releases()
	lose("who releases", kill(who))
	w.machines[who].Run()
	lose("who releases, which starts again", again(w.releases()))
	who = w.releases()
	lose("who releases, stopped as it should", stop(who))
	w.machines[who].Run()
	slices.Reverse(w.links) // what the other front acknowledges; a window waits for both
	lose("a front, which starts again", again("street-1"))
	for _, stream := range []string{"IN", "KV_leases", "BOOKS"} {
		n := w.servers.Leader(stream)
		lose("the server that leads "+stream, n.Kill)
		n.Start()
		w.servers.Whole()
	}
	w.holds(2 * len(all))
	for _, one := range all {
		if one.acknowledged > feltAtMost || one.released > feltAtMost {
			t.Errorf("%s: acknowledged after %s, released after %s", one.what, one.acknowledged, one.released)
		}
		if one.acknowledged > felt || one.released > felt {
			t.Log(fmt.Sprintf("%s is felt for more than %s on this machine as it is now", one.what, felt))
		}
	}
}
