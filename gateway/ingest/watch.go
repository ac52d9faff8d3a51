package ingest

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/fault"
)

// Sensors are what a technician at the machine may know of the register's sensors (decision 40).
// Everything in it is a count, an instant, a code of the closed list with its words, or a name of
// register or policy.
type Sensors struct {
	// Since is when counting began: with the start of the gateway.
	Since time.Time
	// From and Until are the interval of what is said of sensors about people, which ended at
	// a fixed instant as feedback's do.
	From, Until time.Time
	// Each are those that may be shown singly, in the register's order.
	Each []SensorState
	// Groups are all others, by kind and zone: those that stand for a home, and those of
	// which no policy says that they do not.
	Groups []SensorGroup
}

// SensorState is what may be known of one sensor. Heard, Readings and PerMinute are of those
// about nobody only.
type SensorState struct {
	ID, Kind, Zone string
	Life           Life
	// People says that its readings are, or may be, about people. Then Codes are orders of
	// magnitude (1, 10, 100) of the last interval, else counts since the start.
	People bool
	// Undecided says that no decision counts it: then People is true, since nobody has said
	// that it is not.
	Undecided bool
	Heard     time.Time // its last message; zero for none
	// Readings counted since the start, and PerMinute over the last full five minutes.
	Readings  int64
	PerMinute float64
	Codes     []SensorCode
}

// SensorCode is why readings of a sensor did not count: in names that the sensor's kind knows.
type SensorCode struct {
	Code, Pointer, Rule, Fix string
	Count                    int64
}

// SensorGroup is a number of sensors that are not shown singly.
type SensorGroup struct {
	Kind, Zone string
	// Known says that the policy in force knows the kind.
	Known   bool
	Sensors int
}

// Sensors tells what may be known of the sensors now. It waits for its turn between messages.
func (i *Ingest) Sensors(ctx context.Context) (*Sensors, error) {
	q := make(chan *Sensors, 1)
	select {
	case i.watch.asked <- q:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case s := <-q:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// watch keeps what technicians may know of sensors. Of those about nobody that is counted as it
// comes; of those about people it is what feedback has told, at the instants of feedback, so that
// nobody can time a person's passing by it.
type watch struct {
	cfg      *Config
	clock    *eventClock
	feedback *feedback
	liveness *liveness
	routing  *routing
	since    time.Time
	asked    chan chan *Sensors
}

func newWatch(i *Ingest) watch {
	return watch{cfg: &i.cfg, clock: &i.clock, feedback: &i.feedback, liveness: &i.liveness, routing: &i.routing,
		since: i.cfg.Now(), asked: make(chan chan *Sensors)}
}

// rateOver is what a rate is taken over.
const rateOver = 5 * time.Minute

// heard is what has come of a sensor about nobody since the start; of any other it stays empty.
type heard struct {
	nobody   bool
	last     int64 // when the last message came, in nanoseconds since 1970
	readings int64
	// Readings in a full interval of rateOver, counted from 1970, and in the one before it.
	interval    int64
	now, before int64
	faults      map[fault.Fault]int64
}

// turn has it be of a sensor about nobody, or of another.
func (h *heard) turn(nobody bool) {
	if !nobody {
		*h = heard{}
	}
	h.nobody = nobody
}

// message notes that one came.
func (h *heard) message(at time.Time) {
	if h.nobody {
		h.last = at.UnixNano()
	}
}

// counts notes a reading that counts.
func (h *heard) counts(at time.Time) {
	if !h.nobody {
		return
	}
	h.readings++
	h.proceed(at)
	h.now++
}

// fault notes what its sensor is told of.
func (h *heard) fault(f fault.Fault) {
	if !h.nobody {
		return
	}
	if h.faults == nil {
		h.faults = make(map[fault.Fault]int64)
	}
	h.faults[f]++
}

// proceed turns to the interval of an instant.
func (h *heard) proceed(at time.Time) {
	switch n := at.UnixNano() / int64(rateOver); {
	case n == h.interval:
	case n == h.interval+1:
		h.interval, h.before, h.now = n, h.now, 0
	default:
		h.interval, h.before, h.now = n, 0, 0
	}
}

// answer makes the answer to one question.
func (w *watch) answer() *Sensors {
	out := &Sensors{Since: w.since, From: w.feedback.last.since, Until: w.feedback.last.until}
	groups := make(map[SensorGroup]int)
	v := Version{}
	if n := len(w.routing.versions); n > 0 {
		v = w.routing.versions[n-1]
	}
	now := w.cfg.Now()
	for _, s := range w.routing.sensors {
		zone := s.entry.Zone
		if s.entry.Lat != nil && v.Zones != nil {
			zone = s.entry.ZoneOf(v.Zones)
		}
		if s.home {
			_, known := v.Kinds[s.entry.Kind]
			groups[SensorGroup{Kind: s.entry.Kind, Zone: zone, Known: known}]++
			continue
		}
		one := SensorState{ID: s.entry.ID, Kind: s.entry.Kind, Zone: zone, Life: w.liveness.of(s, w.clock.now),
			People: !s.heard.nobody, Undecided: len(s.routes) == 0}
		if s.heard.nobody {
			w.describe(&one, s, now)
		} else {
			one.Codes = s.codes(w.feedback.last.of[s], magnitude)
		}
		out.Each = append(out.Each, one)
	}
	for g, n := range groups {
		g.Sensors = n
		out.Groups = append(out.Groups, g)
	}
	slices.SortFunc(out.Groups, func(a, b SensorGroup) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Zone, b.Zone))
	})
	return out
}

// describe says of a sensor about nobody what has come of it.
func (w *watch) describe(one *SensorState, s *sensor, now time.Time) {
	h := &s.heard
	if h.last > 0 {
		one.Heard = time.Unix(0, h.last).UTC()
	}
	h.proceed(now)
	one.Readings, one.PerMinute = h.readings, float64(h.before)/rateOver.Minutes()
	one.Codes = s.codes(h.faults, func(n int64) int64 { return n })
}

// codes are faults in the order of their codes, with as much of their counts as may be told.
func (s *sensor) codes(faults map[fault.Fault]int64, told func(int64) int64) (list []SensorCode) {
	for _, f := range slices.SortedFunc(maps.Keys(faults), byCode) {
		pointer, rule, fix := s.words.of(f)
		if rule == "kind" {
			rule += " " + s.entry.Kind
		}
		list = append(list, SensorCode{f.Code.String(), pointer, rule, fix, told(faults[f])})
	}
	return list
}

func byCode(a, b fault.Fault) int {
	return cmp.Or(cmp.Compare(a.Code.String(), b.Code.String()), cmp.Compare(a.Field, b.Field),
		cmp.Compare(a.Code, b.Code))
}

// magnitude is the order of magnitude of a count: 1, 10, 100.
func magnitude(n int64) int64 { return int64(math.Pow(10, math.Floor(math.Log10(float64(n))))) }
