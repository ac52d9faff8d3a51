package cluster

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

var clocks = flag.Bool("clocks", false, "run TestClocks, for which the whole standard library is built anew")

// shifted is the program with a clock that is ahead by SLUICE_TEST_AHEAD seconds: there is no way to tell one process
// another time of day, so the overlay does it in time.Now. What the monotonic clock measures stays.
func shifted(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root := strings.TrimSpace(harness.Run(t, "go", "env", "GOROOT"))
	file := filepath.Join(root, "src/time/time.go")
	text := harness.Read(t, file)
	const now = "	sec, nsec, mono := runtimeNow()\n"
	for old, with := range map[string]string{
		"	_ \"unsafe\" // for go:linkname\n": "	\"syscall\"\n	_ \"unsafe\" // for go:linkname\n",
		now + "	if mono == 0 {":              now + "	sec += ahead\n	if mono == 0 {",
	} {
		if strings.Count(text, old) != 1 {
			t.Skipf("this version of Go has another time.Now, without %q", old)
		}
		text = strings.Replace(text, old, with, 1)
	}
	text += `
var ahead = func() (n int64) {
	text, _ := syscall.Getenv("SLUICE_TEST_AHEAD")
	sign := int64(1)
	for _, c := range text {
		if c == '-' {
			sign = -1
			continue
		}
		n = 10*n + sign*int64(c-'0')
	}
	return n
}()
`
	changed, list := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	out := filepath.Join(dir, "sluice")
	harness.Write(t, changed, text)
	raw, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	harness.NoError(t, err)
	harness.Write(t, list, string(raw))
	harness.Run(t, "go", "build", "-overlay", list, "-o", out, "sluice/cmd/sluice")
	return out
}

// walled is the small city in wall time, whose windows wait for longer than its clocks are apart.
func walled(t *testing.T) *harness.City {
	t.Helper()
	files := harness.Small()
	for _, name := range []string{"policy/decisions/gates.yaml", "policy/decisions/devices.yaml"} {
		files[name] = strings.NewReplacer("lateness: PT1S", "lateness: PT75S", "every: PT2S", "every: PT10S").Replace(
			harness.Today(files[name]))
	}
	c := harness.Found(t, files)
	c.Edit("gateway.yaml", "time: {topic: "+harness.ClockTopic+"}", "time: wall")
	return c
}

// TestClocks: the clocks of fronts, workers and releasers are apart by a minute. What a sensor sends through any front
// counts in its window, and no window is published before it is over and its lateness has passed.
//
//	go test ./test/cluster -run 'TestClocks$' -args -clocks
func TestClocks(t *testing.T) {
	if !*clocks {
		t.Skip("make torture asks for it")
	}
	w := newTownOf(t, func() *harness.City { return walled(t) }, "street-1: front", "street-2: front",
		"count-1: worker", "count-2: worker", "hall-1: releaser", "hall-2: releaser")
	program := shifted(t)
	for name := range w.machines {
		w.programs[name] = program
		ahead := "30"
		if strings.HasSuffix(name, "-2") {
			ahead = "-30"
		}
		w.environment[name] = []string{"SLUICE_TEST_AHEAD=" + ahead}
	}
	w.begin()
	w.versions(1)
	sent := make(map[time.Time]float64) // readings by window
	until := time.Now().Add(3 * time.Minute)
	for seq := 0; time.Now().Before(until); seq++ {
		now := time.Now().UTC()
		for n, link := range w.links {
			link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(2*seq+n, now, 1)), false)
			sent[now.Truncate(10*time.Second)]++
		}
		time.Sleep(200 * time.Millisecond)
		if seq%25 == 0 {
			w.notEarly()
		}
	}
	for _, link := range w.links {
		harness.NoError(t, link.Flush())
	}
	last := until.Truncate(10 * time.Second).Add(-10 * time.Second)
	c := w.machines["hall-1"]
	var got map[time.Time]float64
	harness.Await(t, 4*time.Minute, "the last window", func() bool {
		w.notEarly()
		got = make(map[time.Time]float64)
		for _, o := range c.Items("gates", last.Add(-5*time.Minute), last.Add(10*time.Second)) {
			if o.Measure == "turns" && o.Value != nil {
				got[o.Start.UTC()] = *o.Value
			}
		}
		_, there := got[last.UTC()]
		return there
	})
	whole := 0
	for at := until.Add(-90 * time.Second).Truncate(10 * time.Second); !at.After(last); at = at.Add(10 * time.Second) {
		if whole++; got[at.UTC()] != sent[at.UTC()] {
			t.Errorf("%s: %v were sent and %v are published", at.Format(time.TimeOnly), sent[at.UTC()], got[at.UTC()])
		}
	}
	if whole < 8 {
		t.Errorf("%d windows", whole)
	}
}

// notEarly looks that nothing is in the public books whose lateness has not passed.
func (w *town) notEarly() {
	w.t.Helper()
	raw, _ := os.ReadFile(filepath.Join(w.machines["hall-1"].Dir, "state/public/releases.jsonl"))
	now := time.Now()
	for line := range strings.Lines(string(raw)) {
		var r struct{ Start time.Time }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			continue // it is being written
		}
		if over := r.Start.Add(10*time.Second + 75*time.Second); r.Start.IsZero() || now.Before(over) {
			w.t.Fatal(fmt.Sprint("published is, at ", now.Format(time.TimeOnly), ", ", line))
		}
	}
}
