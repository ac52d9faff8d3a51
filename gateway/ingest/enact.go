package ingest

import (
	"context"
	"time"
)

// enactment is a version on its way in, and where to say how it went.
type enactment struct {
	version Version
	settle  Settle
	done    chan error
}

// Settle is told from when on no window is open, and says from when on a version holds: what the books
// have by then. An error leaves all as it was.
type Settle func(free time.Time) (since time.Time, err error)

// Enact brings a new policy version into force, between two messages. So that no window has two
// policies, settle is told from when on none is open: now, or the end of the last window that readings
// have opened ahead of now, which is at most one window and Config.Future away (in a simulation two
// days). Where the books say that it holds from earlier on, as for a front that hears of it too late,
// the windows in between are gaps.
func (i *Ingest) Enact(ctx context.Context, v Version, settle Settle) error {
	e := enactment{v, settle, make(chan error, 1)}
	select {
	case i.changes.enactments <- e:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// changes takes what people change while the gateway runs, policies and the register,
// between two messages.
type changes struct {
	cfg       *Config
	clock     *eventClock
	account   *counters
	feedback  *feedback
	routing   *routing
	windows   *windows
	reception *reception
	front     *front // nil where this process counts

	// On their way in, from other goroutines.
	enactments chan enactment
	renewals   chan renewal
}

// enact brings a version into force.
func (c *changes) enact(e enactment) error {
	c.reception.large.finish() // it was begun under the plans of before
	now := c.clock.now
	if !now.IsZero() {
		c.windows.prune(now, c.account) // what lies years ahead must not hold it up for as long
	}
	free := c.freeFrom(now)
	since, err := e.settle(free)
	if err != nil {
		return err
	}
	e.version.Since = since
	if err := c.adopt(e.version); err != nil || now.IsZero() {
		return err
	}
	if c.front != nil {
		c.front.overtaken(since, free)
	}
	c.windows.beginStreams(now)
	return nil
}

// freeFrom is the first instant, from now on, after which readings have opened no window, here or at
// the owners of partitions.
func (c *changes) freeFrom(now time.Time) time.Time {
	if c.front != nil {
		return c.front.freeFrom(now)
	}
	return c.windows.freeFrom(now)
}

// adopt adds a policy version and gives every sensor its routes.
func (c *changes) adopt(v Version) error {
	c.routing.versions = append(c.routing.versions, v)
	if v.Past {
		return nil // but for the homes that it knew, which the next one looks for
	}
	c.windows.add(v.Streams)
	return c.reroute()
}

// reroute gives every sensor its routes, and drops feedback for those that may stand for a home.
func (c *changes) reroute() error {
	err := c.routing.reroute(c.windows.streams, c.windows.oldest())
	c.feedback.dropHomes()
	return err
}
