package cluster

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

// windows are those of six hours in two streams.
const windows = 12

// numbers are what is published of a stream, by cell, measure and hour.
func numbers(c *harness.City, stream string) map[string]float64 {
	out := make(map[string]float64)
	for _, o := range c.Some(stream, ten, ten.Add(6*time.Hour)) {
		v := math.NaN()
		if o.Value != nil {
			v = *o.Value
		}
		out[fmt.Sprint(o.Start.Format("15:04 "), o.Cell, " ", o.Measure)] = v
	}
	return out
}

// alone is the day in one process, perhaps with another policy in its middle.
func alone(t *testing.T, another bool) *harness.City {
	t.Helper()
	c := harness.Found(t, small())
	c.Run()
	c.Serve()
	var cities []*harness.City
	if another {
		cities = append(cities, c)
	}
	day(t, []*device.Link{c.Connect()}, cities, func(n float64) {
		harness.Await(t, time.Minute, "another policy", func() bool { return c.Version() >= n })
	}, func(int) {})
	c.BooksHold(windows)
	c.Stored()
	return c
}

// same looks that each machine that releases publishes what one process does: about nobody the same, about people what
// differs by noise.
func (w *town) same(one *harness.City) {
	w.t.Helper()
	for _, name := range w.halls {
		c := w.machines[name]
		want, got := numbers(one, "gates"), numbers(c, "gates")
		if len(want) < 12 || !maps.Equal(want, got) {
			w.t.Errorf("%s: the gates of one process are\n%v\nand of the cluster\n%v", name, want, got)
		}
		for at, v := range numbers(c, "devices") {
			if math.IsNaN(v) || math.Abs(v-30) > 4 {
				w.t.Errorf("%s: %s: %v devices of 30", name, at, v)
			}
		}
	}
}

// TestThreeMachines: each does everything; one after the other is killed, and all numbers are those of one process.
func TestThreeMachines(t *testing.T) {
	t.Parallel()
	all := "front, worker, releaser"
	w := newTown(t, "town-1: "+all, "town-2: "+all, "town-3: "+all)
	w.begin()
	w.versions(1)
	day(t, w.links, slices.Collect(maps.Values(w.machines)), w.versions, func(h int) {
		if h > 0 && h < 4 {
			w.kill(fmt.Sprint("town-", h))
		}
	})
	w.holds(windows)
	one := alone(t, true)
	w.same(one)
	w.accounted(one.Metric(`sluice_readings_total{code="",state="counted"}`))
	w.silent()
}

// TestMachinesOfTheirOwn: fronts, workers and those that release are machines of their own; one of each is killed, and
// so is one of the servers, and all numbers are those of one process.
func TestMachinesOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newTown(t, "street-1: front", "street-2: front", "count-1: worker", "count-2: worker", "hall-1: releaser",
		"hall-2: releaser")
	w.begin()
	w.versions(1)
	day(t, w.links, nil, nil, func(h int) {
		switch h {
		case 1:
			w.kill("street-1")
		case 2:
			w.kill("count-1")
		case 3:
			w.kill("hall-1")
		case 4:
			w.servers.Leader("IN").Kill()
		}
	})
	w.holds(windows)
	w.same(alone(t, false))
	w.silent()
}

// TestAFrontThatStaysAway: windows wait for it for as long as they do, and those that it may have had something of are
// gaps, as the books say; afterwards nobody waits for it.
func TestAFrontThatStaysAway(t *testing.T) {
	t.Parallel()
	w := newTown(t, "street-1: front", "street-2: front", "town: worker, releaser")
	for _, c := range w.machines {
		harness.AppendTo(t, filepath.Join(c.Dir, "gateway.yaml"), "windows: {catch_up: PT10S}\n")
	}
	w.begin()
	w.versions(1)
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten))
	}
	hour(t, w.links, 0)
	w.machines["street-2"].Gateway.Kill()
	left := w.links[:1]
	hour(t, left, 1)
	w.holds(4)
	hour(t, left, 2)
	w.holds(6)
	c := w.machines["town"]
	got := numbers(c, "gates")
	for h, want := range []float64{115, math.NaN(), 115} {
		v := got[fmt.Sprintf("%d:00 square passed", 10+h)]
		if v != want && !(math.IsNaN(v) && math.IsNaN(want)) {
			t.Errorf("hour %d: %v have passed; want %v", h, v, want)
		}
	}
	var gaps []string
	for line := range strings.Lines(harness.Read(t, filepath.Join(c.Dir, "state/public/gaps.jsonl"))) {
		var g books.Gap
		harness.Unmarshal(t, []byte(line), &g)
		gaps = append(gaps, fmt.Sprint(g.Stream, g.Start.Format(" 15:04 "), g.Reason))
	}
	slices.Sort(gaps)
	if want := []string{"devices 11:00 front_away", "gates 11:00 front_away"}; !slices.Equal(gaps, want) {
		t.Errorf("gaps are %q; want %q", gaps, want)
	}
}

// TestVotedInWallTime: what the council has voted holds on all machines of a city that goes by wall time, from the same
// instant on, and what both fronts hear is published.
func TestVotedInWallTime(t *testing.T) {
	t.Parallel()
	first, a, inbox := harness.Voted(t, 0)
	text := harness.Read(t, filepath.Join(first.Dir, "gateway.yaml"))
	cities := []*harness.City{first}
	w := newTownOf(t, func() *harness.City {
		if c := cities[0]; c != nil {
			cities[0] = nil
			return c
		}
		c := harness.Found(t, harness.Small())
		harness.Write(t, filepath.Join(c.Dir, "gateway.yaml"), strings.NewReplacer("inbox: inbox", "inbox: "+inbox,
			first.Mqtt, c.Mqtt, first.Keys, c.Keys).Replace(text))
		return c
	}, "town: front, worker, releaser", "street: front")
	w.begin()
	a.Enact("founding", inbox, harness.Members[:4]...)
	w.versions(1)
	town := w.machines["town"]
	seq, published := 0, 0.0
	harness.Await(t, 2*time.Minute, "numbers of both fronts", func() bool {
		for n, link := range w.links {
			seq++
			link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(seq, time.Now().UTC(), 100*n+1)), false)
			harness.NoError(t, link.Flush())
		}
		now := time.Now()
		for _, o := range town.Items("gates", now.Add(-5*time.Minute), now) {
			if o.Measure == "passed" && o.Value != nil {
				published = max(published, *o.Value)
			}
		}
		return published > 101
	})
	since := regexp.MustCompile(`a motion is in force .* from=(\S+)`)
	one, other := town.Gateway.Find(since.String())[1], w.machines["street"].Gateway.Find(since.String())[1]
	if one != other {
		t.Errorf("the policy holds from %s and from %s on", one, other)
	}
	town.BecomesReady()
	w.machines["street"].BecomesReady()
	w.silent()
}
