package forward

import (
	"context"
	"errors"
	"slices"

	"sluice/store"
)

// mostAsked bounds how often the store is asked to find out what it refuses of one load.
// Beyond it, groups of rows are set aside of which some might have been taken.
const mostAsked = 256

// search looks for what the store refuses of a load.
type search struct {
	left    int // times that it may still be asked
	good    *store.Observation
	refused [][]store.Observation
	why     error
}

// narrow halves a load that the store refuses until only that is left which it refuses by
// itself, sets that aside and has delivered the rest. A store that takes nothing at all,
// not even what it took before, is not well: then all of it waits, as for one that is away.
func (f *Forwarder) narrow(ctx context.Context, rows []store.Observation, last int64, why error) error {
	s := &search{left: mostAsked}
	if err := f.halve(ctx, rows, s); err != nil {
		return err
	}
	if s.good == nil {
		if f.good == nil || f.writer.Write(ctx, []store.Observation{*f.good}) != nil {
			return why
		}
		s.good = f.good
	}
	// It takes others now: what it refuses still is refused for good.
	var refused [][]store.Observation
	n := 0
	for _, group := range s.refused {
		err := f.writer.Write(ctx, group)
		if err == nil {
			// It was refused in passing, and now stands behind what follows it in the load, as
			// a number behind its withdrawal. All of it is written again, in its order.
			return why
		}
		if !errors.Is(err, store.ErrRefused) {
			return err
		}
		s.why, n = err, n+len(group)
		refused = append(refused, byWindow(group)...)
	}
	if len(refused) == 0 {
		f.good = s.good
		return f.outbox.Delivered(ctx, last) // all was taken by halves
	}
	if err := f.outbox.SetAside(ctx, last, refused, s.why.Error()); err != nil {
		return err
	}
	f.good = s.good
	f.log.Error("the store refuses released numbers for good; they are set aside and the others go on. Look why, "+
		"and send them again with sluice ledger aside --send",
		"numbers", n, "windows", len(refused), "error", s.why)
	return nil
}

// halve writes rows, by halves where the store refuses them together.
func (f *Forwarder) halve(ctx context.Context, rows []store.Observation, s *search) error {
	for half := range slices.Chunk(rows, (len(rows)+1)/2) {
		s.left--
		err := f.writer.Write(ctx, half)
		switch {
		case err == nil:
			s.good = &half[0]
		case !errors.Is(err, store.ErrRefused):
			return err
		case len(half) == 1 || s.left <= 0:
			s.refused, s.why = append(s.refused, half), err
		default:
			if err := f.halve(ctx, half, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// byWindow parts rows, which follow each other, by the window that they are of.
func byWindow(rows []store.Observation) (out [][]store.Observation) {
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(o store.Observation) bool {
			return o.Stream != rows[0].Stream || !o.Start.Equal(rows[0].Start)
		})
		if n < 0 {
			n = len(rows)
		}
		out, rows = append(out, rows[:n]), rows[n:]
	}
	return out
}
