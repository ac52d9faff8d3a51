package ingest

import (
	"bytes"
	"context"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/listener"
	"sluice/gateway/ingest/internal/window"
	"sluice/policy/plan"
)

// takeTick is a message on the clock topic: RFC 3339, never backwards. It is a
// barrier: what came before it is committed first, and it is acknowledged after
// the windows that it closes have been released.
func (i *Ingest) takeTick(ctx context.Context, w wall, m intake.Message) error {
	if err := i.commit(ctx); err != nil {
		return err
	}
	now, err := time.Parse(time.RFC3339Nano, string(bytes.TrimSpace(m.Payload)))
	old := m.Retained && !i.state.Now.IsZero()
	i.awaitBroker(ctx, err == nil && !old && now.After(i.state.Now))
	switch {
	case old:
		// An old copy; the gateway has a time of its own.
	case m.Checked && m.Sender != listener.ClockUser:
		i.cfg.Log.Warn("a sensor has tried to drive the clock; this message is ignored")
	case err != nil:
		i.cfg.Log.Warn("the clock topic must carry RFC 3339 times; this message is ignored")
	case now.Before(i.state.Now):
		i.cfg.Log.Warn("the simulated clock cannot go backwards; this tick is ignored", "now", i.state.Now)
	default:
		if err := i.tick(ctx, w, now.UTC()); err != nil {
			return err
		}
	}
	i.pending = append(i.pending, m)
	i.dirty = true
	return i.commit(ctx)
}

// tick moves the gateway's clock and closes every window whose end and lateness
// have passed and that nothing more can be on its way to.
func (i *Ingest) tick(ctx context.Context, w wall, now time.Time) error {
	if err := i.commit(ctx); err != nil {
		return err
	}
	if now.Before(i.state.Now) || i.cfg.Clock == "" && now.Before(dawn) {
		return nil
	}
	if !i.ticked {
		i.ticked = true
		i.prune(now)
	}
	if i.state.Now.IsZero() || i.since.IsZero() {
		i.since = now
	}
	idle := now.Sub(i.state.Now) >= idleState || !now.Truncate(idleState).Equal(i.state.Now.Truncate(idleState))
	i.watchLink(now)
	if !i.cfg.Exact && !now.Truncate(time.Hour).Equal(i.state.Now.Truncate(time.Hour)) {
		i.show()
	}
	i.state.Now = now
	i.resumeAfterLoss(now)
	i.wakeWindows(now)
	i.dirty = i.dirty || idle
	if err := i.closeDue(ctx, w); err != nil {
		return err
	}
	if err := i.barrier(ctx, w); err != nil {
		return err
	}
	if err := i.commit(ctx); err != nil {
		return err
	}
	if i.epochOver {
		i.letGo()
	}
	i.publishReport(true)
	return nil
}

// resumeAfterLoss says for ever until when an unreadable log may have held anything:
// windows and epochs that began by then, or by the latest time that a reading could
// have, are lost.
func (i *Ingest) resumeAfterLoss(now time.Time) {
	if !i.state.Unread {
		return
	}
	i.state.Unread, i.state.LostUntil, i.dirty = false, now.Add(i.cfg.Future), true
	i.cfg.Log.Warn("windows and epochs that begin by this time and are not released yet are gaps (it is windows.future from now, since a reading may be as far ahead of the clock)", "until", i.state.LostUntil)
	i.markLost()
}

// due advances each stream past the windows to be closed now, at most round.
func (i *Ingest) due(now time.Time) []closing {
	i.begin(now)
	var out []closing
	ids := make([]string, 0, len(i.streams))
	for id := range i.streams {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s := i.streams[id]
		for len(out) < round {
			c, ok := i.dueOf(s, now)
			if !ok {
				break
			}
			out = append(out, c)
		}
	}
	return out
}

// first is where a stream begins: its earliest open window, or the window that
// the first tick falls in.
func (i *Ingest) first(s *stream, now time.Time) time.Time {
	start := now
	if _, spec := i.specAt(s.id, now); spec != nil {
		start, _ = spec.Window(now)
	}
	for _, w := range s.windows {
		if w.Start.Before(start) {
			start = w.Start
		}
	}
	return start
}

// dueOf closes the stream's next window if its time has come.
func (i *Ingest) dueOf(s *stream, now time.Time) (closing, bool) {
	for {
		n, spec := i.specAt(s.id, s.next)
		if spec == nil {
			next := i.nextInForce(s.id, s.next)
			if next.IsZero() || next.After(now) {
				return closing{}, false
			}
			s.next = next
			continue
		}
		start, end := spec.Window(s.next)
		if start.Before(s.next) {
			s.next = end // a window that began under another version
			continue
		}
		lateness := spec.Lateness.Nominal()
		if end.Add(lateness).After(now) || !i.through(lateness) {
			return closing{}, false
		}
		s.next = end
		if s.last != nil && s.last.Start.Before(end) {
			s.last = nil
		}
		c := closing{Stream: s.id, Start: start, End: end, Policy: i.versions[n].Digest, Gap: i.holeIn(start, end, lateness)}
		c.Down = i.wasDown(spec, start, end) || c.Gap == reasonAway && !start.Before(i.link.last)
		if w := s.windows[start.UnixNano()]; w != nil {
			c.Readings = w.Readings
			c.Down = c.Down && !spec.Unit.None()
		}
		return c, true
	}
}

// wasDown reports whether the gateway was down for all of a window. About nobody, that
// is said where nothing has come for it. About units it is a gap whatever comes for it
// afterwards, or that would tell of somebody; unless a broker has kept what came, and
// nothing is missing. It holds nothing that was acknowledged before: a reading is at
// most Future ahead, and the clock is durable each minute, more often only when
// readings come. A simulated clock stands still meanwhile.
func (i *Ingest) wasDown(spec *plan.Stream, start, end time.Time) bool {
	switch {
	case end.After(i.since):
		return false
	case spec.Unit.None():
		return true
	}
	return i.cfg.Clock == "" && !i.link.resumed && !start.Before(i.until.Add(idleState+i.cfg.Future))
}

// nextInForce is the first instant after t at which some version has the stream
// in force; zero when there is none.
func (i *Ingest) nextInForce(id string, t time.Time) time.Time {
	var first time.Time
	consider := func(at time.Time) {
		if at.After(t) && (first.IsZero() || at.Before(first)) {
			if _, spec := i.specAt(id, at); spec != nil {
				first = at
			}
		}
	}
	for _, v := range i.versions {
		consider(v.Since)
		for _, spec := range v.Streams {
			if spec.ID == id {
				consider(spec.From)
			}
		}
	}
	return first
}

// feeders are, for each cell of a stream, the sensors that can feed it.
func (i *Ingest) feeders(version int, id string) *window.Feeders {
	out := i.fedBy(version)[id]
	return out
}
