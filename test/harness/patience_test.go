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

// TestStoodStill: what may take a second may take as much longer as the machine stood still in it, and
// not what it stood still before.
func TestStoodStill(t *testing.T) {
	now := time.Now()
	s := stills{list: []still{{now.Add(-40 * time.Second), 9 * time.Second},
		{now.Add(-17 * time.Second), 4 * time.Second}, {now.Add(-500 * time.Millisecond), 16 * time.Second}}}
	for d, want := range map[time.Duration]time.Duration{
		time.Second: 20 * time.Second, 100 * time.Millisecond: 0, 20 * time.Second: 29 * time.Second,
	} {
		if got := s.within(d, now); got != want {
			t.Errorf("in %s it stood still for %s; want %s", d, got, want)
		}
	}
}
