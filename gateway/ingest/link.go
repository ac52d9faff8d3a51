package ingest

import (
	"context"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/mqtt"
)

// link is what ingest knows of its broker. While the gateway is not caught up,
// something that belongs into a window may still be on its way.
type link struct {
	// connection is the latest that was looked at, marker the one whose marker
	// has come back, at markerAt in wall time.
	connection, marker int
	markerAt           time.Time
	// resumed says that the broker had kept what came before this process.
	resumed bool
	// arrived is the connection that arrive has judged.
	arrived int
	// ended is the latest of this process's connections whose end the broker has told.
	ended int
	// behind is since when, in wall time, the gateway has not been caught up;
	// zero when it is. waits says that the broker has still to tell what it has dropped.
	behind time.Time
	waits  bool
	silent bool // that it will not was said
	holed  bool // the last hole reaches to the next tick
	// warned is when, in wall time, the log last had each reason for a hole.
	warned map[string]time.Time
	// In the gateway's time: last is when it was last known to miss nothing, marked when
	// the last marker came, full when the broker last said how many messages it has
	// dropped.
	last, marked, full time.Time
}

// hearOwn takes a message of the gateway's own: a marker, or what it tells a sensor.
func (i *Ingest) hearOwn(m *intake.Message) {
	if m.Ended != "" {
		i.hearEnd(m.Ended, m.EndedAt)
	}
	if !m.Mark {
		return
	}
	l := &i.link
	if m.Skipped {
		from := l.marked
		if i.cfg.Clock == "" && !m.Since.IsZero() {
			from = m.Since // else it is of before this process
		}
		i.missing(from, "what the gateway has sent to itself did not come back from the broker, so that what sensors have sent may not have come either")
	}
	l.marked = i.state.Now
	if m.Marker > l.marker {
		i.meet()
		i.arrive(m.Marker)
		l.marker, l.markerAt = m.Marker, i.cfg.Now()
	}
}

// hearEnd takes the word that a process's connection, or the process, has ended.
func (i *Ingest) hearEnd(life string, connection int) {
	if life == i.broker.Life() {
		i.link.ended = max(i.link.ended, connection)
		return
	}
	i.state.Lives = slices.DeleteFunc(i.state.Lives, func(l string) bool { return l == life })
}

// arrive is when everything has come that waited for a connection. By then the ends of
// those before it have come as well, unless another client has had the session in
// between: what that has taken does not come again.
func (i *Ingest) arrive(connection int) {
	l, st, life := &i.link, i.broker.Status(), i.broker.Life()
	if l.arrived == connection {
		return
	}
	l.arrived = connection
	const taken = "another client has used the gateway's client id at the broker meanwhile, and may have taken what was kept for it"
	if st.Connection == connection && st.Kept {
		others := slices.ContainsFunc(i.state.Lives, func(s string) bool { return s != life })
		if l.marker == 0 && others || l.ended < st.Cut {
			i.missing(l.last, taken)
		}
	}
	i.state.Lives, i.dirty = []string{life}, true
}

// meet looks at a new connection. A broker that has forgotten the gateway's session
// has forgotten what waited in it: that is a hole.
func (i *Ingest) meet() {
	l, st := &i.link, i.broker.Status()
	if st.Connection == l.connection {
		return
	}
	if l.connection == 0 {
		l.resumed = st.Kept
	}
	l.connection = st.Connection
	if !st.Kept {
		if i.state.Session {
			i.missing(l.last, "the broker has lost what it kept for this gateway")
		}
		i.state.Lives, i.state.Dropped = nil, 0
	}
	if life := i.broker.Life(); !slices.Contains(i.state.Lives, life) {
		i.state.Lives = append(i.state.Lives, life)
	}
	i.state.Session, i.dirty = true, true
}

// watchLink looks at the broker's connection.
func (i *Ingest) watchLink(now time.Time) {
	if i.broker == nil {
		return
	}
	i.meet()
	l, st := &i.link, i.broker.Status()
	i.watchDropped(st, now)
	l.waits = st.Waits
	if st.Up && l.marker == st.Connection && !st.Late {
		l.behind, l.last = time.Time{}, now
	} else if l.behind.IsZero() {
		l.behind = i.cfg.Now()
	}
	i.tendHoles(now)
}

// watchDropped compares how many messages the broker has dropped since it was last
// asked. They need not have been the gateway's; it cannot be told.
func (i *Ingest) watchDropped(st mqtt.Status, now time.Time) {
	l := &i.link
	if !st.Known {
		if st.Up && !st.Waits && !l.silent {
			l.silent = true
			i.cfg.Log.Info("the broker does not say how many messages it has dropped; what overflows while the gateway is away is not seen (sluice sensor acl writes the access list that lets it be)")
		}
		return
	}
	// Of before this process's first look nothing is known where the last one ended within
	// the broker's interval; then all that it has ever dropped may be ours.
	if known := i.state.Dropped > 0 || st.Kept; known && st.Dropped+1 > max(1, i.state.Dropped) {
		i.missing(l.full, "the broker has dropped messages because a queue was full, this gateway's or another client's (max_queued_messages in its configuration)")
	}
	if i.state.Dropped != st.Dropped+1 {
		i.state.Dropped, i.dirty = st.Dropped+1, true
	}
	l.full = now
}

// awaitBroker waits, before a simulated clock closes windows after a backlog, until
// the broker has said whether it has dropped some of it. A tick that is sent again does not
// move the clock and closes nothing.
func (i *Ingest) awaitBroker(ctx context.Context, moves bool) {
	if i.broker == nil {
		return
	}
	if moves { // a tick is no marker, but its windows close now
		i.foretell(i.awaitMark(ctx))
	}
	for st := i.broker.Status(); st.Waits && st.Kept && st.Backlog >= muchBacklog && ctx.Err() == nil; st = i.broker.Status() {
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// foretell judges a connection before its marker's turn has come.
func (i *Ingest) foretell(st mqtt.Status) {
	if st.Connection == 0 || !i.state.Session {
		return
	}
	i.meet()
	for life, connection := range i.broker.Ends() {
		i.hearEnd(life, connection)
	}
	i.arrive(st.Connection)
}

// awaitMark waits for a connection's first marker before it is judged: a tick that is sent
// again stands before the will of the connection that it came with. It does not wait for
// long, since behind a backlog there may be no room for a marker before the tick is done.
func (i *Ingest) awaitMark(ctx context.Context) mqtt.Status {
	begun, st := time.Now(), i.broker.Status()
	for ; st.Kept && !st.Through && i.link.arrived != st.Connection && time.Since(begun) < longForMark && ctx.Err() == nil; st = i.broker.Status() {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	return st
}

// longForMark is more than a marker takes where nothing stands before it.
const longForMark = 2 * time.Second

// muchBacklog is fewer messages than any broker's queue is worth having for.
const muchBacklog = 10

// through reports whether all that belongs into a window with this lateness has
// come, as far as waiting can tell. A simulated clock passes through the same
// queue as the readings and needs no waiting.
func (i *Ingest) through(lateness time.Duration) bool {
	if i.cfg.Clock != "" {
		return true
	}
	since, wait := i.started, min(lateness, i.cfg.CatchUp)
	if i.broker != nil {
		if i.link.waits {
			return false
		}
		since = i.link.markerAt
		if !i.link.behind.IsZero() {
			since, wait = i.link.behind, i.cfg.CatchUp
		}
	}
	return i.cfg.Now().Sub(since) >= wait
}
