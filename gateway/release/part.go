package release

import (
	"math"
	"slices"

	"sluice/internal/wide"
	"sluice/plan"
)

// Part is what one part of a window's units, or of its sensors where it is about nobody, has
// added to a cell. Parts in which each of them is once add up to what all have added, exactly.
type Part struct {
	// Units, Registered and Alive are those of Sums.
	Units, Registered int64
	Alive             bool
	// Total is each measure's sums; of levels, of energies.
	Total [][]wide.Int
	// Weight is each measure's number of addends.
	Weight []int64
	// Addends are the numbers of addends of each of a level's sums; nil for other measures.
	Addends [][]int64
}

// NewPart makes room for the sums of a cell.
func NewPart(s *plan.Stream) Part {
	n := len(s.Measures)
	out := Part{Total: make([][]wide.Int, n), Weight: make([]int64, n), Addends: make([][]int64, n)}
	for i := range s.Measures {
		m := &s.Measures[i]
		out.Total[i] = make([]wide.Int, m.Slots())
		if m.Of.Level() {
			out.Addends[i] = make([]int64, m.Slots())
		}
	}
	return out
}

// Add adds another part of the same cell.
func (p *Part) Add(q Part) {
	p.Units += q.Units
	p.Registered = max(p.Registered, q.Registered) // each knows the whole register
	p.Alive = p.Alive || q.Alive
	for i := range p.Total {
		for slot := range p.Total[i] {
			p.Total[i][slot].AddInt(q.Total[i][slot])
		}
		p.Weight[i] += q.Weight[i]
		for slot := range p.Addends[i] {
			p.Addends[i][slot] += q.Addends[i][slot]
		}
	}
}

// Sums are what has been added up.
func (p Part) Sums() Sums {
	out := Sums{
		Units: p.Units, Registered: p.Registered, Alive: p.Alive, Weight: slices.Clone(p.Weight),
		Total: make([][]int64, len(p.Total)),
	}
	for i, sums := range p.Total {
		out.Total[i] = make([]int64, len(sums))
		for slot, sum := range sums {
			if n := p.Addends[i]; n != nil {
				out.Total[i][slot] = sum.Over(n[slot])
				// A level that is made of several is there only where each of them is.
				out.Weight[i] = slices.Min(n)
				continue
			}
			out.Total[i][slot] = sum.Clamped(math.MinInt64, math.MaxInt64)
		}
	}
	return out
}
