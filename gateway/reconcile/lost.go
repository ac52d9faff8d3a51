package reconcile

import (
	"context"
	"maps"
	"slices"
	"time"

	"sluice/books"
)

// SayLost compares all that was ever released with the store. What is missing there and
// is still kept is sent again; the rest is said for good, in the public gaps. It
// returns how many windows that are.
func (r *Reconciler) SayLost(ctx context.Context) (windows int, err error) {
	said, err := r.ledger.Journal.Lost(ctx)
	if err != nil {
		return 0, err
	}
	through, err := r.ledger.Journal.Resume(ctx)
	if err != nil {
		return 0, err
	}
	removed, err := r.ledger.Removals.Gone(ctx)
	if err != nil {
		return 0, err
	}
	for _, stream := range slices.Sorted(maps.Keys(through)) {
		var found stretch
		for from := (time.Time{}); ; {
			if from.IsZero() {
				from = time.Unix(0, 0)
			}
			list, waiting, err := r.ledger.Journal.Delivery(ctx, stream, from, comparePage)
			if err != nil {
				return windows, err
			}
			for n, w := range list {
				gone := false
				if !waiting[n] && !covered(said, stream, w.Start) && w.End.After(removed[stream]) {
					if gone, err = r.gone(ctx, stream, w.Start); err != nil {
						return windows, err
					}
				}
				if gone {
					windows++
				}
				if err := found.next(gone, w.Start, w.End,
					func(from, to time.Time) error {
						return r.ledger.Journal.SayLost(ctx, stream, from, to)
					}); err != nil {
					return windows, err
				}
			}
			if len(list) < comparePage {
				break
			}
			from = list[len(list)-1].Start.Add(1)
		}
		if err := found.next(false, time.Time{}, time.Time{},
			func(from, to time.Time) error { return r.ledger.Journal.SayLost(ctx, stream, from, to) }); err != nil {
			return windows, err
		}
	}
	return windows, nil
}

// gone reports whether a window is neither in the store nor kept to be sent again, which
// it is then.
func (r *Reconciler) gone(ctx context.Context, stream string, start time.Time) (bool, error) {
	lacks, sent, err := r.missing(ctx, stream, start)
	return lacks && !sent, err
}

func covered(said []books.Gap, stream string, start time.Time) bool {
	return slices.ContainsFunc(said, func(gap books.Gap) bool {
		return gap.Stream == stream && !start.Before(gap.Start) && start.Before(gap.End)
	})
}

// stretch gathers windows that follow each other, so that one line says them.
type stretch struct{ from, to time.Time }

func (s *stretch) next(in bool, start, end time.Time, say func(from, to time.Time) error) error {
	if in && start.Equal(s.to) {
		s.to = end
		return nil
	}
	if !s.from.IsZero() {
		if err := say(s.from, s.to); err != nil {
			return err
		}
		*s = stretch{}
	}
	if in {
		*s = stretch{start, end}
	}
	return nil
}
