package ingest

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestGaps: what was covered stays covered, a fight over the session is one gap, and
// their number is bounded.
func TestGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		var list, all []gap
		for range rapid.IntRange(1, 3*maxGaps).Draw(t, "gaps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 100_000).Draw(t, "after")) * time.Millisecond)
			from := now.Add(-time.Duration(rapid.IntRange(0, 60_000).Draw(t, "long")) * time.Millisecond)
			h := gap{from, now, reasonLost}
			list, all = withGap(list, h), append(all, h)
		}
		if len(list) > maxGaps {
			t.Fatalf("%d gaps", len(list))
		}
		for _, h := range all {
			if !slices.ContainsFunc(list, func(g gap) bool {
				return !g.From.After(h.From) && !g.Until.Before(h.Until)
			}) {
				t.Fatalf("%v is not covered by %v", h, list)
			}
		}
		for n := range list[1:] {
			if list[n+1].From.Before(list[n].Until) {
				t.Fatalf("%v overlap", list)
			}
		}
	})
	var list []gap
	for n := range 1000 {
		list = withGap(list,
			gap{noon.Add(time.Duration(n) * time.Second), noon.Add(time.Duration(n+1) * time.Second), reasonLost})
	}
	if want := []gap{{noon, noon.Add(1000 * time.Second), reasonLost}}; !slices.Equal(list, want) {
		t.Errorf("a fight leaves %v", list)
	}
}
