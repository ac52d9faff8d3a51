package test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKeysCannotBeWritten: while the key directory is full, or gone, nothing is
// acknowledged and nothing refused, and /readyz says what to do; it goes on by itself,
// and a kill afterwards loses nothing.
func TestKeysCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(t *testing.T, c *city) (block, free func()){"full": fullKeys, "gone": goneKeys} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := found(t, small())
			block, free := way(t, c)
			c.begin()
			block()
			for i := range 50 {
				c.link.Publish("city/v1/acme/gate-1/up", []byte(gate(i, ten, 1)), false)
			}
			await(t, 30*time.Second, "the keys to be missed", func() bool {
				ok, hints := c.ready()
				return !ok && strings.Contains(hints["disk"], "keys cannot be written")
			})
			if n := c.metric("sluice_received_total"); n != 0 {
				t.Errorf("%v readings are received although their keys cannot be written", n)
			}
			free()
			if err := c.link.Flush(); err != nil {
				t.Fatal(err)
			}
			if n := c.metric(`sluice_readings_total{code="E406",state="refused"}`); n != 0 {
				t.Errorf("%v readings were refused for their keys", n)
			}
			c.gateway.kill()
			c.run()
			c.counted(50)
		})
	}
}

// fullKeys keeps keys on a tmpfs of 64 KiB, which fills up.
func fullKeys(t *testing.T, c *city) (block, free func()) {
	if err := syscall.Mount("tmpfs", c.keys, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("a small tmpfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if c.gateway != nil {
			c.gateway.kill()
		}
		_ = syscall.Unmount(c.keys, syscall.MNT_DETACH)
	})
	ballast := filepath.Join(c.keys, "ballast")
	return func() { fill(t, ballast) }, func() {
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	}
}

// goneKeys has a file where the directory was: then nobody can write keys, not even
// root.
func goneKeys(t *testing.T, c *city) (block, free func()) {
	aside := c.keys + ".away"
	t.Cleanup(func() { _ = os.RemoveAll(aside) })
	return func() {
			if err := os.Rename(c.keys, aside); err != nil {
				t.Fatal(err)
			}
			write(t, c.keys, "")
		}, func() {
			if err := os.Remove(c.keys); err != nil {
				t.Error(err)
			}
			if err := os.Rename(aside, c.keys); err != nil {
				t.Error(err)
			}
		}
}

// TestKeysAreRemoved: somebody cleans the key directory under a running gateway. It
// writes them again from memory, and a kill after that loses nothing.
func TestKeysAreRemoved(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	for i := range 50 {
		c.send("gate-1", gate(i, ten, 1))
	}
	list, err := filepath.Glob(filepath.Join(c.keys, "*", "*.key"))
	if more, _ := filepath.Glob(filepath.Join(c.keys, "*.key")); err != nil || len(list)+len(more) < 2 {
		t.Fatalf("there are the keys %v, %v", list, more)
	} else {
		list = append(list, more...)
	}
	for _, key := range list {
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
	}
	await(t, 30*time.Second, "the keys to be there again", func() bool {
		for _, key := range list {
			if _, err := os.Stat(key); err != nil {
				return false
			}
		}
		return true
	})
	c.gateway.find("has lost keys")
	c.gateway.kill()
	c.run()
	c.counted(50)
}
