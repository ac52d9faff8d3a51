package ingest

import (
	"context"

	"sluice/gateway/ingest/internal/listener"
	"sluice/policy/plan"
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

// renewing is a renewal on its way in.
type renewing struct {
	Renewal
	roster roster
	done   chan bool
}

// Renew exchanges the register between two messages, and then who may come in.
// Windows that are open stay open, and what they counted stays counted; those of
// earlier versions go on by the register of before. It reports whether the version
// was the one in force. How long messages wait is some milliseconds for a thousand
// sensors.
func (i *Ingest) Renew(ctx context.Context, r Renewal) (bool, error) {
	n := renewing{r, newRoster(r.Register), make(chan bool, 1)}
	select {
	case i.renew <- n:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case ok := <-n.done:
		if ok {
			i.admit(r)
		}
		return ok, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// renewNow takes the new roster; each sensor takes over what is known of its life.
func (i *Ingest) renewNow(n renewing) bool {
	i.finish() // it was begun under the plans of before
	last := len(i.versions) - 1
	if i.versions[last].Digest != n.Digest {
		return false
	}
	old := i.roster
	i.roster = n.roster
	i.versions[last].Plans = n.Plans
	for _, s := range i.sensors {
		if o := old.byID[s.entry.ID]; o != nil {
			s.lastReading, s.silentAfter, s.home, s.stood = o.lastReading, o.silentAfter, o.home, o.stood
		}
	}
	told := i.feedback
	i.feedback = make(tally)
	if err := i.rerouteAll(); err != nil {
		// Check has said that plans fit.
		i.cfg.Log.Error("a sensor has no plan", "error", err)
	}
	i.feelPulses()
	for o, faults := range told {
		// Fields are told by their number in the kind.
		if s := i.byID[o.entry.ID]; s != nil && s.entry.Kind == o.entry.Kind && !s.home {
			i.feedback[s] = faults
		}
	}
	i.at, i.message = nil, nil
	i.dirty = true
	return true
}

// everHomes are the kinds whose sensors stood for somebody in any version.
func (i *Ingest) everHomes() map[string]bool {
	homes := make(map[string]bool)
	for n := range i.versions {
		for id, k := range i.versions[n].Kinds {
			homes[id] = homes[id] || k.Home() || i.versions[n].Homes[id]
		}
	}
	return homes
}

// admit exchanges what is read at the broker, and who may come in at the listener:
// whoever has another password than before must prove it.
func (i *Ingest) admit(r Renewal) {
	if i.broker != nil {
		i.broker.Follow(i.topics(r.Register))
	}
	if i.listener == nil {
		return
	}
	a := listener.Admission{TLS: r.Listen.TLS, Feedback: feedbackOf(r.Register)}
	before, now := i.passwords, r.Listen.Passwords
	if now != nil {
		a.Passwords = now
	}
	i.listener.Admit(a, func(id string) bool { return before != nil && now != nil && !before.Same(now, id) })
	i.passwords = now
}

// feedbackOf is each sensor's feedback topic, by id.
func feedbackOf(reg *register.Register) map[string]string {
	out := make(map[string]string, len(reg.Sensors))
	for n := range reg.Sensors {
		out[reg.Sensors[n].ID] = reg.Sensors[n].FeedbackTopic()
	}
	return out
}
