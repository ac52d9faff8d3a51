package test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// forty are the same forty devices, heard at one time.
func (c *city) forty(at time.Time, seq int) {
	c.t.Helper()
	var list []string
	for n := range 40 {
		list = append(list,
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:20:00:%02x","rssi":-50}}`,
				at.Format(time.RFC3339), seq+n, n))
	}
	c.send("wifi-1", "["+strings.Join(list, ",")+"]")
}

// newest is the segment of the checkpoint that was written last.
func (c *city) newest() string {
	c.t.Helper()
	list, err := filepath.Glob(filepath.Join(c.dir, "state/checkpoint/segment-*.log"))
	if err != nil || len(list) == 0 {
		c.t.Fatalf("there is no checkpoint: %v", err)
	}
	return slices.Max(list)
}

// damages are what befalls a checkpoint; older is a copy of an earlier time.
var damages = map[string]func(t *testing.T, c *city, older string){
	"segment removed": func(t *testing.T, c *city, _ string) { remove(t, c.newest()) },
	"segment emptied": func(t *testing.T, c *city, _ string) {
		damaged(t, c.newest(), func([]byte) []byte { return nil })
	},
	"cut at a block": func(t *testing.T, c *city, _ string) {
		damaged(t, c.newest(), func(b []byte) []byte { return b[:4096] })
	},
	"a page of zeros": func(t *testing.T, c *city, _ string) {
		damaged(t, c.newest(), func(b []byte) []byte { clear(b[4096:8192]); return b })
	},
	"a length": func(t *testing.T, c *city, _ string) {
		damaged(t, c.newest(), func(b []byte) []byte { b[4096] ^= 0x40; return b })
	},
	"directory removed": func(t *testing.T, c *city, _ string) {
		removeAll(t, filepath.Join(c.dir, "state/checkpoint"))
	},
	"older directory": func(t *testing.T, c *city, older string) {
		removeAll(t, filepath.Join(c.dir, "state/checkpoint"))
		if err := os.CopyFS(filepath.Join(c.dir, "state/checkpoint"), os.DirFS(older)); err != nil {
			t.Fatal(err)
		}
	},
	"keys removed": func(t *testing.T, c *city, _ string) { removeAll(t, c.keys) },
	"mark removed": func(t *testing.T, c *city, _ string) {
		list, err := filepath.Glob(filepath.Join(c.keys, "*", "mark"))
		if err != nil || len(list) != 1 {
			t.Fatalf("there are the marks %v (%v); want one", list, err)
		}
		remove(t, list[0])
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
			c := found(t, small())
			c.begin()
			c.forty(ten, 0)
			older := t.TempDir()
			if err := os.CopyFS(older, os.DirFS(filepath.Join(c.dir, "state/checkpoint"))); err != nil {
				t.Fatal(err)
			}
			c.tick(ten.Add(65 * time.Minute)) // the hour of ten is published
			c.send("gate-1", gate(1, ten.Add(70*time.Minute), 3))
			c.send("gate-1", gate(2, ten.Add(71*time.Minute), 4))
			c.gateway.kill()
			damage(t, c, older)
			c.run()
			c.gateway.find(
				`is not as it was left; what it held of open windows becomes gaps" file=\S*(segment-|mark|checkpoint)`)
			c.tick(ten.Add(75 * time.Minute))
			c.forty(ten.Add(76*time.Minute), 100)
			c.tick(ten.Add(130 * time.Minute))
			c.send("gate-1", gate(3, ten.Add(130*time.Minute), 5))
			c.tick(ten.Add(200 * time.Minute))
			c.stored()
			list := c.items("devices", ten, ten.Add(2*time.Hour))
			if got := value(t, list, ten, "devices"); got < 36 || got > 44 {
				t.Errorf("the first hour has %v devices; want about 40", got)
			}
			if last := list[len(list)-1]; last.Value != nil {
				t.Errorf("the same devices are published again: %v at %s", *last.Value, last.Start)
			}
			for _, i := range c.some("gates", ten.Add(time.Hour), ten.Add(2*time.Hour)) {
				if i.Status != "no_data" {
					t.Errorf("%s is %s although acknowledged readings are lost; want no_data", i.Measure, i.Status)
				}
			}
			if got := value(t, c.items("gates", ten.Add(2*time.Hour), ten.Add(3*time.Hour)), ten.Add(2*time.Hour),
				"passed"); got != 5 {
				t.Errorf("the hour after has %v; want 5", got)
			}
			await(t, 10*time.Second, "gaps.jsonl to speak of what is lost", func() bool {
				raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/gaps.jsonl"))
				return err == nil && bytes.Count(raw, []byte(`"keys_lost"`)) >= 2
			})
			c.adds()
			if code := c.gateway.stop(5 * time.Second); code != 0 {
				t.Errorf("it ends with %d", code)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
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
	c := found(t, small())
	c.begin()
	c.tick(ten.Add(time.Hour)) // within the lateness
	var b strings.Builder
	for n := range messages {
		b.Reset()
		for m := range each {
			seq := n*each + m
			at := ten.Add(time.Duration(seq) * (time.Hour / (messages*each + 1)))
			fmt.Fprintf(&b, ",%s", gate(seq, at.Truncate(time.Millisecond), 1))
		}
		c.link.Publish("city/v1/acme/gate-1/up", []byte("["+b.String()[1:]+"]"), false)
	}
	if err := c.link.Flush(); err != nil {
		t.Fatal(err)
	}
	before := memory(t, c.gateway)
	c.gateway.kill()
	begun := time.Now()
	c.run()
	took, after := time.Since(begun), memory(t, c.gateway)
	t.Logf("%d readings in an open hour: ready after %.1f s, %d MiB at most, %d MiB before the kill", messages*each,
		took.Seconds(), after>>20, before>>20)
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	list := c.items("gates", ten, ten.Add(time.Hour))
	if got := value(t, list, ten, "passed"); got != messages*each {
		t.Errorf("passed is %v; want %d", got, messages*each)
	}
	c.adds()
}

// memory is the most that a process has had resident, in bytes.
func memory(t *testing.T, p *process) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
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
