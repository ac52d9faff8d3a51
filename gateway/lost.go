package gateway

import (
	"context"
	"maps"
	"slices"
	"time"

	"sluice/books"
)

// sayLost compares all that was ever released with the store. What is missing there and
// is still kept is sent again; the rest is said for good, in the public gaps. It
// returns how many windows that are.
func (g *Gateway) sayLost(ctx context.Context) (windows int, err error) {
	said, err := g.ledger.Lost(ctx)
	if err != nil {
		return 0, err
	}
	through, err := g.ledger.Resume(ctx)
	if err != nil {
		return 0, err
	}
	removed, err := g.ledger.Gone(ctx)
	if err != nil {
		return 0, err
	}
	for _, stream := range slices.Sorted(maps.Keys(through)) {
		var run run
		for from := (time.Time{}); ; {
			if from.IsZero() {
				from = time.Unix(0, 0)
			}
			list, waiting, err := g.ledger.Delivery(ctx, stream, from, comparePage)
			if err != nil {
				return windows, err
			}
			for n, w := range list {
				gone := false
				if !waiting[n] && !covered(said, stream, w.Start) && w.End.After(removed[stream]) {
					if gone, err = g.gone(ctx, stream, w.Start); err != nil {
						return windows, err
					}
				}
				if gone {
					windows++
				}
				if err := run.next(gone, w.Start, w.End, func(from, to time.Time) error { return g.ledger.SayLost(ctx, stream, from, to) }); err != nil {
					return windows, err
				}
			}
			if len(list) < comparePage {
				break
			}
			from = list[len(list)-1].Start.Add(1)
		}
		if err := run.next(false, time.Time{}, time.Time{}, func(from, to time.Time) error { return g.ledger.SayLost(ctx, stream, from, to) }); err != nil {
			return windows, err
		}
	}
	return windows, nil
}

// gone reports whether a window is neither in the store nor kept to be sent again, which
// it is then.
func (g *Gateway) gone(ctx context.Context, stream string, start time.Time) (bool, error) {
	lacks, sent, err := g.missing(ctx, stream, start)
	return lacks && !sent, err
}

func covered(said []books.Gap, stream string, start time.Time) bool {
	return slices.ContainsFunc(said, func(gap books.Gap) bool {
		return gap.Stream == stream && !start.Before(gap.Start) && start.Before(gap.End)
	})
}

// run gathers windows that follow each other, so that one line says them.
type run struct{ from, to time.Time }

func (r *run) next(in bool, start, end time.Time, say func(from, to time.Time) error) error {
	if in && start.Equal(r.to) {
		r.to = end
		return nil
	}
	if !r.from.IsZero() {
		if err := say(r.from, r.to); err != nil {
			return err
		}
		*r = run{}
	}
	if in {
		*r = run{start, end}
	}
	return nil
}
