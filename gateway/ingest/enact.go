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
	case i.enact <- e:
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
	i.finish() // it was begun under the plans of before
	since := i.state.Now
	if !since.IsZero() {
		i.prune(since) // what lies years ahead must not hold it up for as long
	}
	for _, s := range i.streams {
		for _, w := range s.windows {
			if !w.Start.Before(i.state.Now) && w.End.After(since) {
				since = w.End
			}
		}
	}
	if err := e.persist(since); err != nil {
		return err
	}
	e.version.Since = since
	if err := i.adopt(e.version); err != nil || i.state.Now.IsZero() {
		return err
	}
	i.begin(i.state.Now)
	return nil
}
