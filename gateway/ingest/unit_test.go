package ingest

import (
	"fmt"
	"testing"
	"time"

	"sluice/plan"
)

// TestWhatElseIsInAMessage: whether a unit's reading without seq is a repetition does not
// depend on whose readings are beside it, nor on what was read before.
func TestWhatElseIsInAMessage(t *testing.T) {
	s := footfall(t, 2)
	s.Measures = []plan.Measure{{Name: "n", Of: plan.Count, Bounded: true, High: 9},
		{Name: "sum", Of: plan.Sum, Field: "rssi", Bounded: true, Low: -900, High: 0}}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	other := footfall(t, 2) // its readings are led through the same hands
	other.ID, other.Decision, other.Measures = "other", "2", []plan.Measure{s.Measures[1]}
	if err := other.Finish(); err != nil {
		t.Fatal(err)
	}
	reading := func(device string, rssi int) string {
		return fmt.Sprintf(`{"ts":"2026-03-02T12:00:00Z","fields":{"device":%q,"rssi":%d}}`, device, rssi)
	}
	one := reading("a", -50)
	for name, list := range map[string][]string{
		"alone, twice":          {one, one},
		"beside another":        {one, "[" + one + "," + reading("b", -40) + "]"},
		"behind another":        {one, "[" + reading("b", -40) + "," + one + "]"},
		"after another's":       {one, reading("b", -40), one},
		"beside, and by itself": {"[" + reading("b", -40) + "," + one + "]", one},
	} {
		i := still(t, s, other)
		i.clock.now = noon.Add(time.Hour)
		for _, payload := range list {
			i.decode([]byte(payload), noon.UnixNano())
		}
		others := int64(0)
		if len(list) == 3 || list[0] != one || list[1] != one {
			others = 1
		}
		got := i.windows.streams[s.ID].windows[noon.UnixNano()].Sums(nil)[0]
		if got.Units != 1+others || got.Total[0][0] != 1+others || got.Total[1][0] != (-50-40*others)*plan.Fixed {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestKnownToLive: whether a sensor is known to live in a window that begins after its
// heartbeat survives a restart, whether or not a reading has opened the window.
func TestKnownToLive(t *testing.T) {
	for _, early := range []bool{false, true} {
		dir := inMemory(t)
		i := awake(t, dir, footfall(t, 2))
		i.cfg.Future = 2 * time.Hour
		w, _ := drain(t)
		tick := func(minutes int) {
			t.Helper()
			if err := i.tick(t.Context(), w, noon.Add(time.Duration(minutes)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		tick(50)
		i.beat(`{"ts":"2026-03-02T12:50:00Z","every":"PT10M"}`) // until 13:20
		if early {
			i.hear(device(70, 1)) // ahead of the clock
		}
		for _, n := range []int{65, 66} {
			tick(n)
			next := i.windows.streams["footfall"].windows[noon.Add(time.Hour).UnixNano()]
			if next == nil || !next.IsAlive(i.sensor().number) {
				t.Errorf("opened early %v: at 13:%02d the sensor is not known to live", early, n-60)
			}
			i.save(t)
			_ = i.journal.log.Close()
			i = awake(t, dir, footfall(t, 2))
		}
		_ = i.journal.log.Close()
	}
}

// TestSilenceIsNoClock: what comes while streams are silent after a recovery says nothing
// of the clock.
func TestSilenceIsNoClock(t *testing.T) {
	i := still(t, footfall(t, 2))
	i.clock.now = noon
	for id, next := range map[string]time.Time{"behind": noon.Add(-time.Hour), "silent": noon.AddDate(0, 0, 1)} {
		i.windows.streams["footfall"].next = next
		i.account.visible = account{}
		i.account.Received, i.account.Late = 20, 19
		i.reporter.revealCounters()
		if said := i.clock.doubtful.Load() != nil; said != (id == "behind") {
			t.Errorf("%s: the clock is doubted: %v", id, said)
		}
	}
}
