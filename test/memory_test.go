package test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// dump reads all memory of a process that it may write, as gcore would.
func dump(t *testing.T, pid int, each func([]byte)) {
	t.Helper()
	maps := read(t, fmt.Sprintf("/proc/%d/maps", pid))
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	for line := range strings.Lines(maps) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || mode[1] != 'w' {
			continue
		}
		region := make([]byte, to-from)
		if n, err := mem.ReadAt(region, from); err == nil || n > 0 {
			each(region[:n])
		}
	}
}

// keysNow are the keys of windows and epochs as they are in the directory now, and
// what is made of them.
func (c *city) keysNow() map[string][]byte {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.keys, "*", "[we]-*.key"))
	if err != nil {
		c.t.Fatal(err)
	}
	out := make(map[string][]byte)
	for _, f := range files {
		key := []byte(read(c.t, f))
		out[filepath.Base(f)] = key
		for _, use := range []string{"sluice message tags", "sluice unit tags"} {
			sum := sha256.Sum256(append([]byte(use), key...))
			out[use+" of "+filepath.Base(f)] = sum[:16]
		}
	}
	return out
}

// TestForgotten: when an epoch is over, the process holds none of 10,000
// identifiers of that epoch, no key of a closed window and no epoch key. So no
// copy of the state directory that was taken on the way can be opened either.
func TestForgotten(t *testing.T) {
	for _, way := range []string{"listener", "broker"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			files := small()
			files["policy/decisions/devices.yaml"] = strings.Replace(files["policy/decisions/devices.yaml"], "forget_after: P1D", "forget_after: PT1H", 1)
			files["policy/charter.yaml"] = strings.NewReplacer("device: 20", "device: 480", "delta_per_day: 0.01", "delta_per_day: 0.1").Replace(files["policy/charter.yaml"])
			c := found(t, files)
			if way == "broker" {
				c.through(newMosquitto(t, "").addr)
			}
			c.begin()
			const canaries, mark = 10_000, "zQ7canary"
			at := ten.Add(time.Minute).Format(time.RFC3339)
			for n := 0; n < canaries; n += 100 {
				var list []string
				for i := n; i < n+100; i++ {
					list = append(list, fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"%s-%05d","rssi":-50,"note":"x"}}`, at, i, mark, i))
				}
				c.link.Publish("city/v1/acme/wifi-1/up", []byte("["+strings.Join(list, ",")+"]"), false)
			}
			if err := c.link.Flush(); err != nil {
				t.Fatal(err)
			}
			c.received(canaries)
			keys := c.keysNow()
			if len(keys) < 6 {
				t.Fatalf("there are %d keys", len(keys))
			}
			present := 0
			dump(t, c.gateway.cmd.Process.Pid, func(b []byte) { present += bytes.Count(b, keys[firstOf(keys)]) })
			if present == 0 {
				t.Error("a living key is not found: this test sees nothing")
			}
			c.tick(ten.Add(time.Hour + 3*time.Minute))
			c.at(ten.Add(time.Hour + 3*time.Minute))
			c.stored()
			var left []string
			for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(2 * time.Second) {
				left = c.left(keys, mark)
				if len(left) == 0 || time.Now().After(deadline) {
					break
				}
			}
			if len(left) > 0 {
				t.Errorf("a minute after the epoch's end the process holds %v", left)
			}
		})
	}
}

func firstOf(keys map[string][]byte) string {
	for name := range keys {
		if strings.HasPrefix(name, "e-") {
			return name
		}
	}
	return ""
}

// left is what of an epoch that is over is still in memory.
func (c *city) left(keys map[string][]byte, mark string) (out []string) {
	canaries, found := 0, make(map[string]int)
	around := ""
	dump(c.t, c.gateway.cmd.Process.Pid, func(b []byte) {
		canaries += bytes.Count(b, []byte(mark))
		if at := bytes.Index(b, []byte(mark)); at >= 0 {
			around = fmt.Sprintf("%q", b[max(0, at-160):min(len(b), at+160)])
		}
		for name, key := range keys {
			if n := bytes.Count(b, key); n > 0 {
				found[name] += n
			}
		}
	})
	if canaries > 0 {
		out = append(out, fmt.Sprintf("%d identifiers, the last within %s", canaries, around))
	}
	for name, n := range found {
		out = append(out, fmt.Sprintf("%s %d times", name, n))
	}
	return out
}
