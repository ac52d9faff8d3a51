package ingest

import (
	"hash/fnv"
	"sync/atomic"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/window"
	"sluice/register"
	"sluice/register/preset"
)

// roster is the register, ready for its sensors' messages.
type roster struct {
	register *register.Register
	targets  map[string]target
	patterns []patternRoute     // of the presets in use, and of sensors' own topics
	systems  map[string]*system // the presets in use, by id
	byID     map[string]*sensor
	sensors  []*sensor                   // in the register's order
	replaced map[string]*register.Sensor // by the id of the sensor that made way
	// fed are, by version and stream, the sensors that feed cells; made when first
	// asked for.
	fed map[int]map[string]*window.Feeders
}

// target is what a topic stands for. The sensor of one whose device is in the message is not
// known yet.
type target struct {
	sensor *sensor
	role   preset.Role
	system *system         // nil for a message in the city's own format
	topic  *preset.Pattern // that has captures for it, or nil
	owner  string          // of the edge node, where its device is nobody's
	beat   *beat           // of a heartbeat of a system
}

// sensor is one register entry, ready for its readings.
type sensor struct {
	entry  *register.Sensor
	system *system // whose messages it sends; nil for the city's own format
	number uint64
	shape  *format.Shape
	words  words // for feedback
	routes []route
	past   past
	heard  heard
	// usable from and before, in nanoseconds since 1970.
	from, until int64

	quota       *quota // nil for none
	memory      memory
	lastReading int64
	silentAfter int64 // last heartbeat plus three times every
	aboutPeople bool
	// home says that it stands for somebody, or may have: then nothing is ever said
	// of it singly. It is true until a policy knows the kind, and stays so once one
	// has made it stand for somebody.
	home, wasHome bool
	declaresPulse bool
	beat          time.Duration // how often its kind has heartbeats; 0 for not said
	// pulse says that its kind declares heartbeats, or that it has sent one; whoever sums
	// up a window may look.
	pulse atomic.Bool
	// unfit says that its entry does not go with a plan of its kind, unmapped that it
	// maps a field that the kind has not.
	unfit, unmapped bool
}

func (s *sensor) usable(t int64) bool { return t >= s.from && t < s.until }

// unread is why nothing that the sensor sends can be read; None where it can. A sensor that is not
// known yet is looked at later.
func (s *sensor) unread() fault.Code {
	switch {
	case s == nil:
		return fault.None
	case s.shape == nil:
		return fault.NoKind
	case s.unfit:
		return fault.Unfit
	}
	return fault.None
}

func newRoster(reg *register.Register) roster {
	n := len(reg.Sensors)
	r := roster{
		register: reg, targets: make(map[string]target, 2*n), byID: make(map[string]*sensor, n),
		replaced: make(map[string]*register.Sensor), fed: make(map[int]map[string]*window.Feeders),
		systems: make(map[string]*system),
	}
	all := make([]sensor, n)
	for n := range reg.Sensors {
		e := &reg.Sensors[n]
		h := fnv.New64a()
		_, _ = h.Write([]byte(e.ID))
		s := &all[n]
		*s = sensor{entry: e, number: h.Sum64(), home: true}
		r.sensors = append(r.sensors, s)
		r.byID[e.ID] = s
		if e.Replaces != "" {
			r.replaced[e.Replaces] = e
		}
		r.targets[e.HeartbeatTopic()] = target{sensor: s, role: preset.Heartbeat}
		if e.Preset != "" {
			r.addWrapped(s, reg.Presets)
		} else {
			r.targets[e.UpTopic()] = target{sensor: s, role: preset.Reading}
		}
	}
	r.addPatterns()
	return r
}
