package query

import (
	"context"
	"slices"
	"time"

	"sluice/books"
)

// reach is how far a stream has come.
type reach struct {
	// ClosedUntil is the instant up to which every gateway of the stream has released:
	// every window that ends at or before it is final. Zero if there is none, or if some
	// gateway's books have not been read yet.
	ClosedUntil time.Time
	// Through is the end of the last window that any gateway has released.
	Through time.Time
	// shares are the gateways' shares; nil if there is one gateway.
	shares []share
}

// share is one gateway's part of a stream.
type share struct {
	cells []books.Cell
	until time.Time
}

// At is a series with one gateway that is final until an instant.
func At(b books.Stream, until time.Time) Stream {
	return Stream{Stream: b, reach: reach{until, until, nil}}
}

// each is a store that knows how far each gateway has come, and cells books that know which
// cells are whose, in the same order. Whole is false where some have not been read yet.
type (
	each interface {
		ClosedEach(ctx context.Context, stream string) ([]time.Time, error)
	}
	cells interface {
		Cells(stream string) (list [][]books.Cell, whole bool)
	}
)

// reach asks how far a stream has come.
func (s *Source) reach(ctx context.Context, stream string) (reach, error) {
	far, several := s.Store.(each)
	of, known := s.Books.Source.(cells)
	if !several || !known {
		until, err := s.Store.ClosedUntil(ctx, stream)
		return reach{until, until, nil}, err
	}
	list, err := far.ClosedEach(ctx, stream)
	if err != nil {
		return reach{}, err
	}
	have, whole := of.Cells(stream)
	return reachOf(list, have, whole), nil
}

// reachOf is how far a series has come whose gateways have come so far. One that has said
// nothing yet has not begun; one all of whose cells others have taken over has ended.
func reachOf(until []time.Time, cells [][]books.Cell, whole bool) (r reach) {
	for n, at := range until {
		if at.After(r.Through) {
			r.Through = at
		}
		if !at.IsZero() && len(cells[n]) > 0 && !takenOver(n, until, cells) {
			r.shares = append(r.shares, share{cells[n], at})
		}
	}
	for _, x := range r.shares {
		if whole && (r.ClosedUntil.IsZero() || x.until.Before(r.ClosedUntil)) {
			r.ClosedUntil = x.until
		}
	}
	return r
}

// takenOver reports whether gateways that have come further have all cells of gateway n.
func takenOver(n int, until []time.Time, cells [][]books.Cell) bool {
	return !slices.ContainsFunc(cells[n], func(c books.Cell) bool {
		for m, at := range until {
			if m != n && at.After(until[n]) && slices.Contains(cells[m], c) {
				return false
			}
		}
		return true
	})
}

// zonesWith returns the zones of the gateway that has a zone; nil if there is one gateway.
func (r *reach) zonesWith(zone string) (zones []string) {
	for _, x := range r.shares {
		if !slices.ContainsFunc(x.cells, func(c books.Cell) bool { return c.Zone == zone }) {
			continue
		}
		for _, c := range x.cells {
			if !slices.Contains(zones, c.Zone) {
				zones = append(zones, c.Zone)
			}
		}
		return zones
	}
	return nil
}
