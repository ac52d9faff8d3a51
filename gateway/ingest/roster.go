package ingest

import (
	"hash/fnv"
	"sync/atomic"

	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/window"
	"sluice/register"
)

// roster is the register, ready for its sensors' messages.
type roster struct {
	register *register.Register
	targets  map[string]target
	byID     map[string]*sensor
	sensors  []*sensor                   // in the register's order
	replaced map[string]*register.Sensor // by the id of the sensor that made way
	// fed are, by version and stream, the sensors that feed cells; made when first
	// asked for.
	fed map[int]map[string]*window.Feeders
}

// target is what a topic stands for.
type target struct {
	sensor    *sensor
	heartbeat bool
}

// sensor is one register entry, ready for its readings.
type sensor struct {
	entry  *register.Sensor
	number uint64
	shape  *format.Shape
	// pointers are where in a reading each field is, for feedback.
	pointers []string
	valid    [][]float64 // of each field; see register.Field
	routes   []route
	past     past
	// usable from and before, in nanoseconds since 1970.
	from, until int64

	lastReading int64
	silentAfter int64 // last heartbeat plus three times every
	aboutPeople bool
	// home says that it stands for somebody, or may have: then nothing is ever said
	// of it singly. It is true until a policy knows the kind, and stays so once one
	// has made it stand for somebody.
	home, wasHome bool
	declaresPulse bool
	// pulse says that its kind declares heartbeats, or that it has sent one; whoever sums
	// up a window may look.
	pulse atomic.Bool
	// unfit says that its entry does not go with a plan of its kind, unmapped that it
	// maps a field that the kind has not.
	unfit, unmapped bool
}

func (s *sensor) usable(t int64) bool { return t >= s.from && t < s.until }

func newRoster(reg *register.Register) roster {
	n := len(reg.Sensors)
	r := roster{
		register: reg, targets: make(map[string]target, 2*n), byID: make(map[string]*sensor, n),
		replaced: make(map[string]*register.Sensor), fed: make(map[int]map[string]*window.Feeders),
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
		r.targets[e.UpTopic()] = target{sensor: s}
		r.targets[e.HeartbeatTopic()] = target{sensor: s, heartbeat: true}
	}
	return r
}
