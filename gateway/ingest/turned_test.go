package ingest

import (
	"fmt"
	"testing"
	"time"
)

// TestTurnedAway: a unit is one of those that were turned away from the first reading on
// that found no room, over kills at any moment, whether all owners share its bound or each
// has a part of it; and however often it comes, what the epoch must remember of it does not
// grow.
func TestTurnedAway(t *testing.T) {
	for name, owners := range map[string]map[string]int64{"one bound": nil, "parts": {"o": 2}} {
		t.Run(name, func(t *testing.T) {
			s := footfall(t, 2)
			s.Protect.ByOwner = owners
			if err := s.Finish(); err != nil {
				t.Fatal(err)
			}
			dir, seq := inMemory(t), 0
			i := awake(t, dir, s)
			hear := func(device string, hour int) {
				seq++
				i.clock.now = noon.Add(time.Duration(hour) * time.Hour)
				i.hear(fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":%q,"rssi":-50}}`,
					i.clock.now.Format(time.RFC3339), seq, device))
			}
			counts := func(units, turned int64) {
				t.Helper()
				for again := range 2 {
					start, _ := s.Epoch(noon)
					if a, b := i.windows.streams["footfall"].epochs[start.UnixNano()].Counts(); a != units ||
						b != turned {
						t.Fatalf("start %d: %d units, %d turned away; there were %d, %d", again, a, b, units, turned)
					}
					i.save(t)
					_ = i.journal.log.Close()
					i = awake(t, dir, s)
				}
			}
			hear("often", 0)
			hear("once", 0)
			counts(2, 0)
			hear("often", 0) // again in the same pair: it counts
			hear("often", 1)
			counts(2, 0) // it has reached its bound, and nothing of it is missing
			hear("often", 2)
			counts(2, 1)
			for range 50 {
				hear("often", 2)
				hear("often", 3)
			}
			start, _ := s.Epoch(noon)
			if e := i.windows.streams["footfall"].epochs[start.UnixNano()]; len(e.pending)+len(e.divided) > 0 {
				t.Errorf("of a unit that is turned away again, %d bytes are to be kept", len(e.pending)+len(e.divided))
			}
			hear("once", 3)
			counts(2, 1)
			_ = i.journal.log.Close()
		})
	}
}
