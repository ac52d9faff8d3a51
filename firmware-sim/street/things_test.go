package street

import (
	"testing"
	"time"
)

// TestThings: every kind of sensor sees something in a day, and the truth adds up what it saw.
func TestThings(t *testing.T) {
	kinds := []Kind{Noise, Air, Gate, Pax, Bay, Plates, Water, Power}
	s := New(Config{Seed: 6, Sensors: Fleet("town", kinds, len(kinds)), PerHour: 300})
	sums := make(map[string]float64)
	for m := range 24 * 60 {
		for _, o := range s.Minute(eight.Add(time.Duration(m) * time.Minute)) {
			kind := s.cfg.Sensors[o.Sensor].Kind
			sums[string(kind)]++
			for name, value := range o.Fields {
				switch x := value.(type) {
				case float64:
					sums[name] += x
				case int:
					sums[name] += float64(x)
				case bool:
					if x {
						sums[name]++
					}
				}
			}
		}
	}
	for _, k := range kinds {
		if sums[string(k)] == 0 {
			t.Errorf("a %s sees nothing in a day", k)
		}
	}
	for _, l := range s.Truth().Lines() {
		for name, sum := range l.Sums {
			sums[name] -= sum
		}
	}
	for _, name := range []string{"laeq", "no2", "pm10", "entered", "left", "pax", "occupied", "volume",
		"energy_low", "energy_high"} {
		if rest := sums[name]; rest > 1e-3 || rest < -1e-3 {
			t.Errorf("%s: the truth lacks %v", name, rest)
		}
	}
}

func TestFleet(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range Fleet("town", []Kind{Noise, Air}, 23) {
		if seen[s.ID] || s.Owner != "town" || s.Zone == "" {
			t.Errorf("%+v", s)
		}
		seen[s.ID] = true
	}
	if len(Fleet("town", []Kind{Noise}, -1)) != 0 {
		t.Error("a fleet of less than nothing")
	}
}
