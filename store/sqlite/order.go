package sqlite

import (
	"cmp"

	"sluice/store"
)

// direction is one of the two in which rows are read: what lies behind a position, within
// the other end of a span, in order.
type direction struct{ behind, end, order string }

var (
	forward  = direction{">", "start < ?", ""}
	backward = direction{"<", "start >= ?", " DESC"}
)

func directionOf(q *store.Query) direction {
	if q.Desc {
		return backward
	}
	return forward
}

// whole asks for the rows of a stream.
func (d direction) whole() string {
	return fields + "WHERE stream = ? AND (start, cell, measure, gateway) " + d.behind + " (?, ?, ?, ?) AND " + d.end
}

// inOrder ends whole.
func (d direction) inOrder() string {
	return " ORDER BY start" + d.order + ", cell" + d.order + ", measure" + d.order + ", gateway" + d.order + " LIMIT ?"
}

// one asks for the rows of one cell and measure, up to the place for further conditions.
func (d direction) one() string {
	return fields + "INDEXED BY released_cell WHERE stream = ? AND cell = ? AND measure = ? AND (start, gateway) " +
		d.behind + " (?, ?) AND " + d.end
}

// oneInOrder ends one.
func (d direction) oneInOrder() string {
	return " ORDER BY start" + d.order + ", gateway" + d.order + " LIMIT ?"
}

// place is where the rows of a query begin, and ends where they end. Nothing comes before
// an empty cell, so that such a place is the start itself.
func place(q *store.Query) (at store.Position, ends int64) {
	at, ends = store.Position{Start: q.From}, q.To.UnixNano()
	if q.Desc {
		at, ends = store.Position{Start: q.To}, q.From.UnixNano()
	}
	if p := q.After; p != nil && (!q.Desc && !p.Start.Before(q.From) || q.Desc && p.Start.Before(q.To)) {
		at = *p
	}
	return at, ends
}

// placeOf is where those of one cell and measure begin.
func placeOf(q *store.Query, x pair) (start int64, gateway string, ends int64) {
	at, ends := place(q)
	start = at.Start.UnixNano()
	order := cmp.Or(cmp.Compare(x.cell, at.Cell), cmp.Compare(x.measure, at.Measure))
	switch {
	case at.Cell == "" && q.Desc: // the end of the span
		return start, "", ends
	case at.Cell == "":
		return start - 1, lastName, ends
	case order == 0: // but for what gateways behind that one have of the window
		return start, at.Gateway, ends
	case order < 0 == q.Desc: // all of the window where the page ended is to come
		if q.Desc {
			return start + 1, "", ends
		}
		return start - 1, lastName, ends
	case q.Desc:
		return start, "", ends
	}
	return start, lastName, ends
}
