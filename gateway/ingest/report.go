package ingest

import (
	"encoding/json"
	"maps"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/internal/civil"
)

// Report is what may be known of ingest: instants, counts, closed codes and ids
// of registered sensors. Nothing in it comes from a message.
type Report struct {
	// Now is the gateway's clock; zero before its first tick. Every window that
	// was due at Through has been released.
	Now, Through time.Time
	// Received = Counted + Duplicate + Late + Refused + Open readings.
	Received, Counted, Duplicate, Late, Open int64
	Refused                                  map[string]int64
	// Windows are those that have begun and are not closed, whether or not a reading has
	// come for them; in a simulation only those for which something has.
	Windows int
	// Commits counts group commits since the start, CommitTime what they took.
	Commits    uint64
	CommitTime time.Duration
	// Lives says of the sensors whether they live; the same value as before when
	// nothing has changed.
	Lives *Lives
	// Problem is why intake stands still, or what else is wrong with disk and keys; empty
	// for nothing.
	Problem string
}

// Report returns the latest report.
func (i *Ingest) Report() Report {
	r := *i.report.Load()
	if why := i.failing.Last(); why != "" {
		r.Problem = why
	} else if i.lingers.Load() {
		r.Problem = lingering
	}
	return r
}

// publishReport shows the account as it is now; lives judges liveness anew too.
func (i *Ingest) publishReport(lives bool) {
	s := &i.state
	a, commits, commitTime := s.account, i.commits, i.commitTime
	a.Open = i.openReadings()
	if !i.cfg.Exact {
		// When and how many readings came tells of people; an hour blurs it.
		a, commits, commitTime = s.Shown, i.shownCommits, i.shownTime
	}
	r := &Report{
		Now: s.Now, Received: a.Received, Counted: a.Counted, Duplicate: a.Duplicate, Late: a.Late,
		Refused: maps.Clone(a.Refused), Open: a.Open, Commits: commits, CommitTime: commitTime,
	}
	old := i.report.Load()
	if len(s.Closes) == 0 && !i.overdue {
		r.Through = s.Now
	} else if old != nil {
		r.Through = old.Through
	}
	if old != nil {
		r.Lives, r.Windows = old.Lives, old.Windows
	}
	if lives {
		r.Lives, r.Windows = i.judge(r.Lives), i.openWindows()
	}
	if i.cfg.Exact {
		r.Windows = i.usedWindows()
	}
	i.report.Store(r)
}

// openWindows counts by the clock alone: that a window has readings tells of somebody.
func (i *Ingest) openWindows() (n int) {
	for id, s := range i.streams {
		for t := s.next; !t.IsZero() && !t.After(i.state.Now) && n < maxWindows; n++ {
			_, spec := i.specAt(id, t)
			if spec == nil {
				break
			}
			_, t = spec.Window(t)
		}
	}
	return n
}

func (i *Ingest) usedWindows() (n int) {
	for _, s := range i.streams {
		n += len(s.windows)
	}
	return n
}

// show lets the account be seen as it is now.
func (i *Ingest) show() {
	i.compare()
	i.state.Shown = i.state.account
	i.state.Shown.Refused = maps.Clone(i.state.Refused)
	i.state.Shown.Open = i.openReadings()
	i.shownCommits, i.shownTime = i.commits, i.commitTime
	i.dirty = true
}

// maxBeat is how many bytes a heartbeat may have.
const maxBeat = 1024

// readBeat reads {"ts": T, "every": "PT60S", "seq": n}, or tells the sensor what of it
// cannot be read.
func (i *Ingest) readBeat(payload []byte) (ts *time.Time, every time.Duration, ok bool) {
	var hb struct {
		TS    json.RawMessage `json:"ts"`
		Every json.RawMessage `json:"every"`
		Seq   json.RawMessage `json:"seq"`
	}
	if len(payload) > maxBeat || json.Unmarshal(payload, &hb) != nil {
		i.feedback.add(i.at, fault.New(fault.NotBeat), nil)
		return nil, 0, false
	}
	var period civil.Period
	var seq *uint64
	ok = true
	for _, part := range []struct {
		raw  json.RawMessage
		into any
		or   fault.Fault
	}{
		{hb.TS, &ts, fault.AtKey(fault.BadTime, fault.KeyTime)},
		{hb.Every, &period, fault.AtKey(fault.WrongType, fault.KeyEvery)},
		{hb.Seq, &seq, fault.AtKey(fault.WrongType, fault.KeySeq)},
	} {
		if part.raw != nil && json.Unmarshal(part.raw, part.into) != nil {
			i.feedback.add(i.at, part.or, nil)
			ok = false
		}
	}
	if every = min(period.Nominal(), time.Hour); every <= 0 {
		every = time.Minute
	}
	return ts, every, ok
}

// heartbeat notes that the sensor lives from ts for three times every.
func (i *Ingest) heartbeat(payload []byte) {
	ts, every, ok := i.readBeat(payload)
	if !ok {
		return
	}
	at := time.Unix(0, i.clock(i.message.Received)).UTC()
	if ts == nil && i.message.Retained {
		return // nobody knows when it was
	}
	if ts != nil {
		if i.knowsTime() && ts.After(at.Add(i.cfg.Future)) {
			i.feedback.add(i.at, fault.New(fault.Future), nil)
			return
		}
		at = ts.UTC()
	}
	i.noteHeard(i.at.number)
	i.at.pulse.Store(true)
	until := at.Add(3 * every)
	i.at.silentAfter = max(i.at.silentAfter, until.UnixNano())
	for n := range i.at.routes {
		i.markAlive(&i.at.routes[n], at, until)
	}
}

// markAlive notes the sensor in every window of the stream from at to until.
func (i *Ingest) markAlive(p *route, at, until time.Time) {
	if p.spec.Unit.None() {
		return // what is about nobody lives by its readings
	}
	w, code := i.windowAt(p, at.UnixNano())
	if code == fault.None {
		w.markAlive(i.at.number)
	}
	// What lies ahead is only noted: no heartbeat opens a window before its time.
	for _, t := p.spec.Window(at); !t.After(until); _, t = p.spec.Window(t) {
		start := t.UnixNano()
		if t.Before(p.stream.next) {
			continue // it is closed, and perhaps being summed up
		}
		if next := p.stream.windows[start]; next != nil && !t.After(i.state.Now) {
			next.markAlive(i.at.number)
			continue
		}
		if p.stream.ahead[start] == nil {
			p.stream.ahead[start] = make(map[uint64]bool)
		}
		p.stream.ahead[start][i.at.number] = true
	}
}

// wakeWindows opens the windows that begin now and that somebody is known to live in, so
// that what is known does not depend on a reading that opens them.
func (i *Ingest) wakeWindows(now time.Time) {
	for id, s := range i.streams {
		for at := range s.ahead {
			start := time.Unix(0, at).UTC()
			if start.After(now) || start.Before(s.next) {
				continue
			}
			n, spec := i.specAt(id, start)
			if spec == nil {
				continue
			}
			begins, end := spec.Window(start)
			if !begins.Equal(start) || !now.Before(end) {
				continue // of an earlier version's grid, or to be closed without being opened
			}
			if w, err := i.open(s, spec, i.versions[n].Digest, begins, end); err == nil {
				s.wakeUp(w)
				i.dirty = true
			}
		}
	}
}
