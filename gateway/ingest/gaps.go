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

// gap is a time of which readings may be lost.
type gap struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

const (
	// maxGaps are remembered; beyond them the two that are nearest become one.
	maxGaps = 100
	// Those that are this near are one: a fight over the session makes one a second.
	nearGaps = 10 * time.Second
	// sayGaps is how often the log repeats a reason.
	sayGaps = time.Minute
)

// addGap notes a gap that lasts until the next tick.
func (c *catchUp) addGap(from time.Time, why string) {
	if from.IsZero() || c.clock.now.IsZero() {
		return // nothing was open before
	}
	wall := c.cfg.Now()
	if since := wall.Sub(c.warned[why]); since >= sayGaps || since < 0 {
		if c.warned == nil {
			c.warned = make(map[string]time.Time)
		}
		c.warned[why] = wall
		c.cfg.Log.Warn(why+"; the windows since are gaps", "since", from)
	}
	c.gaps = withGap(c.gaps, gap{from, c.clock.now.Add(time.Nanosecond), reasonLost})
	c.grows = true
}

// withGap adds a gap that ends last. What it returns is sorted, bounded, and covers
// what was covered.
func withGap(list []gap, g gap) []gap {
	for n := len(list); n > 0 && list[n-1].Reason == g.Reason && g.From.Sub(list[n-1].Until) < nearGaps; n = len(list) {
		if list[n-1].From.Before(g.From) {
			g.From = list[n-1].From
		}
		if list[n-1].Until.After(g.Until) {
			g.Until = list[n-1].Until
		}
		list = list[:n-1]
	}
	list = append(list, g)
	if len(list) <= maxGaps {
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

// tendGaps lets the latest reach to this tick, and forgets those before all windows.
func (c *catchUp) tendGaps(now, oldest time.Time) {
	if n := len(c.gaps); c.grows && n > 0 {
		c.gaps[n-1].Until, c.grows = now.Add(time.Nanosecond), false
	}
	c.gaps = slices.DeleteFunc(c.gaps, func(g gap) bool { return g.Until.Before(oldest) })
}

// gapIn is the reason why a window may lack readings; empty for none. They may have
// been late, within the stream's lateness.
func (c *catchUp) gapIn(start, end time.Time, lateness time.Duration) string {
	for _, g := range c.gaps {
		if g.From.Before(end.Add(lateness)) && g.Until.After(start) {
			return g.Reason
		}
	}
	if !c.clock.simulated() && c.broker != nil && !c.behind.IsZero() && end.After(c.complete) {
		return reasonAway
	}
	return ""
}
