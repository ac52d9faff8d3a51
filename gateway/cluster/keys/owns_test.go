package keys

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// TestOwns: a worker gets the keys of partitions that are its own, and others are not taken for lost meanwhile.
func TestOwns(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	f := c.ring("f", func(cfg *Config) { cfg.Owns = func(m string, p int) bool { return m == "w" && p == 1 } })
	f.tend(t.Context())
	w := c.ring("w", nil)
	c.must(w, today, "seal-1")
	if _, err := c.get(w, today, "seal-2"); !errors.Is(err, ErrNotYet) {
		t.Errorf("a partition of somebody else: %v", err)
	}
	c.at(noon.Add(3 * time.Hour)) // it does not ask any more, so nothing is lost
	w.tend(t.Context())
	if _, err := w.Key(today, "seal-2"); !errors.Is(err, ErrNotYet) {
		t.Errorf("what was not asked for is lost: %v", err)
	}
}

// TestNoneOfOthers: a worker does not ask for keys of a partition that fell to it for a moment and is another's now: it
// would say that something is missing, and wait for answers that nobody gives.
func TestNoneOfOthers(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	var mine atomic.Bool
	owns := func(cfg *Config) { cfg.Owns = func(string, int) bool { return mine.Load() } }
	mine.Store(true)
	w := c.ring("w", owns)
	if _, err := w.Key(today, "seal-2"); !errors.Is(err, ErrNotYet) {
		t.Fatal(err)
	}
	f := c.ring("f", owns)
	f.tend(t.Context())
	mine.Store(false)
	w.tend(t.Context())
	if why := w.Problem(); why != "" {
		t.Error(why)
	}
	mine.Store(true)
	w.tend(t.Context())
	c.must(w, today, "seal-2")
}
