// Package street simulates a street from a seed: people come, walk between zones, dwell and leave,
// carrying devices whose addresses change at a given rate; there are a tram stop with cards, noise
// and air, and, for those who ask, gates, bays, cameras and meters. It knows the truth about all of it
// and does no I/O. The same seed gives the same street.
package street

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Kind of a simulated sensor.
type Kind string

// The kinds, named as in the example city's kinds.yaml.
const (
	WiFi  Kind = "wifi-counter"
	Cards Kind = "card-reader"
	Noise Kind = "noise-meter"
	Air   Kind = "air-station"
)

// StandsFor is whom the fields of each kind stand for. Noise and air are about nobody, and no sensor
// itself stands for anybody.
func StandsFor() map[Kind]map[string]string {
	return map[Kind]map[string]string{WiFi: {"device": "device"}, Cards: {"card": "card"}}
}

// Sensor is one simulated device.
type Sensor struct {
	ID, Owner, Zone string
	Kind            Kind
	// Dead sensors never send anything.
	Dead bool
	// As is the preset that it speaks, empty for the native format, and Device what it is called there.
	As, Device string
}

// Topic is the topic of its readings.
func (s Sensor) Topic() string { return "city/v1/" + s.Owner + "/" + s.ID + "/up" }

// Heartbeat is the topic of its heartbeats.
func (s Sensor) Heartbeat() string { return "city/v1/" + s.Owner + "/" + s.ID + "/hb" }

// Observation is what one sensor sees at one instant.
type Observation struct {
	Sensor int // index into Config.Sensors
	Time   time.Time
	Fields map[string]any
}

// Config of a street.
type Config struct {
	Seed    uint64
	Sensors []Sensor
	// PerHour is how many people come in the busiest hour.
	PerHour float64
	// Rotate is how long a device keeps its address; 0 keeps it for the visit.
	Rotate time.Duration
	// Scan is how often a counter scans.
	Scan time.Duration
	// Location gives the hours of the day.
	Location *time.Location
}

// Street is the state of a street.
type Street struct {
	cfg    Config
	rnd    *rand.Rand
	people []*person
	zones  []string
	cards  []string // that boarded lately, and may come back
	// occupied are the bays with a car, by sensor.
	occupied map[int]bool
	// begun are the meters that have been read before, by sensor.
	begun map[int]bool
	truth *Truth
}

type person struct {
	address string
	since   time.Time // of the address
	stops   []stop
}

type stop struct {
	zone  string
	until time.Time
}

// New makes a street without people.
func New(cfg Config) *Street {
	if cfg.Scan == 0 {
		cfg.Scan = 5 * time.Minute
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	s := &Street{cfg: cfg, rnd: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed^0x9e3779b97f4a7c15)), truth: newTruth(),
		occupied: make(map[int]bool), begun: make(map[int]bool)}
	for _, x := range cfg.Sensors {
		if x.Kind == WiFi && !x.Dead {
			s.zones = append(s.zones, x.Zone)
		}
	}
	return s
}

// Truth is what really happened so far.
func (s *Street) Truth() *Truth { return s.truth }

// busy is the share of the busiest hour, by local hour of the day.
var busy = [24]float64{.04, .02, .01, .01, .01, .02, .08, .3, .55, .6, .65, .75, .85, .8, .6, .55, .65, .85, 1, .95, .7,
	.4, .2, .1}

// popularity of zones, by position: the first is the busiest, the last quiet.
func (s *Street) popularity(i int) float64 { return 1 / math.Pow(1.9, float64(i)) }

// Minute simulates one minute and returns what the sensors see in it.
func (s *Street) Minute(t time.Time) []Observation {
	s.arrive(t)
	s.walk(t)
	var out []Observation
	for i, x := range s.cfg.Sensors {
		if x.Dead {
			continue
		}
		switch x.Kind {
		case WiFi:
			if t.Unix()%int64(s.cfg.Scan/time.Second) == 0 {
				out = s.scan(out, i, t)
			}
		case Cards:
			out = s.board(out, i, t)
		case Plates:
			out = s.drive(out, i, t)
		default:
			if fields := s.measure(i, t); fields != nil {
				s.truth.add(hints[x.Kind], x.Zone, t, fields)
				out = append(out, Observation{i, t, fields})
			}
		}
	}
	return out
}

func (s *Street) share(t time.Time) float64 { return busy[t.In(s.cfg.Location).Hour()] }

// arrive adds people, each with one to three stops.
func (s *Street) arrive(t time.Time) {
	if len(s.zones) == 0 {
		return
	}
	for range s.poisson(s.cfg.PerHour / 60 * s.share(t)) {
		p := &person{address: s.Address(), since: t}
		at := t
		for range 1 + s.rnd.IntN(3) {
			at = at.Add(time.Duration(4+s.rnd.IntN(30)) * time.Minute)
			p.stops = append(p.stops, stop{s.zone(), at})
		}
		s.people = append(s.people, p)
	}
}

func (s *Street) zone() string {
	total := 0.0
	for i := range s.zones {
		total += s.popularity(i)
	}
	x := s.rnd.Float64() * total
	for i, z := range s.zones {
		if x -= s.popularity(i); x < 0 {
			return z
		}
	}
	return s.zones[0]
}

// walk moves people on, removes those who leave, and changes addresses.
func (s *Street) walk(t time.Time) {
	stay := s.people[:0]
	for _, p := range s.people {
		for len(p.stops) > 0 && !p.stops[0].until.After(t) {
			p.stops = p.stops[1:]
		}
		if len(p.stops) == 0 {
			continue
		}
		if s.cfg.Rotate > 0 && t.Sub(p.since) >= s.cfg.Rotate {
			p.address, p.since = s.Address(), t
		}
		stay = append(stay, p)
	}
	clear(s.people[len(stay):])
	s.people = stay
}

// scan returns what a counter hears: most of the devices in its zone, some faintly.
func (s *Street) scan(out []Observation, sensor int, t time.Time) []Observation {
	for _, p := range s.people {
		if p.stops[0].zone != s.cfg.Sensors[sensor].Zone || s.rnd.Float64() < .08 {
			continue
		}
		out = append(out, s.hear(sensor, t, p.address))
	}
	return out
}

func (s *Street) hear(sensor int, t time.Time, address string) Observation {
	rssi := -40 - s.rnd.IntN(50)
	if rssi >= -85 {
		s.truth.see("footfall", s.cfg.Sensors[sensor].Zone, t, address)
	}
	return Observation{sensor, t, map[string]any{"device": address, "rssi": rssi}}
}

// Glance is one device at one counter, out of a crowd of that size, for load.
func (s *Street) Glance(sensor int, t time.Time, crowd int) Observation {
	n := s.rnd.IntN(crowd)
	return s.hear(sensor, t,
		fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", s.cfg.Seed&0xff, n>>24&0xff, n>>16&0xff, n>>8&0xff, n&0xff))
}

// board sends people past the tram stop's reader; one in ten comes back.
func (s *Street) board(out []Observation, sensor int, t time.Time) []Observation {
	for range s.poisson(s.cfg.PerHour / 60 * .5 * s.share(t)) {
		card := s.card()
		s.truth.see("boardings", s.cfg.Sensors[sensor].Zone, t, card)
		out = append(out, Observation{sensor, t, map[string]any{"card": card, "fare": "adult"}})
	}
	return out
}

// remembered is how many cards may come back.
const remembered = 4096

// card returns a new card or, one time in ten, one that boarded before.
func (s *Street) card() string {
	if n := len(s.cards); n > 0 && s.rnd.IntN(10) == 0 {
		return s.cards[s.rnd.IntN(n)]
	}
	card := fmt.Sprintf("card-%08x", s.rnd.Uint32())
	if len(s.cards) == remembered {
		s.cards[s.rnd.IntN(remembered)] = card
	} else {
		s.cards = append(s.cards, card)
	}
	return card
}

// Address is a random, locally administered MAC address.
func (s *Street) Address() string {
	n := s.rnd.Uint64()
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", byte(n)&0xfc|0x02, byte(n>>8), byte(n>>16), byte(n>>24),
		byte(n>>32), byte(n>>40))
}

// poisson draws by Knuth's method; the means here are small.
func (s *Street) poisson(mean float64) int {
	if mean <= 0 {
		return 0
	}
	n := 0
	for mean > 30 { // exp(-mean) must not vanish
		n += s.poisson(30)
		mean -= 30
	}
	for p := s.rnd.Float64(); p > math.Exp(-mean); p *= s.rnd.Float64() {
		n++
	}
	return n
}
