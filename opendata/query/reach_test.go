package query

import (
	"testing"
	"time"

	"sluice/books"
)

// TestReach: a window is final when every gateway that measures the stream says so; one
// that has ended or not begun holds nobody back, and what is not known is not said.
func TestReach(t *testing.T) {
	at := func(h int) time.Time {
		if h == 0 {
			return time.Time{}
		}
		return latest.Add(time.Duration(h) * time.Hour)
	}
	cells := func(ids ...string) (out []books.Cell) {
		for _, id := range ids {
			out = append(out, books.Cell{ID: id, Zone: id})
		}
		return out
	}
	a, b, ab := cells("a"), cells("b"), cells("a", "b")
	for name, c := range map[string]struct {
		until          []int
		cells          [][]books.Cell
		whole          bool
		final, through int
	}{
		"both":                        {[]int{3, 3}, [][]books.Cell{a, b}, true, 3, 3},
		"one is behind":               {[]int{3, 1}, [][]books.Cell{a, b}, true, 1, 3},
		"one has not begun":           {[]int{3, 0}, [][]books.Cell{a, b}, true, 3, 3},
		"one has none of it any more": {[]int{3, 1}, [][]books.Cell{ab, nil}, true, 3, 3},
		"one was taken over":          {[]int{3, 1}, [][]books.Cell{ab, b}, true, 3, 3},
		"in part":                     {[]int{3, 1}, [][]books.Cell{a, ab}, true, 1, 3},
		"one has not been read":       {[]int{3, 0}, [][]books.Cell{a, nil}, false, 0, 3},
		"nothing":                     {[]int{0, 0}, [][]books.Cell{a, b}, true, 0, 0},
	} {
		var until []time.Time
		for _, h := range c.until {
			until = append(until, at(h))
		}
		r := reachOf(until, c.cells, c.whole)
		if !r.ClosedUntil.Equal(at(c.final)) || !r.Through.Equal(at(c.through)) {
			t.Errorf("%s: final until %s, through %s", name, r.ClosedUntil, r.Through)
		}
	}
}
