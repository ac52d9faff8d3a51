package ingest

import (
	"slices"
	"time"
)

// Reasons of gaps that a broker is the cause of.
const (
	reasonAway = "broker_away"       // it was out of reach for longer than windows wait
	reasonLost = "broker_lost_queue" // it forgot what it had kept for the gateway
)

// link is what ingest knows of its broker. While the gateway is not caught up,
// something that belongs into a window may still be on its way.
type link struct {
	// connection is the latest that was looked at, marker the one whose marker
	// has come back, at markerAt in wall time.
	connection, marker int
	markerAt           time.Time
	// behind is since when, in wall time, the gateway has not been caught up;
	// zero when it is.
	behind time.Time
	// last is when, in the gateway's time, it was last known to miss nothing.
	last time.Time
}

// heard takes a message of the gateway's own; of is the connection whose marker
// it is, or 0.
func (l *link) heard(of int, now time.Time) {
	if of > l.marker {
		l.marker, l.markerAt = of, now
	}
}

// hole is a time of which readings may be lost.
type hole struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

// watchLink looks at the broker's connection. A broker that has forgotten the
// gateway's session has forgotten what waited in it: that is a hole.
func (i *Ingest) watchLink(now time.Time) {
	if i.broker == nil {
		return
	}
	l, st := &i.link, i.broker.Status()
	if st.Connection != l.connection {
		l.connection = st.Connection
		if i.state.Session && !st.Kept && !l.last.IsZero() {
			i.cfg.Log.Warn("the broker has lost what it kept for this gateway; the windows since are gaps", "since", l.last)
			i.state.Holes = append(i.state.Holes, hole{l.last, now, reasonLost})
		}
		i.state.Session, i.dirty = true, true
	}
	if st.Up && l.marker == st.Connection {
		l.behind, l.last = time.Time{}, now
	} else if l.behind.IsZero() {
		l.behind = i.cfg.Now()
	}
	oldest := i.oldest()
	i.state.Holes = slices.DeleteFunc(i.state.Holes, func(h hole) bool { return h.Until.Before(oldest) })
}

// through reports whether all that belongs into a window with this lateness has
// come, as far as waiting can tell. A simulated clock passes through the same
// queue as the readings and needs no waiting.
func (i *Ingest) through(lateness time.Duration) bool {
	if i.cfg.Clock != "" {
		return true
	}
	since, wait := i.started, min(lateness, i.cfg.CatchUp)
	if i.broker != nil {
		since = i.link.markerAt
		if !i.link.behind.IsZero() {
			since, wait = i.link.behind, i.cfg.CatchUp
		}
	}
	return i.cfg.Now().Sub(since) >= wait
}

// holeIn is the reason why a window may lack readings; empty for none.
func (i *Ingest) holeIn(start, end time.Time) string {
	for _, h := range i.state.Holes {
		if h.From.Before(end) && h.Until.After(start) {
			return h.Reason
		}
	}
	if i.cfg.Clock == "" && i.broker != nil && !i.link.behind.IsZero() && end.After(i.link.last) {
		return reasonAway
	}
	return ""
}
