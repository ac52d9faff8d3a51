package ingest

import (
	"context"
	"runtime"
	"time"
)

// scrubPauses are those between an epoch's end and each scrubbing of memory: soon,
// and again when connections and pools have dropped what they still held.
var scrubPauses = []time.Duration{time.Second, 10 * time.Second, 20 * time.Second}

// scrubber has the runtime overwrite the memory that readings of an ended epoch were in.
type scrubber struct {
	due  bool          // an epoch's key is gone; what its readings were in is not yet
	wake chan struct{} // asks for a scrubbing
}

func newScrubber() scrubber { return scrubber{wake: make(chan struct{}, 1)} }

// ask asks for a scrubbing, after all buffers have been dropped.
func (s *scrubber) ask() {
	s.due = false
	select {
	case s.wake <- struct{}{}:
	default: // one is asked for already
	}
}

// loop collects what was dropped, until ctx ends. The binary asks its runtime to
// overwrite what it frees (GODEBUG clobberfree), so that nothing is left of it then.
func (s *scrubber) loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for _, pause := range scrubPauses {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			runtime.GC()
			runtime.GC() // pools keep what they hold for one more
		}
	}
}
