package simulate

import (
	"math"
	"slices"

	"sluice/plan"
)

// published is one published number: a measure, or a class of a histogram.
type published struct {
	plan.Measure
	part plan.Part
}

// numbers lists everything that a stream publishes.
func (m *model) numbers() []published {
	var out []published
	for _, x := range m.s.Measures {
		for _, part := range x.Parts() {
			out = append(out, published{x, part})
		}
	}
	return out
}

// of computes a number from one value for each contribution.
func (x published) of(values []float64) (float64, bool) {
	if x.Of == plan.Histogram {
		n := 0
		for _, v := range values {
			if part := x.Parts()[x.Slot(int64(math.Round(v*plan.Fixed)))]; part == x.part {
				n++
			}
		}
		return float64(n), true
	}
	if len(values) == 0 {
		return 0, false
	}
	if x.Of == plan.Quantile {
		values = slices.Sorted(slices.Values(values)) // others may be reading them
		return values[max(0, int(math.Ceil(x.Q*float64(len(values))-1e-9))-1)], true
	}
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total / float64(len(values)), true
}
