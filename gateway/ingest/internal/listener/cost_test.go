package listener

import (
	"runtime"
	"testing"
)

// TestWhatAConnectionCosts: one that is let in and idle, and one that says nothing, the
// test's own end of it included.
func TestWhatAConnectionCosts(t *testing.T) {
	s := open(t, Config{})
	cost := func(what string, most uint64, connect func()) {
		used := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapInuse + m.StackInuse
		}
		before := used()
		for range 400 {
			connect()
		}
		each := (used() - before) / 400
		t.Logf("%s costs %d bytes", what, each)
		if each > most {
			t.Errorf("%s costs %d bytes; want %d at most", what, each, most)
		}
	}
	cost("a sensor", 64<<10, func() { s.connect(4, "", "", "").works() })
	cost("a stranger", 32<<10, func() { s.dial() })
}
