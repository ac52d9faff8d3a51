package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keysNow are the contents of the keys of epochs (e-) and windows (w-) that the
// gateway holds.
func (c *city) keysNow() (map[string]bool, error) {
	out := make(map[string]bool)
	err := filepath.WalkDir(c.keys, func(path string, _ fs.DirEntry, err error) error {
		name := filepath.Base(path)
		if err != nil || !strings.HasSuffix(name, ".key") ||
			!strings.HasPrefix(name, "e-") && !strings.HasPrefix(name, "w-") {
			return err
		}
		raw, err := os.ReadFile(path)
		out[string(raw)] = true
		return err
	})
	return out, err
}

// forgets goes over midnight and looks which of the old epoch's keys are still there.
// Somebody is there in the last hour before and in the first one after, so that both
// epochs' keys are in use.
func forgets(r *report, o options) error {
	c, err := found(o, 1, lightStreams[:1])
	defer c.close()
	if err != nil {
		return err
	}
	midnight := begin.Add(24 * time.Hour)
	if err := c.until(midnight.Add(-30 * time.Minute)); err != nil {
		return err
	}
	if err := c.send(midnight.Add(-40*time.Minute), []reading{{cell: 0, unit: "late", x: 1}}); err != nil {
		return err
	}
	old, err := c.keysNow()
	if err != nil {
		return err
	}
	if err := c.until(midnight.Add(2 * time.Hour)); err != nil {
		return err
	}
	if err := c.send(midnight.Add(2*time.Hour), []reading{{cell: 0, unit: "late", x: 1}}); err != nil {
		return err
	}
	now, err := c.keysNow()
	if err != nil {
		return err
	}
	kept := 0
	for key := range now {
		if old[key] {
			kept++
		}
	}
	r.row(len(old) > 0 && len(now) > 0 &&
		kept == 0, "keys of an epoch, after it", "%d of %d are still there, and %d new ones", kept, len(old),
		len(now)-kept)
	return c.taken()
}

// until moves the clock by the hour: a leap over a day is acknowledged only when all of
// it has been released.
func (c *city) until(at time.Time) error {
	for c.now.Before(at) {
		next := c.now.Add(time.Hour)
		if next.After(at) {
			next = at
		}
		if err := c.tick(next); err != nil {
			return err
		}
	}
	return nil
}
