package cluster

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

// withDays is the small city with a stream over the whole day, too.
func withDays() map[string]string {
	files := small()
	files["policy/decisions/days.yaml"] = strings.NewReplacer(`decision: "1"`, `decision: "3"`, "stream: gates",
		"stream: days", "every: PT1H", "every: P1D", "Gates", "Days").Replace(files["policy/decisions/gates.yaml"])
	return files
}

// part sends what is heard in a part of an hour. Some has no seq.
func part(t *testing.T, links []*device.Link, h, from, to int) {
	t.Helper()
	at := ten.Add(time.Duration(h)*time.Hour + 4*time.Minute)
	say := func(n int, sensor, text string) {
		links[n%len(links)].Publish("city/v1/acme/"+sensor+"/up", []byte(text), false)
	}
	for n := from; n < to; n++ {
		when := at.Add(time.Duration(n) * time.Second)
		say(n, "gate-1", harness.Gate(h*100+n, when, n%7))
		say(n, "new-2", fmt.Sprintf(`{"ts":%q,"fields":{"passed":%d}}`, when.Format(time.RFC3339), n))
		say(n, "wifi-1", fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"crowd-%d-%d","rssi":-50,"note":"x"}}`,
			when.Format(time.RFC3339), h*100+n, h, n%30))
	}
	for _, link := range links {
		harness.NoError(t, link.Flush())
	}
}

// clock moves the time of all.
func clock(t *testing.T, links []*device.Link, to time.Time) {
	t.Helper()
	for _, link := range links {
		harness.NoError(t, link.Tick(harness.ClockTopic, to))
	}
}

// movingDay is a day of four hours, in the middle of whose third hour something happens by which there are other links.
func movingDay(t *testing.T, links []*device.Link, middle func() []*device.Link) {
	t.Helper()
	clock(t, links, ten)
	for h := range 2 {
		clock(t, links, ten.Add(time.Duration(h)*time.Hour+4*time.Minute))
		part(t, links, h, 0, 40)
	}
	clock(t, links, ten.Add(2*time.Hour+4*time.Minute))
	part(t, links, 2, 0, 25)
	links = middle()
	part(t, links[:1], 2, 15, 40) // ten that nobody has heard an acknowledgement for come again
	for h := 3; h < 4; h++ {
		clock(t, links, ten.Add(time.Duration(h)*time.Hour+4*time.Minute))
		part(t, links, h, 0, 40)
	}
	clock(t, links, ten.Add(5*time.Hour))
	clock(t, links, ten.Truncate(24*time.Hour).Add(24*time.Hour+10*time.Minute))
}

// dayNumbers are all that is published without noise.
func dayNumbers(c *harness.City) map[string]float64 {
	out := make(map[string]float64)
	for _, stream := range []string{"gates", "days"} {
		for _, o := range c.Some(stream, ten.AddDate(0, 0, -1), ten.AddDate(0, 0, 1)) {
			v := math.NaN()
			if o.Value != nil {
				v = *o.Value
			}
			if !math.IsNaN(v) {
				out[fmt.Sprint(stream, o.Start.Format(" 15:04 "), o.Cell, " ", o.Measure)] = v
			}
		}
	}
	return out
}

// movedWindows are those of such a day: fourteen hours of two streams, and the day.
const movedWindows = 29

// keysOf are the keys that a gateway has in its memory-backed directory.
func keysOf(t *testing.T, dir string) (keys [][]byte) {
	t.Helper()
	harness.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".key") {
			keys = append(keys, []byte(harness.Read(t, path)))
		}
		return err
	}))
	return keys
}

// TestATownMoves: a gateway that runs alone, with an hour and a day that are open, budget that is spent and books that
// are public, moves into a cluster of two machines by a verb that is killed again and again; all numbers are those of a
// gateway that has never moved, none of its keys is in the servers' files, and nothing starts in its directory alone.
func TestATownMoves(t *testing.T) {
	t.Parallel()
	all := "front, worker, releaser"
	w := newTownOf(t, func() *harness.City { return harness.Found(t, withDays()) }, "town-1: "+all, "town-2: "+all)
	c := w.machines["town-1"]
	config, before := filepath.Join(c.Dir, "gateway.yaml"), filepath.Join(c.Dir, "alone.yaml")
	text := harness.Read(t, config)
	harness.Write(t, before, text[:strings.Index(text, "cluster: ")])
	c.Gateway = harness.Start(t, harness.Sluice, "gateway", "-c", before)
	c.Admin = "http://" + c.Gateway.Find(`the gateway runs.*admin=(\S+)`)[1]
	c.Serve()
	var keys [][]byte
	movingDay(t, []*device.Link{c.Connect()}, func() []*device.Link {
		c.Stored()
		c.Link.Close()
		c.Gateway.Kill()
		if keys = keysOf(t, c.Keys); len(keys) < 4 {
			t.Fatalf("%d keys are there", len(keys))
		}
		code, said := harness.Verb(t, "gateway", "-c", config)
		if code != 3 || !strings.Contains(said, "sluice cluster move -c FILE") {
			t.Fatalf("before it has moved, a gateway of the cluster ends with %d and says %s", code, said)
		}
		w.moves(config, before)
		w.begin()
		w.versions(1)
		return w.links
	})
	w.holds(movedWindows)

	one := harness.Found(t, withDays())
	one.Run()
	one.Serve()
	movingDay(t, []*device.Link{one.Connect()}, func() []*device.Link { return []*device.Link{one.Link} })
	one.BooksHold(movedWindows)
	one.Stored()
	want := dayNumbers(one)
	for _, name := range w.halls {
		m := w.machines[name]
		if got := dayNumbers(m); len(want) != 10 || !maps.Equal(want, got) {
			t.Errorf("%s: a gateway that has not moved has\n%v\nand the town\n%v", name, want, got)
		}
		for _, o := range m.Some("devices", ten, ten.Add(6*time.Hour)) {
			if o.Value != nil && math.Abs(*o.Value-30) > 4 {
				t.Errorf("%s: %v devices of 30 at %s", name, *o.Value, o.Start)
			}
		}
		if code, said := harness.Stranger(t, m.Opendata); code != 0 {
			t.Errorf("%s: verify.py says %s", name, said)
		}
	}
	w.silent()
	for _, n := range w.servers.Nodes {
		var files bytes.Buffer
		harness.Files(t, n.Store, &files)
		for i, key := range keys {
			if bytes.Contains(files.Bytes(), key) {
				t.Errorf("key %d of the gateway is in %s", i, n.Store)
			}
		}
	}
	if left := keysOf(t, c.Keys); len(left) > 0 && bytes.Contains(bytes.Join(left, nil), keys[0]) {
		t.Error("the gateway's keys are still there")
	}
}

// moves runs the verb, which is killed at several moments, until it is done.
func (w *town) moves(config, before string) {
	t := w.t
	t.Helper()
	refused := regexp.MustCompile(`on their way into a cluster|follows the books of a cluster`)
	for _, at := range []struct {
		says string
		wait time.Duration
	}{
		{"the books go to the cluster", 0}, {"the books go to the cluster", 20 * time.Millisecond},
		{"the windows go to", 0}, {"the windows go to", 50 * time.Millisecond},
		{"the windows go to", 200 * time.Millisecond},
	} {
		p := harness.Start(t, harness.Sluice, "cluster", "move", "-c", config)
		p.Find(at.says + "|is a cluster's already")
		time.Sleep(at.wait) // it goes on meanwhile
		p.Kill()
		if code := p.Cmd.ProcessState.ExitCode(); code > 0 {
			t.Fatalf("it ends with %d and says %s", code, p.Err.String())
		}
		if !strings.Contains(at.says, "windows") {
			continue // it may not be marked yet, and then the gateway of before would run
		}
		code, said := harness.Verb(t, "gateway", "-c", before)
		if code != 3 || !refused.MatchString(said) {
			t.Fatalf("on its way, the gateway of before ends with %d and says %s", code, said)
		}
	}
	code, said := harness.Verb(t, "cluster", "move", "-c", config)
	if code != 0 || !strings.Contains(said, "in its 4 partitions") && !strings.Contains(said, "already") {
		t.Fatalf("it ends with %d and says %s", code, said)
	}
	if code, said := harness.Verb(t, "cluster", "move", "-c", config); code != 0 || !strings.Contains(said, "already") {
		t.Fatalf("once more it ends with %d and says %s", code, said)
	}
	if code, said := harness.Verb(t, "gateway", "-c", before); code != 3 || !refused.MatchString(said) {
		t.Fatalf("the gateway of before ends with %d and says %s", code, said)
	}
	_ = os.Remove(before)
}
