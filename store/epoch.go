package store

import (
	"slices"
	"strings"
)

// Of each epoch of a stream about units two numbers are released beside the windows': how
// many different units there were in all of the stream's cells, and how many of them
// reached their bound and were turned away after that. They are rows of the epoch's last
// window, and released with it: their measures are no decision's, and their cell, a zone
// of the stream and a slash, is no cell of its.
const (
	EpochUnits   = "units_epoch"
	EpochBounded = "units_bounded"
)

// ShareHalfWidths is how many half widths of its interval the noisy number of units must
// be, for the share of those that were turned away to be shown. It is known to about ten
// points of a hundred then: its interval is about three half widths over that number wide
// where half of them were, and less elsewhere.
const ShareHalfWidths = 15

// EpochMeasures are the names of both, in order. No decision has measures of these names.
var EpochMeasures = []string{EpochBounded, EpochUnits}

// EpochCell is the cell of an epoch's numbers, for a stream with that zone: a zone is one
// gateway's, and so it is not another gateway's cell.
func EpochCell(zone string) string { return zone + "/" }

// IsEpochCell reports whether a cell is that of an epoch's numbers.
func IsEpochCell(cell string) bool { return strings.HasSuffix(cell, "/") }

// OfEpoch reports whether an observation is one of an epoch's two numbers. Every is the
// length of the epoch then, Start and End those of its last window.
func (o *Observation) OfEpoch() bool {
	return IsEpochCell(o.Cell) && slices.Contains(EpochMeasures, o.Measure)
}

// Which selects the rows of a query.
type Which int

// Windows are the decisions' measures, Epochs the two numbers of each epoch, Both all that
// was released.
const (
	Windows Which = iota
	Epochs
	Both
)
