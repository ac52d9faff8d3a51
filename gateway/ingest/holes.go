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

// hole is a time of which readings may be lost.
type hole struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

const (
	// mostHoles are remembered; beyond them the two that are nearest become one.
	mostHoles = 100
	// Those that are this near are one: a fight over the session makes one a second.
	nearHoles = 10 * time.Second
	// sayHoles is how often the log repeats a reason.
	sayHoles = time.Minute
)

// missing notes a hole until now, which the next tick says.
func (i *Ingest) missing(from time.Time, why string) {
	if from.IsZero() || i.state.Now.IsZero() {
		return // nothing was open before
	}
	l, wall := &i.link, i.cfg.Now()
	if since := wall.Sub(l.warned[why]); since >= sayHoles || since < 0 {
		if l.warned == nil {
			l.warned = make(map[string]time.Time)
		}
		l.warned[why] = wall
		i.cfg.Log.Warn(why+"; the windows since are gaps", "since", from)
	}
	i.state.Holes = withHole(i.state.Holes, hole{from, i.state.Now.Add(time.Nanosecond), reasonLost})
	l.holed, i.dirty = true, true
}

// withHole adds a hole that ends last. What it returns is sorted, bounded, and covers
// what was covered.
func withHole(list []hole, h hole) []hole {
	for n := len(list); n > 0 && list[n-1].Reason == h.Reason && h.From.Sub(list[n-1].Until) < nearHoles; n = len(list) {
		if list[n-1].From.Before(h.From) {
			h.From = list[n-1].From
		}
		if list[n-1].Until.After(h.Until) {
			h.Until = list[n-1].Until
		}
		list = list[:n-1]
	}
	list = append(list, h)
	if len(list) <= mostHoles {
		return list
	}
	nearest := 1
	for n := range list {
		if n > 0 && list[n].From.Sub(list[n-1].Until) < list[nearest].From.Sub(list[nearest-1].Until) {
			nearest = n
		}
	}
	list[nearest].From = list[nearest-1].From
	return slices.Delete(list, nearest-1, nearest)
}

// tendHoles lets the latest reach to this tick, and forgets those before all windows.
func (i *Ingest) tendHoles(now time.Time) {
	if n := len(i.state.Holes); i.link.holed && n > 0 {
		i.state.Holes[n-1].Until, i.link.holed = now.Add(time.Nanosecond), false
	}
	oldest := i.oldest()
	i.state.Holes = slices.DeleteFunc(i.state.Holes, func(h hole) bool { return h.Until.Before(oldest) })
}

// holeIn is the reason why a window may lack readings; empty for none. They may have
// been late, within the stream's lateness.
func (i *Ingest) holeIn(start, end time.Time, lateness time.Duration) string {
	for _, h := range i.state.Holes {
		if h.From.Before(end.Add(lateness)) && h.Until.After(start) {
			return h.Reason
		}
	}
	if i.cfg.Clock == "" && i.broker != nil && !i.link.behind.IsZero() && end.After(i.link.last) {
		return reasonAway
	}
	return ""
}
