package ingest

import (
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/ingest/internal/window"
	"sluice/plan"
)

// maxWindows bounds the open windows of a stream: before the first tick of a
// simulated clock nothing else does.
const maxWindows = 4096

// windows are the open windows and epochs of all streams.
type windows struct {
	cfg     *Config
	clock   *eventClock
	routing *routing
	catchUp *catchUp
	journal *journal
	scrub   *scrubber
	losses  losses
	streams map[string]*stream
	marks   window.Budget // of what all open windows remember
	// next is, for every stream that ever was, the start of the first window that is not
	// closed, and durable.
	next map[string]time.Time
}

func newWindows(i *Ingest) windows {
	return windows{
		cfg: &i.cfg, clock: &i.clock, routing: &i.routing, catchUp: &i.catchUp, journal: &i.journal,
		scrub: &i.scrub, streams: make(map[string]*stream), next: make(map[string]time.Time),
	}
}

// add adds the streams that there are none of yet.
func (o *windows) add(specs []*plan.Stream) {
	for _, spec := range specs {
		if o.streams[spec.ID] == nil {
			o.streams[spec.ID] = &stream{
				id: spec.ID, next: o.cfg.Resume[spec.ID],
				windows: make(map[int64]*openWindow), epochs: make(map[int64]*openEpoch),
				ahead: make(map[int64]map[uint64]bool),
			}
		}
	}
}

// oldest is the start of the first window of any stream that is not closed.
func (o *windows) oldest() time.Time {
	var first time.Time
	for _, s := range o.streams {
		if first.IsZero() || s.next.Before(first) {
			first = s.next
		}
	}
	return first
}

// at finds or opens the window of the route's stream that holds t.
func (o *windows) at(p *route, t int64) (*openWindow, fault.Code) {
	if w := p.stream.last; w != nil && w.Stream == p.spec && t >= w.start && t < w.end && p.covers(w.start) {
		return w, fault.None
	}
	start, end := p.spec.Window(time.Unix(0, t))
	if !o.routing.inForce(p.version, start) || !p.spec.InForce(start) || !p.covers(start.UnixNano()) {
		return nil, fault.NoDecision
	}
	if start.Before(p.stream.next) {
		return nil, fault.Late
	}
	if len(p.stream.windows) >= maxWindows {
		return nil, fault.Future
	}
	w, err := o.open(p.stream, p.spec, o.routing.versions[p.version].Digest, start, end)
	if err != nil {
		o.cfg.Log.Error("the system gives no randomness, so a window has no key; its readings are refused", "error",
			err)
		return nil, fault.Gap
	}
	if w.Lost {
		return nil, fault.Gap
	}
	p.stream.last = w
	return w, fault.None
}

// open returns the window, making it and its keys if need be.
func (o *windows) open(s *stream, spec *plan.Stream, digest string, start, end time.Time) (*openWindow, error) {
	if w := s.windows[start.UnixNano()]; w != nil {
		return w, nil
	}
	w := &openWindow{
		Window: window.New(spec, digest, start, end),
		slot:   slot{spec: spec, start: start.UnixNano(), end: end.UnixNano()},
		name:   keyName("w", s.id, start),
	}
	w.counts = w
	key, err := o.journal.keys.Hold(w.name) // commit makes it last
	if err != nil {
		return nil, err
	}
	w.k0, w.k1 = messageKeys(key)
	if !spec.Unit.None() {
		if w.epoch, err = o.epochAt(s, spec, start); err != nil {
			return nil, err
		}
		w.units = w.epoch.Epoch
	}
	w.Lost = o.losses.window(s.id, start) || w.epoch != nil && (w.epoch.lost || o.wasDown(spec, start, end))
	w.Share(&o.marks)
	s.windows[w.start] = w
	if !start.After(o.clock.now) {
		s.applyAlive(w)
	}
	return w, nil
}

func (o *windows) epochAt(s *stream, spec *plan.Stream, t time.Time) (*openEpoch, error) {
	start, end := spec.Epoch(t)
	if e := s.epochs[start.UnixNano()]; e != nil {
		return e, nil
	}
	e := &openEpoch{name: keyName("e", s.id, start), start: start, end: end, brought: make(map[uint64]int)}
	e.lost = o.losses.epoch(s.id, start)
	key, err := o.journal.keys.Hold(e.name)
	if err != nil {
		return nil, err
	}
	own := unitKey(key)
	e.Epoch = pseudonym.NewEpoch(own)
	clear(own)
	s.epochs[start.UnixNano()] = e
	return e, nil
}

// wasDown reports whether the gateway was down for all of a window. About nobody, that
// is said where nothing has come for it. About units it is a gap whatever comes for it
// afterwards, or that would tell of somebody; unless a broker has kept what came, and
// nothing is missing. It holds nothing that was acknowledged before: a reading is at
// most Future ahead, and the clock is durable each minute, more often only when
// readings come. A simulated clock stands still meanwhile.
func (o *windows) wasDown(spec *plan.Stream, start, end time.Time) bool {
	switch {
	case end.After(o.clock.since):
		return false
	case spec.Unit.None():
		return true
	}
	return !o.clock.simulated() && !o.catchUp.resumed && !start.Before(o.clock.until.Add(idleState+o.cfg.Future))
}

// beginStreams gives each stream that has none its first window. In wall time that is done
// before the sources are open.
func (o *windows) beginStreams(now time.Time) {
	for _, s := range o.streams {
		if s.next.IsZero() {
			s.next = o.first(s, now)
		}
	}
}

// first is where a stream begins: its earliest open window, or the window that
// the first tick falls in.
func (o *windows) first(s *stream, now time.Time) time.Time {
	start := now
	if _, spec := o.routing.specAt(s.id, now); spec != nil {
		start, _ = spec.Window(now)
	}
	for _, w := range s.windows {
		if w.Start.Before(start) {
			start = w.Start
		}
	}
	return start
}

// none reports whether no window is open.
func (o *windows) none() bool {
	for _, s := range o.streams {
		if len(s.windows) > 0 {
			return false
		}
	}
	return true
}

// known reports whether it is known where windows lie, so that a policy can be taken: before
// the first tick of a simulated clock nobody knows where those lie that readings have opened.
func (o *windows) known() bool { return !o.clock.now.IsZero() || o.none() }

// freeFrom is the first instant, from now on, after which readings have opened no window.
func (o *windows) freeFrom(now time.Time) time.Time {
	free := now
	for _, s := range o.streams {
		for _, w := range s.windows {
			if !w.Start.Before(now) && w.End.After(free) {
				free = w.End
			}
		}
	}
	return free
}

// silentUntilLater reports whether a stream does not count yet: after a recovery of the
// ledger what comes for it is late.
func (o *windows) silentUntilLater() bool {
	for _, s := range o.streams {
		if s.next.After(o.clock.now) {
			return true
		}
	}
	return false
}

// prune drops windows that the clock says cannot be: those that begin ahead of what a
// reading may be, which an earlier version let in, and, where a stream has not begun,
// those of long ago; about units, all before the one that the first tick falls in, since
// one reading must not begin a window. Their readings are accounted for; what lies ahead
// becomes a gap.
func (o *windows) prune(now time.Time, a *counters) {
	dropped := 0
	for _, s := range o.streams {
		for at, w := range s.windows {
			switch {
			case w.Start.After(now.Add(o.clock.ahead())):
				a.Refused[fault.Future.String()] += w.Readings
				o.losses.add(w.name)
			case s.next.IsZero() &&
				(w.End.Before(now.Add(-reach)) || !w.Stream.Unit.None() && !w.Lost && !w.End.After(now)):
				a.Late += w.Readings
			default:
				continue
			}
			dropped++
			o.journal.shred(w.name)
			s.drop(at)
			s.last = nil
		}
		for at, e := range s.epochs {
			if e.start.After(now.Add(o.clock.ahead())) || s.next.IsZero() && !e.end.After(now) {
				e.Forget()
				o.journal.shred(e.name)
				delete(s.epochs, at)
				o.scrub.due = true
			}
		}
	}
	if dropped > 0 {
		o.cfg.Log.Warn("windows that lie too far from the clock are dropped: some sensor's clock was wrong before "+
			"the gateway knew the time", "windows", dropped)
	}
}

// markLost looks which open windows and epochs are lost.
func (o *windows) markLost() {
	for _, s := range o.streams {
		for _, e := range s.epochs {
			e.lost = o.losses.epoch(s.id, e.start)
		}
		for _, w := range s.windows {
			w.Lost = o.losses.window(s.id, w.Start) || w.epoch != nil && w.epoch.lost
		}
		s.last = nil
	}
}

// resumeAfterLoss says for ever until when an unreadable log may have held anything:
// windows and epochs that began by then, or by the latest time that a reading could
// have, are lost.
func (o *windows) resumeAfterLoss(now time.Time) {
	if !o.losses.unread {
		return
	}
	o.losses.unread, o.losses.until = false, now.Add(o.cfg.Future)
	o.cfg.Log.Warn("windows and epochs that begin by this time and are not released yet are gaps (it is "+
		"windows.future from now, since a reading may be as far ahead of the clock)", "until", o.losses.until)
	o.markLost()
}

// begun counts the windows that have begun and are not closed, by the clock alone: that a
// window has readings tells of somebody.
func (o *windows) begun() (n int) {
	for id, s := range o.streams {
		for t := s.next; !t.IsZero() && !t.After(o.clock.now) && n < maxWindows; n++ {
			_, spec := o.routing.specAt(id, t)
			if spec == nil {
				break
			}
			_, t = spec.Window(t)
		}
	}
	return n
}

// used counts those for which something has come.
func (o *windows) used() (n int) {
	for _, s := range o.streams {
		n += len(s.windows)
	}
	return n
}

// readings counts what is in windows that are not closed.
func (o *windows) readings() (n int64) {
	for _, s := range o.streams {
		for _, w := range s.windows {
			if !w.Start.Before(s.next) {
				n += w.Readings
			}
		}
	}
	return n
}

// unsaved are the records of what the log lacks of open windows and epochs.
func (o *windows) unsaved() (records []checkpoint.Record) {
	for _, s := range o.streams {
		for _, w := range s.windows {
			if len(w.pending) > 0 {
				records = append(records, checkpoint.Record{Kind: checkpoint.Window, Name: w.name, Body: w.pending})
			}
		}
		for _, e := range s.epochs {
			if len(e.pending) > 0 {
				records = append(records, checkpoint.Record{Kind: checkpoint.Epoch, Name: e.name, Body: e.pending})
			}
			if len(e.divided) > 0 {
				records = append(records, checkpoint.Record{Kind: checkpoint.Parts, Name: e.name, Body: e.divided})
			}
		}
	}
	return records
}

// markSaved drops what the log has now.
func (o *windows) markSaved() {
	for _, s := range o.streams {
		for _, w := range s.windows {
			w.pending = w.pending[:0]
		}
		for _, e := range s.epochs {
			e.pending, e.divided = e.pending[:0], e.divided[:0]
		}
	}
}

// saveTo writes what is durable of them into the facts.
func (o *windows) saveTo(f *facts) {
	for _, s := range o.streams {
		if !s.next.IsZero() {
			o.next[s.id] = s.next
		}
	}
	f.Next = o.next
	o.losses.saveTo(f)
}

// recover takes what the log says.
func (o *windows) recover(f *facts) {
	if o.next = f.Next; o.next == nil {
		o.next = make(map[string]time.Time)
	}
	o.losses.recover(f)
}
