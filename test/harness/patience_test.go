package harness

import (
	"testing"
	"time"
)

// TestWanted: a quiet machine gives nobody more time, a busy one as much as it takes away.
func TestWanted(t *testing.T) {
	for load, want := range map[string]float64{
		"0.20 0.30 0.40 1/300 4000\n":  1,
		"8.00 0.30 0.40 1/300 4000\n":  4,
		"1.00 9.00 9.00 10/300 4000\n": 5,
		"":                             1,
	} {
		if got := wanted(load, 2); got != want {
			t.Errorf("with %q on two cores, it is %v times as long; want %v", load, got, want)
		}
	}
	if Longer(time.Second) < time.Second {
		t.Error("a busy machine is faster than a quiet one")
	}
}
