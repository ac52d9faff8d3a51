package plan

import (
	"testing"
	"time"

	"sluice/internal/civil"
)

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestEpochNames: no measure is called like a number of an epoch.
func TestEpochNames(t *testing.T) {
	for name, refused := range map[string]bool{"devices": false, "units_epoch": true, "units_bounded": true} {
		m := Measure{Name: name, Of: Distinct}
		if err := m.check(Unit{Field: "device", StandsFor: "device"}, time.Hour); (err != nil) != refused {
			t.Errorf("a measure %s: %v", name, err)
		}
	}
}

// TestEndsEpoch: each epoch of a day, also of one of 23 or 25 hours, ends with one window.
func TestEndsEpoch(t *testing.T) {
	loc := location(t, "Europe/Madrid")
	for _, forget := range []string{"PT1H", "PT6H", "P1D"} {
		s := Stream{windows: civil.NewGrid(time.Hour, loc),
			epochs: civil.NewGrid(civil.MustPeriod(forget).Nominal(), loc)}
		for _, day := range []time.Time{time.Date(2026, 3, 29, 0, 0, 0, 0, loc),
			time.Date(2026, 10, 25, 0, 0, 0, 0, loc), time.Date(2026, 6, 1, 0, 0, 0, 0, loc)} {
			ends := 0
			for at := day; at.Before(day.AddDate(0, 0, 1)); {
				start, end := s.Window(at)
				if s.EndsEpoch(start, end) {
					ends++
				}
				at = end
			}
			if want := s.EpochsOfDay(day); ends != want {
				t.Errorf("%s of %s: %d windows end one; there are %d", forget, day.Format(time.DateOnly), ends, want)
			}
		}
	}
}
