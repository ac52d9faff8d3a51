package ingest

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// reasonSilent is the reason of a gap that a front is the cause of: it said nothing for longer than
// windows wait.
const reasonSilent = "front_away"

// reasonPutBack is that of one for which readings have been lost on their way through the servers.
const reasonPutBack = "partition_away"

// mostAhead is how far ahead of the gateway's clock a reading of a short window is looked for at least.
const mostAhead = 10 * time.Minute

// ripe is a stream of which a window can be closed, and how far all fronts are with it.
type ripe struct {
	*stream
	through int64
}

// close closes the windows that all fronts have turned from, and hands over what is in them. Before that it makes sure
// that nobody has written a state since it has read its own: who has may have dropped batches that were not read here,
// and the first part of a window that is said is the one that counts.
func (o *Owner) close(ctx context.Context) error {
	if list := ripeOf(o); len(list) > 0 {
		if err := o.state.fence(ctx, o.epoch); err != nil {
			return err
		}
		for _, s := range list {
			if err := s.hand(ctx, o); err != nil {
				return err
			}
		}
	}
	if o.inner.scrub.due {
		o.inner.scrub.ask()
	}
	return nil
}

// ripeOf are the streams of which a window can be closed. Those that have none yet get their first.
func ripeOf(o *Owner) (list []ripe) {
	for id, s := range o.inner.windows.streams {
		through, ok := o.lives.through(id)
		if !ok {
			continue
		}
		o.begin(s, through)
		next := s.next
		if _, due := o.due(s, through); due {
			list = append(list, ripe{s, through})
			s.next = next
		}
	}
	slices.SortFunc(list, func(a, b ripe) int { return cmp.Compare(a.id, b.id) })
	return list
}

// hand closes the windows of a stream and hands them over.
func (s ripe) hand(ctx context.Context, o *Owner) error {
	q := &o.inner.closes
	for c, due := o.due(s.stream, s.through); due; c, due = o.due(s.stream, s.through) {
		delete(o.gaps, keyName("w", s.id, c.Start))
		if closed := q.detach(c); closed != nil {
			sums, epoch := closed.partial(o.cfg.Partition == 0), dayOf(closed.spec, c.Start)
			if c.Readings == 0 && o.state.seals.never(ctx, epoch) {
				epoch = o.epoch // all windows are said, and that nobody was heard is no secret of that day
			}
			if err := o.cfg.Parts.Put(ctx, epoch, o.cfg.Partition, sums); err != nil {
				return err
			}
		}
		q.shred(c)
		o.show(c.End)
	}
	return nil
}

// begin gives a stream its first window: the one that the fronts begin with. What lies before it
// counts nowhere.
func (o *Owner) begin(s *stream, first int64) {
	if !s.next.IsZero() {
		return
	}
	s.next = time.Unix(0, first).UTC()
	for at, w := range s.windows {
		if at < first {
			o.inner.account.Late += w.Readings
			s.drop(at)
		}
	}
}

// due is a stream's next window if all have turned from it; closes.dueOf by others' clocks.
func (o *Owner) due(s *stream, through int64) (c closing, due bool) {
	r := &o.inner.routing
	for {
		n, spec := r.specAt(s.id, s.next)
		if spec == nil {
			next := r.nextInForce(s.id, s.next)
			if next.IsZero() || next.UnixNano() > through {
				return c, false
			}
			s.next = next
			continue
		}
		start, end := spec.Window(s.next)
		if start.Before(s.next) {
			s.next = end // a window that began under another version
			continue
		}
		if end.UnixNano() > through {
			return c, false
		}
		s.next = end
		name := keyName("w", s.id, start)
		c = closing{Stream: s.id, Start: start, End: end, Policy: r.versions[n].Digest, Gap: o.gaps[name]}
		switch day := dayOf(spec, start); {
		case o.torn[day]:
			c.Gap = reasonPutBack
		case o.lostDays[day]:
			c.Gap = reasonKeys
		}
		if w := s.windows[start.UnixNano()]; w != nil {
			c.Readings = w.Readings
		}
		return c, true
	}
}

// windows are the names of the windows that a front may have handed readings over for on its way: those that it had
// not turned from, up to those that readings can have been for when it turned to where it led.
func (w way) windows(i *Ingest) (names []string) {
	s := i.windows.streams[w.stream]
	if s == nil {
		return nil
	}
	t, to := w.from, w.to
	if !s.next.IsZero() {
		t = max(t, s.next.UnixNano())
	}
	for {
		_, spec := i.routing.specAt(w.stream, time.Unix(0, t))
		if spec == nil {
			return names
		}
		start, end := spec.Window(time.Unix(0, t))
		if len(names) == 0 {
			to = max(to, end.UnixNano()) // it turned from the first at the earliest
		}
		if start.UnixNano() >= to+int64(spec.Lateness.Nominal()+mostAhead) {
			return names
		}
		names = append(names, keyName("w", w.stream, start))
		t = end.UnixNano()
	}
}

// silent marks the windows that a front, which nobody waits for any more, had not turned from while
// all others had.
func (o *Owner) silent(of places) {
	for id, from := range of {
		through, ok := o.lives.through(id)
		s := o.inner.windows.streams[id]
		if !ok || s == nil {
			continue
		}
		for t := max(from, s.next.UnixNano()); t < through; {
			_, spec := o.inner.routing.specAt(id, time.Unix(0, t))
			if spec == nil {
				break
			}
			start, end := spec.Window(time.Unix(0, t))
			if end.UnixNano() > through {
				break
			}
			if name := keyName("w", id, start); o.gaps[name] == "" {
				o.gaps[name] = reasonSilent
			}
			t = end.UnixNano()
		}
	}
}
