package ingest

import (
	"context"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/mqtt"
)

// catchUp is what ingest knows of its broker. While the gateway is not caught up,
// something that belongs into a window may still be on its way.
type catchUp struct {
	cfg    *Config
	clock  *eventClock
	broker *mqtt.Client // nil for none

	// Durable, in facts: session says that the gateway has had one at the broker, secret
	// makes markers those of this state directory, lives are the gateway's processes whose
	// end has not come from there, dropped is how many messages the broker had dropped, plus
	// one, or 0 for not known, and gaps are times of which some may be lost.
	session bool
	secret  []byte
	lives   []string
	dropped int64
	gaps    []gap

	// connection is the latest that was looked at, marker the one whose marker
	// has come back, at markerAt in wall time.
	connection, marker int
	markerAt           time.Time
	// resumed says that the broker had kept what came before this process.
	resumed bool
	// judged is the latest connection that judge has looked at.
	judged int
	// ended is the latest of this process's connections whose end the broker has told.
	ended int
	// behind is since when, in wall time, the gateway has not been caught up;
	// zero when it is. awaitsDropped says that the broker has still to tell what it has dropped.
	behind        time.Time
	awaitsDropped bool
	loggedSilent  bool // the log has that it will not
	grows         bool // the last gap reaches to the next tick
	// warned is when, in wall time, the log last had each reason for a gap.
	warned map[string]time.Time
	// In the gateway's time: complete is when it was last known to miss nothing, marked when
	// the last marker came, lookedAt when the broker was last looked at.
	complete, marked, lookedAt time.Time
	// said is how often the broker has said how many messages it has dropped, as it was noted last, at
	// saidAt in wall time; unsaid is, in the gateway's time, when the broker was last looked at before
	// each of the three latest notes.
	said   int
	saidAt time.Time
	unsaid [3]time.Time
}

func newCatchUp(cfg *Config, clock *eventClock) catchUp { return catchUp{cfg: cfg, clock: clock} }

// recover takes what the log says, and the clock.
func (c *catchUp) recover(f *facts) {
	c.session, c.secret, c.lives, c.dropped, c.gaps = f.Session, f.Secret, f.Lives, f.Dropped, f.Holes
	c.complete, c.marked, c.lookedAt = c.clock.now, c.clock.now, c.clock.now
	if known := c.clock.now; !known.IsZero() {
		since := known.Add(-saidWithin)
		c.unsaid = [3]time.Time{since, since, since}
	}
}

// saveTo writes what is durable of it into the facts.
func (c *catchUp) saveTo(f *facts) {
	f.Session, f.Secret, f.Lives, f.Dropped, f.Holes = c.session, c.secret, c.lives, c.dropped, c.gaps
}

// takeOwn takes a message of the gateway's own: a marker, or what it tells a sensor.
func (c *catchUp) takeOwn(m *intake.Message) {
	if m.Ended != "" {
		c.noteEnd(m.Ended, m.EndedAt)
	}
	if !m.Mark {
		return
	}
	if m.Skipped {
		from := c.marked
		if !c.clock.simulated() && !m.Since.IsZero() {
			from = m.Since // else it is of before this process
		}
		c.addGap(from, "what the gateway has sent to itself did not come back from the broker, "+
			"so that what sensors have sent may not have come either")
	}
	c.marked = c.clock.now
	if m.Marker > c.marker {
		c.noteConnection()
		c.judge(m.Marker)
		c.marker, c.markerAt = m.Marker, c.cfg.Now()
	}
}

// noteEnd takes the word that a process's connection, or the process, has ended.
func (c *catchUp) noteEnd(life string, connection int) {
	if life == c.broker.Life() {
		c.ended = max(c.ended, connection)
		return
	}
	c.lives = slices.DeleteFunc(c.lives, func(l string) bool { return l == life })
}

// judge is called when everything has come that waited for a connection. By then the ends of
// those before it have come as well, unless another client has had the session in
// between: what that has taken does not come again.
func (c *catchUp) judge(connection int) {
	st, life := c.broker.Status(), c.broker.Life()
	if c.judged == connection {
		return
	}
	c.judged = connection
	const taken = "another client has used the gateway's client id at the broker meanwhile, " +
		"and may have taken what was kept for it"
	if st.Connection == connection && st.Kept {
		others := slices.ContainsFunc(c.lives, func(s string) bool { return s != life })
		if c.marker == 0 && others || c.ended < st.Cut {
			c.addGap(c.complete, taken)
		}
	}
	c.lives = []string{life}
}

// noteConnection looks at a new connection. A broker that has forgotten the gateway's session
// has forgotten what waited in it: that is a hole.
func (c *catchUp) noteConnection() {
	st := c.broker.Status()
	if st.Connection == c.connection {
		return
	}
	if c.connection == 0 {
		c.resumed = st.Kept
	}
	c.connection = st.Connection
	if !st.Kept {
		if c.session {
			c.addGap(c.complete, "the broker has lost what it kept for this gateway")
		}
		c.lives, c.dropped = nil, 0
	}
	if life := c.broker.Life(); !slices.Contains(c.lives, life) {
		c.lives = append(c.lives, life)
	}
	c.session = true
}

// watch looks at the broker's connection. Nothing before oldest is open.
func (c *catchUp) watch(now, oldest time.Time) {
	if c.broker == nil {
		return
	}
	c.noteConnection()
	st := c.broker.Status()
	c.watchDropped(st, now)
	c.awaitsDropped = st.Waits
	if st.Up && c.marker == st.Connection && !st.Late {
		c.behind, c.complete = time.Time{}, now
	} else if c.behind.IsZero() {
		c.behind = c.cfg.Now()
	}
	c.tendGaps(now, oldest)
}

const (
	// saidEvery is longer than the interval at which a broker says how many messages it has dropped,
	// where that is not set otherwise, and the time for which it may be on its way (keepAlive and
	// pingTimeout of package mqtt).
	saidEvery = 30 * time.Second
	// saidWithin is more than twice the one and once the other.
	saidWithin = time.Minute
)

// watchDropped compares how many messages the broker has dropped with what it had said before. They
// need not have been the gateway's; it cannot be told. What is not in the number was dropped after that
// was said, and so no earlier than saidEvery before the note before the last: that is after the note
// before that one.
func (c *catchUp) watchDropped(st mqtt.Status, now time.Time) {
	if c.unsaid[0].IsZero() {
		c.unsaid, c.lookedAt = [3]time.Time{now, now, now}, now
	}
	defer func() { c.lookedAt = now }()
	if !st.Known {
		if st.Up && !st.Waits && !c.loggedSilent {
			c.loggedSilent = true
			c.cfg.Log.Info(
				"the broker does not say how many messages it has dropped; what overflows while the gateway is away " +
					"is not seen (sluice sensor acl writes the access list that lets it be)")
		}
		return
	}
	// Of before this process's first look nothing is known where the last one ended within
	// the broker's interval; then all that it has ever dropped may be ours.
	// A number that is less is of a broker that was started again, and counts from there.
	if known := c.dropped > 0 || st.Kept; known && st.Dropped > 0 && st.Dropped+1 != c.dropped {
		c.addGap(c.unsaid[0], "the broker has dropped messages because a queue was full, "+
			"this gateway's or another client's (max_queued_messages in its configuration)")
	}
	c.dropped = st.Dropped + 1
	if wall := c.cfg.Now(); c.said != st.Said && wall.Sub(c.saidAt).Abs() >= saidEvery {
		c.said, c.saidAt = st.Said, wall
		c.unsaid = [3]time.Time{c.unsaid[1], c.unsaid[2], c.lookedAt}
	}
}

// await waits, before a simulated clock closes windows after a backlog, until
// the broker has said whether it has dropped some of it. A tick that is sent again does not
// move the clock and closes nothing.
func (c *catchUp) await(ctx context.Context, moves bool) {
	if c.broker == nil {
		return
	}
	if moves { // a tick is no marker, but its windows close now
		c.judgeEarly(c.awaitMarker(ctx))
	}
	for st := c.broker.Status(); st.Waits && st.Kept && st.Backlog >= minBacklog &&
		ctx.Err() == nil; st = c.broker.Status() {
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// judgeEarly judges a connection before its marker's turn has come.
func (c *catchUp) judgeEarly(st mqtt.Status) {
	if st.Connection == 0 || !c.session {
		return
	}
	c.noteConnection()
	for life, connection := range c.broker.Ends() {
		c.noteEnd(life, connection)
	}
	c.judge(st.Connection)
}

// awaitMarker waits for a connection's first marker before it is judged: a tick that is sent
// again stands before the will of the connection that it came with. It does not wait for
// long, since behind a backlog there may be no room for a marker before the tick is done.
func (c *catchUp) awaitMarker(ctx context.Context) mqtt.Status {
	begun, st := time.Now(), c.broker.Status()
	for ; st.Kept && !st.Through && c.judged != st.Connection && time.Since(begun) < markerWait &&
		ctx.Err() == nil; st = c.broker.Status() {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	return st
}

// markerWait is more than a marker takes where nothing stands before it.
const markerWait = 2 * time.Second

// minBacklog is fewer messages than any broker's queue is worth having for.
const minBacklog = 10

// caughtUp reports whether all that belongs into a window with this lateness has
// come, as far as waiting can tell. A simulated clock passes through the same
// queue as the readings and needs no waiting.
func (c *catchUp) caughtUp(lateness time.Duration) bool {
	if c.clock.simulated() {
		return true
	}
	since, wait := c.clock.opened, min(lateness, c.cfg.CatchUp)
	if c.broker != nil {
		if c.awaitsDropped {
			return false
		}
		since = c.markerAt
		if !c.behind.IsZero() {
			since, wait = c.behind, c.cfg.CatchUp
		}
	}
	return c.cfg.Now().Sub(since) >= wait
}
