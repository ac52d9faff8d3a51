package ingest

import (
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/release"
	"sluice/plan"
)

// reasonKeys is the reason of a gap where keys are gone too soon.
const reasonKeys = "keys_lost"

// maxCloses bounds how many windows are closed and not yet released.
const maxCloses = 256

// closing is one closed window.
type closing struct {
	Stream string    `json:"stream"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Policy string    `json:"policy"`
	Down   bool      `json:"down"` // nothing could reach it
	Gap    string    `json:"gap,omitempty"`
	// Readings are those that the window keeps the account of. They are here, too,
	// because the window's key may be shredded before the account is durable.
	Readings int64 `json:"readings"`
}

// closes are the windows that are closed and perhaps not yet released, which is durable.
// They cross the wall one after the other.
type closes struct {
	clock    *eventClock
	routing  *routing
	windows  *windows
	catchUp  *catchUp
	journal  *journal
	account  *counters
	feedback *feedback
	scrub    *scrubber

	list     []closing
	crossing bool           // the first is on its way across the wall
	overdue  bool           // more is due than maxCloses
	summing  sync.WaitGroup // goroutines that sum closed windows up
}

// close closes what is due now, and reports whether anything is.
func (q *closes) close() bool {
	q.overdue = len(q.list) >= maxCloses
	if q.overdue {
		return false
	}
	due := q.due(q.clock.now)
	q.overdue = len(due) >= maxCloses // and there may be more
	q.list = append(q.list, due...)
	return len(due) > 0
}

// through reports whether all that was due has been released.
func (q *closes) through() bool { return len(q.list) == 0 && !q.overdue }

// readings counts what is in closed windows.
func (q *closes) readings() (n int64) {
	for _, c := range q.list {
		n += c.Readings
	}
	return n
}

// unreleased counts the readings of all windows that are not released, open or closed.
func (q *closes) unreleased() int64 { return q.windows.readings() + q.readings() }

// has reports whether a window is closed and not yet released.
func (q *closes) has(id string, start time.Time) bool {
	return slices.ContainsFunc(q.list, func(c closing) bool { return c.Stream == id && c.Start.Equal(start) })
}

// hasEpoch reports whether a window of an epoch is.
func (q *closes) hasEpoch(id string, e *openEpoch) bool {
	return slices.ContainsFunc(q.list, func(c closing) bool {
		return c.Stream == id && !c.Start.Before(e.start) && c.Start.Before(e.end)
	})
}

// uncount takes readings out of the closes that the account has counted already, where they
// are of an earlier time than it: out of those that were closed first.
func (q *closes) uncount(twice int64) {
	for n := range q.list {
		done := min(q.list[n].Readings, twice)
		q.list[n].Readings -= done
		twice -= done
	}
}

// due advances each stream past the windows to be closed now, at most maxCloses.
func (q *closes) due(now time.Time) []closing {
	q.windows.beginStreams(now)
	var out []closing
	ids := make([]string, 0, len(q.windows.streams))
	for id := range q.windows.streams {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s := q.windows.streams[id]
		for len(out) < maxCloses {
			c, ok := q.dueOf(s, now)
			if !ok {
				break
			}
			out = append(out, c)
		}
	}
	return out
}

// dueOf closes the stream's next window if its time has come.
func (q *closes) dueOf(s *stream, now time.Time) (closing, bool) {
	for {
		n, spec := q.routing.specAt(s.id, s.next)
		if spec == nil {
			next := q.routing.nextInForce(s.id, s.next)
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
		if end.Add(lateness).After(now) || !q.catchUp.caughtUp(lateness) {
			return closing{}, false
		}
		s.next = end
		if s.last != nil && s.last.Start.Before(end) {
			s.last = nil
		}
		c := closing{Stream: s.id, Start: start, End: end, Policy: q.routing.versions[n].Digest,
			Gap: q.catchUp.gapIn(start, end, lateness)}
		c.Down = q.windows.wasDown(spec, start, end) || c.Gap == reasonAway && !start.Before(q.catchUp.complete)
		if w := s.windows[start.UnixNano()]; w != nil {
			c.Readings = w.Readings
			c.Down = c.Down && !spec.Unit.None()
		}
		return c, true
	}
}

// detached is a closed window that nobody else has any more, with what it takes to sum it up.
type detached struct {
	closing
	spec    *plan.Stream
	window  *window.Window
	feeders *window.Feeders
	gap     string
	epoch   func() *release.Epoch
}

// batch sums it up. It is for any goroutine.
func (d *detached) batch() release.Batch {
	return release.NewBatch(d.spec, d.Policy, d.Start, d.End, d.window.Sums(d.feeders), d.gap).WithEpoch(d.epoch())
}

// partial sums up what this process has of a window that others have parts of, too. Where another
// one has the heartbeats, it does not say of cells whether they were measured.
func (d *detached) partial(heartbeats bool) release.Partial {
	parts := d.window.Parts(d.feeders)
	for n := range parts {
		parts[n].Alive = parts[n].Alive && heartbeats
	}
	return release.NewPartial(d.spec, d.Policy, d.Start, d.End, parts, d.gap, d.epoch())
}

// detach takes a closed window out of what ingest works on; nil when nothing may leave.
func (q *closes) detach(c closing) *detached {
	n, spec := q.routing.specAt(c.Stream, c.Start)
	if spec == nil {
		return nil
	}
	gap := ""
	s := q.windows.streams[c.Stream]
	var win *window.Window
	if open := s.windows[c.Start.UnixNano()]; open != nil {
		s.applyAlive(open) // it was opened before its time, and the clock has jumped over it
		win = open.Window
		win.Lost = win.Lost || c.Down
		s.drop(c.Start.UnixNano())
	} else {
		win = window.New(spec, q.routing.versions[n].Digest, c.Start, c.End)
		win.Lost = c.Down
		for number := range s.ahead[c.Start.UnixNano()] {
			win.Apply(&window.Entry{Alive: true, Sensor: number})
		}
	}
	delete(s.ahead, c.Start.UnixNano())
	epoch, _ := spec.Epoch(c.Start)
	switch {
	case q.windows.losses.window(c.Stream, c.Start), !spec.Unit.None() && q.windows.losses.epoch(c.Stream, epoch):
		win.Lost, gap = true, reasonKeys
	case c.Gap != "":
		gap = c.Gap
	case c.Down:
		gap = "gateway_down"
	}
	var feeders *window.Feeders
	if !spec.Unit.None() { // what is about nobody lives by its readings
		feeders = q.routing.fedBy(n, c.Start.UnixNano())[spec.ID]
	}
	return &detached{c, spec, win, feeders, gap, q.epochCounts(spec, c)}
}

// epochCounts returns what counts the epoch that ends with a window, if one does: nothing comes
// for it any more. An epoch that is not known, or in which the gateway was never up, has no
// numbers; of one of which a part is missing they are of the rest.
func (q *closes) epochCounts(spec *plan.Stream, c closing) func() *release.Epoch {
	if !spec.CountsEpochs() || !spec.EndsEpoch(c.Start, c.End) {
		return func() *release.Epoch { return nil }
	}
	start, end := spec.Epoch(c.Start)
	known := !q.windows.losses.epoch(c.Stream, start) && !q.windows.wasDown(spec, start, end)
	e := q.windows.streams[c.Stream].epochs[start.UnixNano()]
	return func() *release.Epoch {
		out := &release.Epoch{Known: known}
		if known && e != nil {
			out.Units, out.Bounded = e.Counts()
		}
		return out
	}
}

// shredFirst ends the first closed window.
func (q *closes) shredFirst() {
	q.shred(q.list[0])
	q.list = q.list[1:]
}

// shred shreds a released window and the epochs that ended with it.
func (q *closes) shred(c closing) {
	q.account.Counted += c.Readings
	q.journal.shred(keyName("w", c.Stream, c.Start))
	q.windows.losses.remove(func(name string) bool { return name == keyName("w", c.Stream, c.Start) })
	s := q.windows.streams[c.Stream]
	if s == nil {
		return // of a version that is past: it was released before a start
	}
	s.drop(c.Start.UnixNano())
	// By the clock alone: what sensors are told does not say whether anybody was there.
	if _, spec := q.routing.specAt(c.Stream, c.Start); spec != nil && !spec.Unit.None() &&
		spec.EndsEpoch(c.Start, c.End) {
		q.feedback.dropSeqs()
	}
	for at, e := range s.epochs {
		if e.end.After(c.End) {
			continue
		}
		e.Forget()
		delete(s.epochs, at)
		q.scrub.due = true
		q.journal.shred(e.name)
	}
	q.windows.losses.remove(func(name string) bool {
		return strings.HasPrefix(name, "e-") && strings.HasSuffix(name, "-"+c.Stream) && q.epochEnded(name, c)
	})
}

func (q *closes) epochEnded(name string, c closing) bool {
	_, spec := q.routing.specAt(c.Stream, c.Start)
	if spec == nil {
		return true
	}
	start, end := spec.Epoch(c.Start)
	return name == keyName("e", c.Stream, start) && !end.After(c.End)
}
