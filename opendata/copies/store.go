package copies

import (
	"context"
	"maps"
	"sync"
	"time"

	"sluice/store"
)

// need is how far rows of each stream have been shown.
type need struct {
	mu    sync.Mutex
	until map[string]time.Time // guarded by mu
}

func (n *need) all() map[string]time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.until)
}

// shown notes that rows of a stream were shown until an instant, of those that the books have. It is
// exact where the store has none behind it: also what was removed is not needed any more.
func (n *need) shown(stream string, until, closed time.Time, exact bool) {
	if closed.Before(until) {
		until = closed
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if exact || until.After(n.until[stream]) {
		n.until[stream] = until
	}
}

// Observations asks the store of the copy that is shown.
func (c *Copies) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	return from(ctx, c, func(x choice, p *copied) ([]store.Observation, error) {
		rows, err := p.Store.Observations(ctx, q)
		last := make(map[string]time.Time)
		for i := range rows {
			if o := &rows[i]; o.End.After(last[o.Stream]) {
				last[o.Stream] = o.End
			}
		}
		for stream, until := range last {
			c.need.shown(stream, until, x.closed[stream], false)
		}
		return rows, err
	})
}

// ClosedUntil asks the store of the copy that is shown.
func (c *Copies) ClosedUntil(ctx context.Context, stream string) (time.Time, error) {
	return from(ctx, c, func(x choice, p *copied) (time.Time, error) {
		until, err := p.Store.ClosedUntil(ctx, stream)
		if err == nil {
			c.need.shown(stream, until, x.closed[stream], true)
		}
		return until, err
	})
}
