package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/gateway/cluster/rollcall"
)

// quiet is how long a front may say nothing before that is said: it speaks ten times a second.
const quiet = 3 * time.Second

// say adds what a machine of a cluster says of itself when the roll is called.
func (m *member) say(s *rollcall.Said) {
	wrong := m.wrong()
	for _, part := range slices.Sorted(maps.Keys(wrong)) {
		s.Problems = append(s.Problems, rollcall.Problem{Part: part, Since: wrong[part].Since, Hint: wrong[part].Hint})
	}
	s.Waits = m.waits()
}

// fronts are those that windows of the partitions here wait for.
func (m *member) fronts(now time.Time) (list []rollcall.Wait) {
	for _, f := range m.edge.Fronts() {
		w := rollcall.Wait{For: "front " + f.Name}
		switch {
		case f.Name == "":
			continue // it has just begun
		case now.Sub(f.Heard) > quiet:
			w.Since, w.Why = f.Heard.UTC(), fmt.Sprintf("it says nothing; windows that it may have something of are "+
				"gaps after %s. Start it again, or see its log", m.silence())
		case !f.Behind.IsZero() && now.Sub(f.Behind) > quiet:
			w.Since, w.Why = f.Behind.UTC(), "its clock is behind that of others, or it has not all keys: see its "+
				"clock, and its /readyz"
		default:
			continue
		}
		list = append(list, w)
	}
	return list
}

// notes are what is to be said of a machine among others although its parts work.
func (m *member) notes() []string {
	list := m.Notes()
	for _, w := range m.waits() {
		list = append(list, fmt.Sprintf("windows wait for %s since %s: %s", w.For, w.Since.Format(time.RFC3339), w.Why))
	}
	return list
}

// waits are what windows wait for, as this machine sees it: fronts as a worker does, partitions as who releases does.
func (m *member) waits() []rollcall.Wait {
	return slices.Concat(m.fronts(time.Now()), m.Machine.Waiting(quiet))
}

// released is up to when all that was due has been released, at an instant: that instant where nothing is owed, else
// the end of the last window of the stream that owes most. It is zero before anything is released, and never goes back.
func (m *member) released(now time.Time) time.Time {
	if through := m.owed(now); through.UnixNano() > m.told.Load() {
		m.told.Store(through.UnixNano())
	}
	if at := m.told.Load(); at > 0 {
		return time.Unix(0, at).UTC()
	}
	return time.Time{}
}

func (m *member) owed(now time.Time) (through time.Time) {
	set := m.policies.View().Current
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	resume, err := m.ledger.Journal.Resume(ctx)
	if set == nil || err != nil {
		return time.Time{}
	}
	for _, s := range set.Streams {
		end, known := resume[s.ID]
		if !known {
			continue // it has released nothing yet, and since when it could is not known
		}
		if _, next := s.Window(end); next.Add(s.Lateness.Nominal()).After(now) || !s.InForce(end) {
			end = now
		}
		if through.IsZero() || end.Before(through) {
			through = end
		}
	}
	return through
}
