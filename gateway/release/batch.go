// Package release is disclosure control: the only package that can make a
// Release. It takes a Batch, the exact and still secret aggregates of one
// stream's closed window, and answers for every cell of the stream's closed
// list with a value, "withheld" or "no data".
//
// The guarantee, per unit and epoch: worlds that differ in everything one unit
// did in one epoch give the same releases up to a factor exp(epsilon), except
// with probability delta. Ingest bounds the (cell, window) pairs to which one
// unit counts in an epoch to max_contributions = C and what it adds to one pair
// per measure. Noise is discrete Laplace for the L1 sensitivity over the whole
// epoch, or Gaussian for the L2 sensitivity, whichever serves residents; a cell is
// published when it has at least min_units units and its noisy number of units
// reaches a threshold, which is where delta is spent. Which noise and which threshold is
// computed in policy/mechanism; here it is drawn.
//
// Example: epsilon 1, delta 1e-6, C 2, min_units 10, one measure distinct(unit). Of
// epsilon a twenty-fifth is for two numbers of the whole epoch, each with noise of scale
// 50; with Laplace noise of scale 2 * 25/24 = 2.08 a window is published from fewer units
// than with Gaussian noise. It is when it has at least 10 units and its noisy count is at
// least 40; the interval is plus or minus 6; from 48 units on, 99 of 100 windows are
// published.
package release

import (
	"time"

	"sluice/plan"
)

// Batch holds the exact aggregates of all cells of one stream's closed window.
// Only this package can read them back.
type Batch struct {
	stream     *plan.Stream
	policy     string
	start, end time.Time
	cells      []Sums
	gap        string
	epoch      *Epoch // that ends with the window; nil for none
}

// Epoch is what is counted of a whole epoch, over all cells and windows: one number each,
// in which one unit, whatever it did, is 1 at most.
type Epoch struct {
	// Known says that the epoch was measured, and that nothing of its bounds is lost.
	Known bool
	// Units is the number of different units, Bounded of those among them that reached their
	// bound and were turned away at least once after that.
	Units, Bounded int64
}

// Sums is what ingest hands over for one cell.
type Sums struct {
	// Units is the number of different units; 0 for streams about nobody.
	Units int64
	// Registered is how many sensors the register has for the cell as the window begins; it
	// decides publication where it is public who takes part.
	Registered int64
	// Alive says that the cell was being measured: a reading came, or its
	// sensors were known to be alive, or nothing is known of them.
	Alive bool
	// Total is each measure's sums: readings for count, millionths for sum and mean
	// (means about units: of the distance from the middle of between), the mean energy for
	// levels (plan.Measure.Energy), and one number for each class of a histogram or quantile.
	Total [][]int64
	// Weight is each measure's number of addends.
	Weight []int64
}

// NewSums makes room for the sums of a cell.
func NewSums(s *plan.Stream) Sums {
	out := Sums{Total: make([][]int64, len(s.Measures)), Weight: make([]int64, len(s.Measures))}
	for i := range s.Measures {
		out.Total[i] = make([]int64, s.Measures[i].Slots())
	}
	return out
}

// NewBatch takes the aggregates of one window, one Sums per cell in the order
// of stream.Cells. The policy is the digest of the version in force. A gap is
// the public reason why the window has no data although it could; empty for none.
func NewBatch(stream *plan.Stream, policy string, start, end time.Time, cells []Sums, gap string) Batch {
	if len(cells) != len(stream.Cells) {
		panic("release: a batch needs exactly the stream's cells")
	}
	return Batch{stream: stream, policy: policy, start: start, end: end, cells: cells, gap: gap}
}

// WithEpoch is the batch of a window with which an epoch ends; nil for none.
func (b Batch) WithEpoch(e *Epoch) Batch {
	b.epoch = e
	return b
}

// Key is what a batch is committed under, once for ever.
type Key struct {
	Stream string
	Start  time.Time
}

// Key names the batch's stream and window.
func (b Batch) Key() Key { return Key{b.stream.ID, b.start} }

// Policy is the digest of the policy version that the window runs under.
func (b Batch) Policy() string { return b.policy }

// End is the instant at which the window ends.
func (b Batch) End() time.Time { return b.end }
