package ingest

import (
	"context"
	"runtime"
	"time"

	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/ingest/internal/window"
)

// washes are the pauses between an epoch's end and each washing of memory: soon,
// and again when connections and pools have let go of what they still held.
var washes = []time.Duration{time.Second, 10 * time.Second, 20 * time.Second}

// letGo drops everything that readings of an epoch that is over were in, and asks
// for a washing.
func (i *Ingest) letGo() {
	i.epochOver = false
	i.finish()
	i.large.decoder, i.decoder, i.kept, i.entry = format.NewDecoder(), format.NewDecoder(), redact.Kept{}, window.Entry{}
	for _, s := range i.sensors {
		for n := range s.routes {
			s.routes[n].rule.Forget()
		}
	}
	select {
	case i.wash <- struct{}{}:
	default: // one is asked for already
	}
}

// washing has the runtime collect what was let go of, until ctx ends. The binary
// asks its runtime to overwrite what it frees (GODEBUG clobberfree), so that
// nothing is left of it then.
func (i *Ingest) washing(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-i.wash:
		}
		for _, pause := range washes {
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
