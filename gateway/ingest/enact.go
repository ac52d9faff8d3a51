package ingest

import (
	"context"
	"time"
)

// enactment is a version on its way in, and where to say how it went.
type enactment struct {
	version Version
	persist func(since time.Time) error
	done    chan error
}

// Enact brings a new policy version into force, between two messages. Ingest
// chooses Since, so that no window has two policies: now, or the end of the last
// window that readings have opened ahead of now, which is at most one window and
// Config.Future away (in a simulation two days). Persist makes that durable
// before any reading runs under it.
func (i *Ingest) Enact(ctx context.Context, v Version, persist func(since time.Time) error) error {
	e := enactment{v, persist, make(chan error, 1)}
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
	since := c.windows.freeFrom(now)
	if err := e.persist(since); err != nil {
		return err
	}
	e.version.Since = since
	if err := c.adopt(e.version); err != nil || now.IsZero() {
		return err
	}
	c.windows.beginStreams(now)
	return nil
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
