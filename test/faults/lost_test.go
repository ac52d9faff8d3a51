package faults

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// forty are the same forty devices, heard at one time.
func forty(c *harness.City, at time.Time, seq int) {
	c.T.Helper()
	var list []string
	for n := range 40 {
		list = append(list,
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:20:00:%02x","rssi":-50}}`,
				at.Format(time.RFC3339), seq+n, n))
	}
	c.Send("wifi-1", "["+strings.Join(list, ",")+"]")
}

// newest is the segment of the checkpoint that was written last.
func newest(c *harness.City) string {
	c.T.Helper()
	list, err := filepath.Glob(filepath.Join(c.Dir, "state/checkpoint/segment-*.log"))
	if err != nil || len(list) == 0 {
		c.T.Fatalf("there is no checkpoint: %v", err)
	}
	return slices.Max(list)
}

// damages are what befalls a checkpoint; older is a copy of an earlier time.
var damages = map[string]func(t *testing.T, c *harness.City, older string){
	"segment removed": func(t *testing.T, c *harness.City, _ string) { harness.Remove(t, newest(c)) },
	"segment emptied": func(t *testing.T, c *harness.City, _ string) {
		damaged(t, newest(c), func([]byte) []byte { return nil })
	},
	"cut at a block": func(t *testing.T, c *harness.City, _ string) {
		damaged(t, newest(c), func(b []byte) []byte { return b[:4096] })
	},
	"a page of zeros": func(t *testing.T, c *harness.City, _ string) {
		damaged(t, newest(c), func(b []byte) []byte { clear(b[4096:8192]); return b })
	},
	"a length": func(t *testing.T, c *harness.City, _ string) {
		damaged(t, newest(c), func(b []byte) []byte { b[4096] ^= 0x40; return b })
	},
	"directory removed": func(t *testing.T, c *harness.City, _ string) {
		harness.RemoveAll(t, filepath.Join(c.Dir, "state/checkpoint"))
	},
	"older directory": func(t *testing.T, c *harness.City, older string) {
		harness.RemoveAll(t, filepath.Join(c.Dir, "state/checkpoint"))
		if err := os.CopyFS(filepath.Join(c.Dir, "state/checkpoint"), os.DirFS(older)); err != nil {
			t.Fatal(err)
		}
	},
	"keys removed": func(t *testing.T, c *harness.City, _ string) { harness.RemoveAll(t, c.Keys) },
	"mark removed": func(t *testing.T, c *harness.City, _ string) {
		list, err := filepath.Glob(filepath.Join(c.Keys, "*", "mark"))
		if err != nil || len(list) != 1 {
			t.Fatalf("there are the marks %v (%v); want one", list, err)
		}
		harness.Remove(t, list[0])
	},
}

// TestADamagedCheckpointIsKnown kills a gateway, damages its checkpoint and starts it
// again. Who has counted once is not counted again although nobody knows any more who
// it was; and what was acknowledged and cannot be read is a gap that is said, with the
// file's name in the log.
func TestADamagedCheckpointIsKnown(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := harness.Found(t, harness.Small())
			c.Begin()
			forty(c, harness.Ten, 0)
			older := t.TempDir()
			if err := os.CopyFS(older, os.DirFS(filepath.Join(c.Dir, "state/checkpoint"))); err != nil {
				t.Fatal(err)
			}
			c.Tick(harness.Ten.Add(65 * time.Minute)) // the hour of ten is published
			c.Send("gate-1", harness.Gate(1, harness.Ten.Add(70*time.Minute), 3))
			c.Send("gate-1", harness.Gate(2, harness.Ten.Add(71*time.Minute), 4))
			c.Gateway.Kill()
			damage(t, c, older)
			c.Run()
			c.Gateway.Find(
				`is not as it was left; what it held of open windows becomes gaps" file=\S*(segment-|mark|checkpoint)`)
			c.Tick(harness.Ten.Add(75 * time.Minute))
			forty(c, harness.Ten.Add(76*time.Minute), 100)
			c.Tick(harness.Ten.Add(130 * time.Minute))
			c.Send("gate-1", harness.Gate(3, harness.Ten.Add(130*time.Minute), 5))
			c.Tick(harness.Ten.Add(200 * time.Minute))
			c.Stored()
			list := c.Items("devices", harness.Ten, harness.Ten.Add(2*time.Hour))
			if got := harness.Value(t, list, harness.Ten, "devices"); got < 36 || got > 44 {
				t.Errorf("the first hour has %v devices; want about 40", got)
			}
			if last := list[len(list)-1]; last.Value != nil {
				t.Errorf("the same devices are published again: %v at %s", *last.Value, last.Start)
			}
			for _, i := range c.Some("gates", harness.Ten.Add(time.Hour), harness.Ten.Add(2*time.Hour)) {
				if i.Status != "no_data" {
					t.Errorf("%s is %s although acknowledged readings are lost; want no_data", i.Measure, i.Status)
				}
			}
			if got := harness.Value(t, c.Items("gates", harness.Ten.Add(2*time.Hour), harness.Ten.Add(3*time.Hour)),
				harness.Ten.Add(2*time.Hour),
				"passed"); got != 5 {
				t.Errorf("the hour after has %v; want 5", got)
			}
			harness.Await(t, 10*time.Second, "gaps.jsonl to speak of what is lost", func() bool {
				raw, err := os.ReadFile(filepath.Join(c.Dir, "state/public/gaps.jsonl"))
				return err == nil && bytes.Count(raw, []byte(`"keys_lost"`)) >= 2
			})
			c.Adds()
			if code := c.Gateway.Stop(5 * time.Second); code != 0 {
				t.Errorf("it ends with %d", code)
			}
		})
	}
}

func damaged(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(raw), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAFullHourComesBack sends many messages of 10,000 readings into one open hour and
// kills the gateway: it starts again, and has all of them. What comes back is printed
// with what it took, since no bound on it would hold on every machine.
func TestAFullHourComesBack(t *testing.T) {
	t.Parallel()
	const messages, each = 40, 10_000
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Tick(harness.Ten.Add(time.Hour)) // within the lateness
	var b strings.Builder
	for n := range messages {
		b.Reset()
		for m := range each {
			seq := n*each + m
			at := harness.Ten.Add(time.Duration(seq) * (time.Hour / (messages*each + 1)))
			fmt.Fprintf(&b, ",%s", harness.Gate(seq, at.Truncate(time.Millisecond), 1))
		}
		c.Link.Publish("city/v1/acme/gate-1/up", []byte("["+b.String()[1:]+"]"), false)
	}
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	before := memory(t, c.Gateway)
	c.Gateway.Kill()
	begun := time.Now()
	c.Run()
	took, after := time.Since(begun), memory(t, c.Gateway)
	t.Logf("%d readings in an open hour: ready after %.1f s, %d MiB at most, %d MiB before the kill", messages*each,
		took.Seconds(), after>>20, before>>20)
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	list := c.Items("gates", harness.Ten, harness.Ten.Add(time.Hour))
	if got := harness.Value(t, list, harness.Ten, "passed"); got != messages*each {
		t.Errorf("passed is %v; want %d", got, messages*each)
	}
	c.Adds()
}

// memory is the most that a process has had resident, in bytes.
func memory(t *testing.T, p *harness.Process) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		t.Skip("there is no /proc here")
	}
	for line := range strings.Lines(string(raw)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatal("a process does not say what it has")
	return 0
}
