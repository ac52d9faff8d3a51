package ingest

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/civil"
	"sluice/plan"
)

// TestAStateOfAnEarlierVersion kept a commit that was not finished, and says that it is needed still. It is whole, and
// the commit stays until a state says that it is not needed.
func TestAStateOfAnEarlierVersion(t *testing.T) {
	want := four(t)
	front, logs := half(t)
	defer front.end()
	begun := logs.state[0][0].Seq
	o := logs.owner(front, 0, memoryKeys{})
	until := make(map[string]time.Time)
	for id := range o.inner.windows.streams {
		until[id] = noon.AddDate(1, 0, 0)
	}
	o.state.kept = []keptCommit{{begun, until}}
	if err := o.save(t.Context()); err != nil { // facts, and nothing that is open
		t.Fatal(err)
	}
	o.takeAll(t, logs)
	if err := o.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		again := logs.owner(front, 0, memoryKeys{})
		if len(again.torn) > 0 {
			t.Errorf("days that are given up: %v", again.torn)
		}
		again.trim(t.Context())
		if logs.state[0][0].Seq != begun {
			t.Error("what the last state says is needed has been dropped")
		}
		if got := counted(t, front, logs); got != want {
			t.Errorf("it has %s; want %s", got, want)
		}
		again = logs.owner(front, 0, memoryKeys{})
		if again.trim(t.Context()); logs.state[0][0].Seq == begun {
			t.Error("what is not needed any more is there for ever")
		}
		if got := counted(t, front, logs); got != want {
			t.Errorf("after it was dropped there is %s; want %s", got, want)
		}
	})
}

// TestTornWithoutADay: where nothing was read that is of a day, it is the current one, and those that were open.
func TestTornWithoutADay(t *testing.T) {
	front, logs := aCity(t, memoryKeys{})
	defer front.end()
	o := logs.owner(front, 0, memoryKeys{})
	o.epoch = keyEpoch(noon)
	tear(o, math.MaxInt64)
	if !o.torn[o.epoch] || !o.torn[o.epoch+1] || len(o.torn) > 6 {
		t.Errorf("days that are given up: %v", o.torn)
	}
}

// TestMostOpen: no plan has a window that is open for longer, also on the day when clocks are put back.
func TestMostOpen(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	streams, longest := townStreams(t), time.Duration(0)
	nobody := streams[slices.IndexFunc(streams, func(s *plan.Stream) bool { return s.Unit.None() })]
	for _, every := range []string{"PT1H", "P1D", "PT36H", "P2D", "P3D", "P7D"} {
		for _, lateness := range []string{"P1D", "PT24H1S", "PT25H", "PT26H", "PT36H", "P2D", "P7D"} {
			s := *nobody
			s.Timezone, s.Every, s.Lateness = berlin.String(), civil.MustPeriod(every), civil.MustPeriod(lateness)
			if s.Finish() != nil {
				continue
			}
			start, end := s.Window(time.Date(2026, 10, 25, 12, 0, 0, 0, berlin))
			longest = max(longest, end.Add(s.Lateness.Nominal()).Sub(start))
		}
	}
	if longest != mostOpen {
		t.Errorf("a window is open for %s, and %s is reckoned with", longest, mostOpen)
	}
}
