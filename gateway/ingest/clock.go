package ingest

import (
	"fmt"
	"sync/atomic"
	"time"
)

// idleState is how often the clock is made durable where nothing comes.
const idleState = time.Minute

// reach is how far around the first tick of a simulated clock windows may lie: before
// it, nobody knows what time it is, and one sensor's clock must not begin years of
// windows.
const reach = 48 * time.Hour

// eventClock is the gateway's time. Ticks move it: those of a simulated clock, or of the
// machine's, as far as that is believed. Its owner is ingest's goroutine.
type eventClock struct {
	cfg *Config
	// now is the time of the last tick, and durable; zero before the first.
	now time.Time
	// since is when it came up this time, until when it was up before that, to the minute
	// in wall time.
	since, until time.Time
	opened       time.Time // in wall time
	monotonic    time.Time // the same, for uptime
	ticked       bool      // since the start
	jumps        jumpFilter

	// For whoever asks from outside: what is wrong with the machine's clock, and whether
	// readings say that it is.
	problem  atomic.Pointer[string]
	doubtful atomic.Pointer[string]
}

// simulated reports whether a topic drives the clock.
func (c *eventClock) simulated() bool { return c.cfg.Clock != "" }

// known reports whether there is a clock to hold timestamps against: a simulated
// one has none before its first tick.
func (c *eventClock) known() bool { return !c.simulated() || !c.now.IsZero() }

// ahead is how far ahead of the clock a window may begin.
func (c *eventClock) ahead() time.Duration {
	if !c.simulated() {
		return c.cfg.Future
	}
	return reach
}

// minutePassed reports whether a clock that goes from one time to another comes into another
// minute.
func minutePassed(from, to time.Time) bool {
	return to.Sub(from) >= idleState || !to.Truncate(idleState).Equal(from.Truncate(idleState))
}

// start gives a clock that goes by wall time its first time, and reports whether it is
// later than all before it: then ticked is true.
func (c *eventClock) start(now time.Time) {
	if away := now.Sub(c.now); c.now.IsZero() {
		c.now = now
	} else if away > maxJump {
		c.cfg.Log.Warn("the gateway was away for long, or the system's clock is ahead; see that it is right", "last",
			c.now, "now", now)
	}
	if now.Before(c.now) {
		now = c.now
	} else {
		c.ticked = true
	}
	c.since = now
}

// believed is the machine's time as far as it is believed, without a monotonic part: two
// of those compare by it, and would hide a jump.
func (c *eventClock) believed() time.Time {
	wall, up := c.cfg.Now().Round(0).UTC(), c.uptime()
	if c.jumps.at.Before(minTime) || c.jumps.at.Before(c.now.Add(-tolerance)) {
		c.jumps = jumpFilter{} // it is known to be wrong, and so is held against nothing
	}
	doubted := c.jumps.off
	now := c.jumps.observe(wall, up)
	if doubted != 0 && c.jumps.off == 0 && now.Equal(wall) {
		c.cfg.Log.Warn("the system's clock is believed again", "now", now)
	}
	problem := c.jumps.problem(wall, up)
	switch behind := c.now.Sub(now); {
	case wall.Before(minTime):
		problem = fmt.Sprintf("the system's clock says %s, so nothing is measured; set it right",
			wall.Format(time.DateOnly))
	case problem == "" && behind > tolerance:
		problem = fmt.Sprintf(
			"the system's clock is %s behind the last window's time, %s: no window closes until then. "+
				"Set it right; if it is right now and was ahead before, see The clock in docs/operations.md",
			span(behind), c.now.Format(time.RFC3339))
	}
	c.problem.Store(&problem)
	return now
}

// at is the gateway's time in nanoseconds when a message was received: of receipt, or
// simulated.
func (c *eventClock) at(received time.Time) int64 {
	switch {
	case !c.simulated():
		return c.received(received)
	case c.now.IsZero():
		return received.UnixNano()
	}
	return c.now.UnixNano()
}

// received is an instant of receipt in the time that is believed. What came before a
// jump is left as it is.
func (c *eventClock) received(at time.Time) int64 {
	t := at.UnixNano()
	d := time.Duration(t - c.now.UnixNano())
	if d.Abs() <= tolerance {
		return t
	}
	if off := c.jumps.offset(c.cfg.Now().Round(0), c.uptime()); (d - off).Abs() < d.Abs() {
		return t - int64(off)
	}
	return t
}

// uptime is how long the machine has been up, asleep or not.
func (c *eventClock) uptime() time.Duration {
	if c.cfg.Uptime != nil {
		return c.cfg.Uptime()
	}
	return time.Since(c.monotonic)
}

const outOfTime = "most readings of the last full hour were late or ahead of time (E302, E301): " +
	"compare this machine's clock with the sensors'. If it is right now and was ahead before, see The clock in " +
	"docs/operations.md"

// doubt notes whether readings say that the clock is wrong.
func (c *eventClock) doubt(wrong bool) {
	if !wrong {
		c.doubtful.Store(nil)
		return
	}
	hint := outOfTime
	c.doubtful.Store(&hint)
}

// says is what is wrong with the clock, or empty.
func (c *eventClock) says() string {
	if p := c.problem.Load(); p != nil && *p != "" {
		return *p
	}
	if p := c.doubtful.Load(); p != nil {
		return *p
	}
	return ""
}

// Clock is what is wrong with the gateway's clock, and what to do; empty for nothing.
// It never waits.
func (i *Ingest) Clock() string { return i.clock.says() }
