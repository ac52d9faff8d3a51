package ingest

import (
	"time"

	"sluice/gateway/ingest/internal/fault"
)

// reach is how far around the first tick of a simulated clock windows may lie: before
// it, nobody knows what time it is, and one sensor's clock must not begin years of
// windows.
const reach = 48 * time.Hour

// ahead is how far ahead of the clock a window may begin.
func (i *Ingest) ahead() time.Duration {
	if i.cfg.Clock == "" {
		return i.cfg.Future
	}
	return reach
}

// wake gives a gateway that goes by wall time its time before anybody can send: without
// it any timestamp would do.
func (i *Ingest) wake() {
	now := i.now()
	if now.Before(dawn) {
		return
	}
	if away := now.Sub(i.state.Now); i.state.Now.IsZero() {
		i.state.Now = now
	} else if away > absurd {
		i.cfg.Log.Warn("the gateway was away for long, or the system's clock is ahead; see that it is right", "last", i.state.Now, "now", now)
	}
	if now.Before(i.state.Now) {
		now = i.state.Now
	} else {
		i.ticked = true
		i.prune(now)
	}
	i.since = now
	i.begin(now)
}

// begin gives each stream that has none its first window. In wall time that is done
// before the ways in are open.
func (i *Ingest) begin(now time.Time) {
	for _, s := range i.streams {
		if s.next.IsZero() {
			s.next = i.first(s, now)
		}
	}
}

// begun reports whether policies can be taken: before the first tick of a simulated
// clock nobody knows where open windows lie.
func (i *Ingest) begun() bool {
	if !i.state.Now.IsZero() {
		return true
	}
	for _, s := range i.streams {
		if len(s.windows) > 0 {
			return false
		}
	}
	return true
}

// prune drops windows that the clock says cannot be: those that begin ahead of what a
// reading may be, which an earlier version let in, and, where a stream has not begun,
// those of long ago; about units, all before the one that the first tick falls in, since
// one reading must not begin a window. Their readings are accounted for; what lies ahead
// becomes a gap.
func (i *Ingest) prune(now time.Time) {
	dropped := 0
	for _, s := range i.streams {
		for at, w := range s.windows {
			switch {
			case w.Start.After(now.Add(i.ahead())):
				i.state.Refused[fault.Future.String()] += w.Readings
				i.lose(w.name)
			case s.next.IsZero() && (w.End.Before(now.Add(-reach)) || !w.Stream.Unit.None() && !w.Lost && !w.End.After(now)):
				i.state.Late += w.Readings
			default:
				continue
			}
			dropped++
			i.shred(w.name)
			s.drop(at)
			s.last, i.dirty = nil, true
		}
		for at, e := range s.epochs {
			if e.start.After(now.Add(i.ahead())) || s.next.IsZero() && !e.end.After(now) {
				e.Forget()
				i.shred(e.name)
				delete(s.epochs, at)
			}
		}
	}
	if dropped > 0 {
		i.cfg.Log.Warn("windows that lie too far from the clock are dropped: some sensor's clock was wrong before the gateway knew the time", "windows", dropped)
	}
}

// knowsTime reports whether there is a clock to hold timestamps against: a simulated
// one has none before its first tick.
func (i *Ingest) knowsTime() bool { return i.cfg.Clock == "" || !i.state.Now.IsZero() }
