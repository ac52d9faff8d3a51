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
	case i.changes.enact <- e:
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

func (i *Ingest) enactNow(e enactment) error {
	i.reception.large.finish() // it was begun under the plans of before
	since := i.clock.now
	if !since.IsZero() {
		i.windows.prune(since, &i.account) // what lies years ahead must not hold it up for as long
	}
	for _, s := range i.windows.streams {
		for _, w := range s.windows {
			if !w.Start.Before(i.clock.now) && w.End.After(since) {
				since = w.End
			}
		}
	}
	if err := e.persist(since); err != nil {
		return err
	}
	e.version.Since = since
	if err := i.adopt(e.version); err != nil || i.clock.now.IsZero() {
		return err
	}
	i.windows.begin(i.clock.now)
	return nil
}

// adopt adds a policy version and gives every sensor its routes.
func (i *Ingest) adopt(v Version) error {
	i.routing.versions = append(i.routing.versions, v)
	if v.Past {
		return nil // but for the homes that it knew, which the next one looks for
	}
	i.windows.add(v.Streams)
	return i.reroute()
}

// reroute gives every sensor its routes. What was to be told to one that may stand for a home
// is dropped.
func (i *Ingest) reroute() error {
	err := i.routing.reroute(i.windows.streams, i.windows.oldest())
	i.feedback.dropHomes()
	return err
}

// knowsWindows reports whether policies can be taken: before the first tick of a simulated
// clock nobody knows where open windows lie.
func (i *Ingest) knowsWindows() bool { return !i.clock.now.IsZero() || i.windows.none() }
