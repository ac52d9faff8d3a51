package plan

import (
	"math"
	"strconv"
)

// Classes of equal width from which quantiles are taken: few where each of them
// carries noise, many where none does.
const (
	noisyClasses = 32
	exactClasses = 1024
)

// MaxEdges is how many edges a histogram can have.
const MaxEdges = 65

// Plain writes a number without exponent, in as few digits as it needs.
func Plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// Part is one published number of a measure: the measure itself, or one class of
// a histogram.
type Part struct {
	// Name is the measure's, with _LOW_HIGH behind it for a class.
	Name string
	// Low and High are a class's edges. The first class takes what is below it, too,
	// and the last what is at or above its end.
	Low, High float64
}

// Parts are the published numbers of a measure, in order.
//
// Example: {name: speeds, of: histogram(speed), edges: [0, 30, 50]} publishes
// speeds_0_30 and speeds_30_50.
func (m Measure) Parts() []Part {
	if m.Of != Histogram {
		return []Part{{Name: m.Name}}
	}
	list := make([]Part, len(m.Edges)-1)
	for i := range list {
		low, high := m.Edges[i], m.Edges[i+1]
		list[i] = Part{m.Name + "_" + Plain(low) + "_" + Plain(high), low, high}
	}
	return list
}

// Slots is how many sums a measure needs per cell.
func (m Measure) Slots() int {
	if m.Of == Lden {
		return int(partsOfDay)
	}
	return max(1, len(m.edges)-1)
}

// Edge is the lower edge of the slot, in millionths; the one after the last is
// the upper edge of them all.
func (m Measure) Edge(slot int) int64 { return m.edges[slot] }

// Slot is the class that holds v, in millionths; 0 for measures of one number.
func (m *Measure) Slot(v int64) int {
	low, high := 0, len(m.edges)-1
	for low+1 < high {
		if middle := (low + high) / 2; v < m.edges[middle] {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

// classify lays out the classes of a measure.
func (m *Measure) classify(about bool) {
	m.edges = nil
	switch m.Of {
	case Histogram:
		for _, e := range m.Edges {
			m.edges = append(m.edges, int64(math.Round(e*Fixed)))
		}
	case Quantile:
		n := int64(exactClasses)
		if about {
			n = noisyClasses
		}
		low, high := m.Bounds()
		for i := range n + 1 {
			m.edges = append(m.edges, low+(high-low)*i/n)
		}
	}
}
