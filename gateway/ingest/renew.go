package ingest

import (
	"context"

	"sluice/plan"
	"sluice/register"
)

// Renewal is what people change while it runs: the register, with its plans under
// the version in force, and who may come in at the listener.
type Renewal struct {
	Register *register.Register
	// Digest is the version's.
	Digest string
	Plans  map[string][]plan.Plan
	Listen Listen
}

// renewal is a Renewal on its way in, and where to say how it went.
type renewal struct {
	Renewal
	roster roster
	done   chan bool
}

// Renew exchanges the register between two messages, and then who may come in.
// Windows that are open stay open, and what they counted stays counted; those of
// earlier versions go on by the register of before. A sensor that is new counts at once, and
// one that is gone or has ended does not any more. For one that has moved, or has another owner
// or kind, windows that have begun go on as they did. It reports whether the version
// was the one in force. How long messages wait is some milliseconds for a thousand
// sensors.
func (i *Ingest) Renew(ctx context.Context, r Renewal) (bool, error) {
	n := renewal{r, newRoster(r.Register), make(chan bool, 1)}
	select {
	case i.changes.renewals <- n:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case ok := <-n.done:
		if ok {
			i.sources.admit(r)
		}
		return ok, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Admit exchanges who may come in at the listener; the register is the one of before. Whoever
// calls Renew calls it, and not at the same time.
func (i *Ingest) Admit(reg *register.Register, listen Listen) {
	i.sources.admit(Renewal{Register: reg, Listen: listen})
}

// renew takes the new roster, and reports whether the version is the one in force.
func (c *changes) renew(n renewal) bool {
	c.reception.large.finish() // it was begun under the plans of before
	if c.routing.versions[len(c.routing.versions)-1].Digest != n.Digest {
		return false
	}
	c.routing.exchange(n.roster, n.Plans, c.freeFrom(c.clock.now))
	if err := c.reroute(); err != nil {
		// Check has said that plans fit.
		c.cfg.Log.Error("a sensor has no plan", "error", err)
	}
	c.routing.notePulses()
	c.feedback.follow(&c.routing.roster)
	return true
}
