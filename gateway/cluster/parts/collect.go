package parts

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/release"
	"sluice/plan"
)

// trimEvery is how often what was released is taken out of the log.
const trimEvery = 10 * time.Second

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Collector adds up what partitions have written. What was released it takes out of the log: all that stands before the
// first part of a window that was not.
type Collector struct {
	Log        *engine.Log
	Keys       Keys
	Partitions int
	// Plan finds a stream's description by its digest; nil for one that is not known.
	Plan func(digest string) *plan.Stream
	// Resume is, for each stream, where the last released window ended: what was before is done.
	Resume map[string]time.Time
	// Wait is how long a window waits for a partition after another one has said its part. While keys for what a
	// partition has said are on their way it waits for those.
	Wait time.Duration
	Now  func() time.Time
	// Waits is told each second which partitions windows wait for, and since when; nil for nobody.
	Waits  func(missing map[int]time.Time)
	Logger *slog.Logger
}

// read is an entry that has come, or why none does.
type read struct {
	entry engine.Entry
	err   error
}

// Run hands over the windows that are whole, or gaps, one after the other, until ctx ends: the next one when the key of
// the one before has come back on done, which says that its release has committed.
func (c *Collector) Run(ctx context.Context, out chan<- release.Batch, done <-chan release.Key) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	entries := make(chan read)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e, err := range c.Log.Follow(ctx, all, 1) {
			select {
			case entries <- read{e, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { stop(); <-ended }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	s := newSums(c)
	for {
		var ready []release.Batch
		var err error
		select {
		case <-ctx.Done():
			return nil
		case r := <-entries:
			if err = r.err; err == nil {
				ready, err = s.take(r.entry)
			}
		case <-tick.C: // all that was handed over before is released
			c.trim(ctx, s)
			ready, err = s.look(ctx)
			if c.Waits != nil {
				c.Waits(s.missing())
			}
		}
		if err != nil {
			return err
		}
		for _, b := range ready {
			select {
			case out <- b:
			case <-ctx.Done():
				return nil
			}
			select {
			case <-done:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// trim takes away what nobody would read again. That it does not succeed is no harm.
func (c *Collector) trim(ctx context.Context, s *sums) {
	before := s.needed()
	if now := c.Now(); before > s.dropped && now.Sub(s.trimmed) >= trimEvery {
		s.trimmed = now
		if err := c.Log.Drop(ctx, all, before); err == nil {
			s.dropped = before
		} else if ctx.Err() == nil {
			c.Logger.Warn("what was released cannot be dropped from the cluster's logs; they grow", "error", err)
		}
	}
}
