package street

import (
	"fmt"
	"math"
	"time"
)

// Kinds that the example city does not have, and other cities do.
const (
	Gate   Kind = "people-gate"  // entered, left: how many since the last observation
	Pax    Kind = "pax-counter"  // pax: how many devices are about
	Bay    Kind = "parking-bay"  // occupied
	Plates Kind = "plate-camera" // plate
	Water  Kind = "water-meter"  // volume: m3 since the last observation
	Power  Kind = "power-meter"  // energy_low, energy_high: kWh since the last observation, by tariff
)

// hints are the streams that kinds are counted under in the truth. Counters and readers have
// theirs where they see somebody.
var hints = map[Kind]string{Noise: "noise", Air: "air", Gate: "gates", Pax: "pax", Bay: "parking", Water: "water",
	Power: "energy"}

// Adds reports whether the numbers of a kind's observations are of the time since the last one, so
// that a device that never forgets shows their sum.
func Adds(k Kind) bool { return k == Gate || k == Water || k == Power }

// measure returns what a sensor that is about nobody in particular sees at t.
func (s *Street) measure(sensor int, t time.Time) map[string]any {
	share := s.share(t)
	switch s.cfg.Sensors[sensor].Kind {
	case Noise:
		level := 48 + 22*math.Sqrt(share) + s.rnd.NormFloat64()*2.5
		return map[string]any{"laeq": math.Round(level*10) / 10}
	case Air:
		if t.Minute()%10 == 0 {
			return map[string]any{
				"no2":  math.Round(18 + 40*share + s.rnd.NormFloat64()*4),
				"pm10": math.Round(12 + 14*share + math.Abs(s.rnd.NormFloat64()*3)),
			}
		}
	case Gate:
		return s.sinceLast(sensor, map[string]any{"entered": s.poisson(6 * share), "left": s.poisson(6 * share)})
	case Pax:
		return map[string]any{"pax": s.poisson(40 * share)}
	case Bay:
		if s.rnd.IntN(12) == 0 {
			s.occupied[sensor] = !s.occupied[sensor]
		}
		return map[string]any{"occupied": s.occupied[sensor]}
	case Water:
		return s.sinceLast(sensor, map[string]any{"volume": float64(s.poisson(3*share)) / 1000})
	case Power:
		used, tariff := float64(2+s.poisson(20*share))/1000, "energy_high"
		if hour := t.In(s.cfg.Location).Hour(); hour < 7 || hour >= 23 {
			tariff = "energy_low"
		}
		out := map[string]any{"energy_low": 0.0, "energy_high": 0.0}
		out[tariff] = used
		return s.sinceLast(sensor, out)
	}
	return nil
}

// sinceLast is nothing at a sensor's first observation: what a meter had counted before is not known.
func (s *Street) sinceLast(sensor int, fields map[string]any) map[string]any {
	if !s.begun[sensor] {
		s.begun[sensor] = true
		for name, v := range fields {
			if _, whole := v.(int); whole {
				fields[name] = 0
			} else {
				fields[name] = 0.0
			}
		}
	}
	return fields
}

// drive sends vehicles past a camera.
func (s *Street) drive(out []Observation, sensor int, t time.Time) []Observation {
	for range s.poisson(6 * s.share(t)) {
		plate := fmt.Sprintf("%04d%c%c%c", s.rnd.IntN(10000), 'B'+rune(s.rnd.IntN(20)), 'B'+rune(s.rnd.IntN(20)),
			'B'+rune(s.rnd.IntN(20)))
		s.truth.see("plates", s.cfg.Sensors[sensor].Zone, t, plate)
		out = append(out, Observation{sensor, t, map[string]any{"plate": plate}})
	}
	return out
}

// Fleet are n sensors of some kinds in turn, all of one owner, in the example city's zones.
func Fleet(owner string, kinds []Kind, n int) []Sensor {
	zones := Portalba()[:5]
	n = max(0, n)
	list := make([]Sensor, 0, n)
	for i := range n {
		kind := kinds[i%len(kinds)]
		list = append(list, Sensor{ID: fmt.Sprintf("%s-%d", kind, i/len(kinds)+1), Owner: owner, Kind: kind,
			Zone: zones[i/len(kinds)%len(zones)].Zone})
	}
	return list
}
