package ingest

import (
	"context"
	"slices"
	"strings"

	"sluice/gateway/crash"
	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/release"
	"sluice/policy/plan"
)

// wall is the only way out: batches cross it, keys of released ones come back.
type wall struct {
	out  chan<- release.Batch
	done <-chan release.Key
}

// round bounds how many windows are closed and not yet released.
const round = 256

// closeDue commits the close of what is due now, and has it released. From that
// commit on nothing is added to a closed window: what comes for it is late.
func (i *Ingest) closeDue(ctx context.Context, w wall) error {
	i.overdue = len(i.state.Closes) >= round
	if !i.overdue {
		closes := i.due(i.state.Now)
		i.overdue = len(closes) >= round // and there may be more
		if len(closes) > 0 {
			i.state.Closes = append(i.state.Closes, closes...)
			i.dirty = true
			if err := i.commit(ctx); err != nil {
				return err
			}
		}
	}
	i.cross(ctx, w)
	return nil
}

// cross sends the first closed window on its way across the wall, unless one is on
// it. A window may have thousands of cells and a million units, so it is summed up
// beside, and readings are taken meanwhile.
func (i *Ingest) cross(ctx context.Context, w wall) {
	for !i.crossing && len(i.state.Closes) > 0 {
		sum := i.part(i.state.Closes[0])
		if sum == nil { // its policy is gone; nothing may leave
			i.forgetFirst()
			continue
		}
		i.crossing = true
		i.beside.Go(func() {
			if err := crash.Guard(func() error {
				select {
				case w.out <- sum():
				case <-ctx.Done():
				}
				return nil
			}); err != nil {
				i.broken(err)
			}
		})
	}
}

// resume goes on with what was closed and not released before a start.
func (i *Ingest) resume(ctx context.Context, w wall) error {
	i.cross(ctx, w)
	return i.barrier(ctx, w)
}

// crossed follows the commit of the release of the window that was on its way.
func (i *Ingest) crossed(ctx context.Context, w wall) error {
	i.crossing = false
	i.forgetFirst()
	if len(i.state.Closes) > 0 {
		i.cross(ctx, w)
		return nil
	}
	if i.overdue {
		return i.closeDue(ctx, w)
	}
	if err := i.commit(ctx); err != nil {
		return err
	}
	if i.epochOver {
		i.letGo()
	}
	return nil
}

// barrier waits, under a simulated clock, until all that was due has been released.
func (i *Ingest) barrier(ctx context.Context, w wall) error {
	for i.cfg.Clock != "" && (len(i.state.Closes) > 0 || i.overdue) {
		i.pulse.beat(releasing)
		select {
		case <-w.done:
			if err := i.crossed(ctx, w); err != nil {
				return err
			}
		case err := <-i.fatal:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// part takes a closed window out of what ingest works on, and returns what sums it
// up; nil when nothing may leave. Nobody else has the window from then on.
func (i *Ingest) part(c closing) func() release.Batch {
	n, spec := i.specAt(c.Stream, c.Start)
	if spec == nil {
		return nil
	}
	gap := ""
	s := i.streams[c.Stream]
	var win *window.Window
	if open := s.windows[c.Start.UnixNano()]; open != nil {
		win = open.Window
		win.Lost = win.Lost || c.Down
		s.drop(c.Start.UnixNano())
	} else {
		win = window.New(spec, i.versions[n].Digest, c.Start, c.End)
		win.Lost = c.Down
		for number := range s.ahead[c.Start.UnixNano()] {
			win.Apply(&window.Entry{Alive: true, Sensor: number})
		}
	}
	delete(s.ahead, c.Start.UnixNano())
	epoch, _ := spec.Epoch(c.Start)
	switch {
	case i.lostWindow(c.Stream, c.Start), !spec.Unit.None() && i.lostEpoch(c.Stream, epoch):
		win.Lost, gap = true, "keys_lost"
	case c.Gap != "":
		gap = c.Gap
	case c.Down:
		gap = "gateway_down"
	}
	var feeders *window.Feeders
	if !spec.Unit.None() { // what is about nobody lives by its readings
		feeders = i.feeders(n, spec.ID)
	}
	ends := i.ending(spec, c)
	return func() release.Batch {
		return release.NewBatch(spec, c.Policy, c.Start, c.End, win.Sums(feeders), gap).WithEpoch(ends())
	}
}

// ending returns what counts the epoch that ends with a window, if one does: nothing comes
// for it any more. An epoch that is not known, or in which the gateway was never up, has no
// numbers; of one of which a part is missing they are of the rest.
func (i *Ingest) ending(spec *plan.Stream, c closing) func() *release.Epoch {
	if !spec.CountsEpochs() || !spec.EndsEpoch(c.Start, c.End) {
		return func() *release.Epoch { return nil }
	}
	start, end := spec.Epoch(c.Start)
	known := !i.lostEpoch(c.Stream, start) && !i.wasDown(spec, start, end)
	e := i.streams[c.Stream].epochs[start.UnixNano()]
	return func() *release.Epoch {
		out := &release.Epoch{Known: known}
		if known && e != nil {
			out.Units, out.Bounded = e.Counts()
		}
		return out
	}
}

// drop forgets an open window, and gives back what it takes of the budget.
func (s *stream) drop(at int64) {
	if w := s.windows[at]; w != nil {
		w.Forget()
		delete(s.windows, at)
	}
}

// forgetFirst forgets the first closed window.
func (i *Ingest) forgetFirst() {
	i.forget(i.state.Closes[0])
	i.state.Closes = i.state.Closes[1:]
	i.dirty = true
}

// forget shreds a released window and the epochs that ended with it.
func (i *Ingest) forget(c closing) {
	i.state.Counted += c.Readings
	i.shred(keyName("w", c.Stream, c.Start))
	i.state.Lost = slices.DeleteFunc(i.state.Lost, func(name string) bool { return name == keyName("w", c.Stream, c.Start) })
	s := i.streams[c.Stream]
	if s == nil {
		return // of a version that is past: it was released before a start
	}
	s.drop(c.Start.UnixNano())
	// By the clock alone: what sensors are told does not say whether anybody was there.
	if _, spec := i.specAt(c.Stream, c.Start); spec != nil && !spec.Unit.None() && spec.EndsEpoch(c.Start, c.End) {
		i.feedback.forget()
	}
	for at, e := range s.epochs {
		if e.end.After(c.End) {
			continue
		}
		e.Forget()
		delete(s.epochs, at)
		i.epochOver = true
		i.shred(e.name)
	}
	i.state.Lost = slices.DeleteFunc(i.state.Lost, func(name string) bool {
		return strings.HasPrefix(name, "e-") && strings.HasSuffix(name, "-"+c.Stream) && i.epochEnded(name, c)
	})
}

func (i *Ingest) epochEnded(name string, c closing) bool {
	_, spec := i.specAt(c.Stream, c.Start)
	if spec == nil {
		return true
	}
	start, end := spec.Epoch(c.Start)
	return name == keyName("e", c.Stream, start) && !end.After(c.End)
}
