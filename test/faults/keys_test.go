package faults

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestKeysCannotBeWritten: while the key directory is full, or gone, nothing is
// acknowledged and nothing refused, and /readyz says what to do; it goes on by itself,
// and a kill afterwards loses nothing.
func TestKeysCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(*testing.T, *harness.City) (block, free func()){
		"full": fullKeys, "gone": goneKeys,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := harness.Found(t, harness.Small())
			block, free := way(t, c)
			c.Begin()
			block()
			for i := range 50 {
				c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(i, harness.Ten, 1)), false)
			}
			harness.Await(t, 30*time.Second, "the keys to be missed", func() bool {
				ok, hints := c.Ready()
				return !ok && strings.Contains(hints["disk"], "keys cannot be written")
			})
			if n := c.Metric("sluice_received_total"); n != 0 {
				t.Errorf("%v readings are received although their keys cannot be written", n)
			}
			free()
			if err := c.Link.Flush(); err != nil {
				t.Fatal(err)
			}
			if n := c.Metric(`sluice_readings_total{code="E406",state="refused"}`); n != 0 {
				t.Errorf("%v readings were refused for their keys", n)
			}
			c.Gateway.Kill()
			c.Run()
			c.Counted(50)
		})
	}
}

// fullKeys keeps keys on a tmpfs of 64 KiB, which fills up.
func fullKeys(t *testing.T, c *harness.City) (block, free func()) {
	if err := syscall.Mount("tmpfs", c.Keys, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("a small tmpfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if c.Gateway != nil {
			c.Gateway.Kill()
		}
		_ = syscall.Unmount(c.Keys, syscall.MNT_DETACH)
	})
	ballast := filepath.Join(c.Keys, "ballast")
	return func() { harness.Fill(t, ballast) }, func() {
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	}
}

// goneKeys has a file where the directory was: then nobody can write keys, not even
// root.
func goneKeys(t *testing.T, c *harness.City) (block, free func()) {
	aside := c.Keys + ".away"
	t.Cleanup(func() { _ = os.RemoveAll(aside) })
	return func() {
			if err := os.Rename(c.Keys, aside); err != nil {
				t.Fatal(err)
			}
			harness.Write(t, c.Keys, "")
		}, func() {
			if err := os.Remove(c.Keys); err != nil {
				t.Error(err)
			}
			if err := os.Rename(aside, c.Keys); err != nil {
				t.Error(err)
			}
		}
}

// TestKeysAreRemoved: somebody cleans the key directory under a running gateway. It
// writes them again from memory, and a kill after that loses nothing.
func TestKeysAreRemoved(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	for i := range 50 {
		c.Send("gate-1", harness.Gate(i, harness.Ten, 1))
	}
	list, err := filepath.Glob(filepath.Join(c.Keys, "*", "*.key"))
	if more, _ := filepath.Glob(filepath.Join(c.Keys, "*.key")); err != nil || len(list)+len(more) < 2 {
		t.Fatalf("there are the keys %v, %v", list, more)
	} else {
		list = append(list, more...)
	}
	for _, key := range list {
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
	}
	harness.Await(t, 30*time.Second, "the keys to be there again", func() bool {
		for _, key := range list {
			if _, err := os.Stat(key); err != nil {
				return false
			}
		}
		return true
	})
	c.Gateway.Find("has lost keys")
	c.Gateway.Kill()
	c.Run()
	c.Counted(50)
}
