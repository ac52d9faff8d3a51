package ingest

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"reflect"
	"sync/atomic"

	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/ingest/internal/window"
	"sluice/internal/civil"
	"sluice/policy/plan"
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
	// usable from and before, in nanoseconds since 1970.
	from, until int64

	lastReading int64
	silentAfter int64 // last heartbeat plus three times every
	aboutPeople bool
	// home says that it stands for somebody, or may have: then nothing is ever said
	// of it singly. It is true until a policy knows the kind, and stays so once one
	// has made it stand for somebody.
	home, stood   bool
	declaresPulse bool
	// pulse says that its kind declares heartbeats, or that it has sent one; whoever sums
	// up a window may look.
	pulse atomic.Bool
	// unfit says that its entry does not go with a plan of its kind, unmapped that it
	// maps a field that the kind has not.
	unfit, unmapped bool
}

func (s *sensor) usable(t int64) bool { return t >= s.from && t < s.until }

func (i *Ingest) sensorsOf(reg *register.Register) { i.roster = newRoster(reg) }

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

// adopt adds a policy version and gives every sensor its routes.
func (i *Ingest) adopt(v Version) error {
	i.versions = append(i.versions, v)
	if v.Past {
		return nil // but for the homes that it knew, which the next one looks for
	}
	for _, spec := range v.Streams {
		if i.streams[spec.ID] == nil {
			i.streams[spec.ID] = &stream{
				id: spec.ID, next: i.cfg.Resume[spec.ID],
				windows: make(map[int64]*openWindow), epochs: make(map[int64]*openEpoch), ahead: make(map[int64]map[uint64]bool),
			}
		}
	}
	if err := i.rerouteAll(); err != nil {
		return err
	}
	i.dirty = true
	return nil
}

// rerouteAll gives every sensor its routes under the newest version, and those before
// it that windows may be open under.
func (i *Ingest) rerouteAll() error {
	f, unfit, unmapped := newFitter(), 0, 0
	homes := i.everHomes()
	for _, s := range i.sensors {
		s.stood = s.stood || homes[s.entry.Kind]
		if err := i.reroute(s, len(i.versions)-1, f); err != nil {
			return err
		}
		if s.unfit {
			unfit++
		}
		if s.unmapped {
			unmapped++
		}
	}
	if unfit+unmapped > 0 {
		i.cfg.Log.Warn("register entries map fields that their kinds have not; what they map is dropped, and sensors that no plan fits then are refused",
			"sensors", unmapped, "refused", unfit, "hint", "sluice register check --policy DIR names them")
	}
	return nil
}

// Check says whether a version can be adopted: whether every plan fits what a
// sensor of its kind sends. A sensor whose own entry does not fit is left out alone.
func (v *Version) Check(reg *register.Register) error {
	f := newFitter()
	for n := range reg.Sensors {
		e := &reg.Sensors[n]
		kind, known := v.Kinds[e.Kind]
		if !known || len(e.Map) > 0 {
			continue
		}
		sent := f.shape(kind, e)
		for _, p := range v.Plans[e.ID] {
			if _, err := f.rule(0, p, sent.shape, v.Zones); err != nil {
				return fmt.Errorf("a sensor of kind %s: %w", e.Kind, err) // which one may be somebody's home
			}
		}
	}
	return nil
}

func (i *Ingest) reroute(s *sensor, version int, f *fitter) error {
	v := &i.versions[version]
	kind, known := v.Kinds[s.entry.Kind]
	if !known {
		i.hush(s, s.home || v.Kinds != nil)
		return nil // no plans either
	}
	// Kinds may gain fields from one version to the next; rules of older
	// versions look theirs up in the shape of the newest.
	sent := f.shape(kind, s.entry)
	s.shape, s.pointers, s.valid, s.unmapped, s.unfit = sent.shape, sent.pointers, sent.valid, sent.unmapped, false
	s.declaresPulse = !kind.Heartbeat.IsZero()
	s.pulse.Store(s.declaresPulse || i.heard[s.number])
	s.stood = s.stood || kind.Home() || v.Homes[s.entry.Kind]
	s.from, s.until = s.entry.Registered.Start(v.Location).UnixNano(), int64(1<<63-1)
	if s.entry.Until != (civil.Date{}) {
		s.until = s.entry.Until.End(v.Location).UnixNano()
	}
	if r := i.replaced[s.entry.ID]; r != nil {
		s.until = min(s.until, r.Registered.Start(v.Location).UnixNano())
	}
	s.routes, s.aboutPeople = nil, false
	for n := version; n >= 0; n-- {
		if n < version && !i.versions[n+1].Since.After(i.oldest()) {
			break // every window of older versions is closed
		}
		for _, p := range i.versions[n].Plans[s.entry.ID] {
			part, named := p.Stream.OwnerPart(s.entry.Owner)
			if !named {
				continue // its owner has no part of the bound: it counts nowhere
			}
			rule, err := f.rule(n, p, s.shape, i.versions[n].Zones)
			switch {
			case err == nil:
			case n < version:
				continue // the newest version's kind has lost a field
			case len(s.entry.Map) == 0:
				return fmt.Errorf("a sensor of kind %s: %w", s.entry.Kind, err)
			default:
				s.unfit = true
				continue
			}
			s.routes = append(s.routes, route{i.streams[p.Stream.ID], p.Stream, n, rule.For(s.entry.ID), uint8(part)})
			s.aboutPeople = s.aboutPeople || !p.Stream.Unit.None()
			s.stood = s.stood || p.Stream.Unit.Sensor
		}
	}
	i.hush(s, s.stood)
	return nil
}

// hush notes whether a sensor may stand for a home; what it was to be told is dropped then.
func (i *Ingest) hush(s *sensor, home bool) {
	if s.home = home; home {
		delete(i.feedback, s)
	}
}

// feelPulses notes who has sent heartbeats before.
func (i *Ingest) feelPulses() {
	for _, s := range i.sensors {
		if i.heard[s.number] {
			s.pulse.Store(true)
		}
	}
}

// fedBy are, by stream, the sensors that feed the cells of a version: looked up at
// every close, and the same until the register changes.
func (i *Ingest) fedBy(version int) map[string]*window.Feeders {
	if fed, known := i.fed[version]; known {
		return fed
	}
	v := &i.versions[version]
	fed := make(map[string]*window.Feeders)
	for _, spec := range v.Streams {
		fed[spec.ID] = window.NewFeeders(spec)
	}
	for _, s := range i.sensors {
		for _, p := range v.Plans[s.entry.ID] {
			if f := fed[p.Stream.ID]; f != nil {
				f.Add(p.Zone, window.Feeder{Sensor: s.number, Known: &s.pulse, From: s.from, Until: s.until})
			}
		}
	}
	i.fed[version] = fed
	return fed
}

// fitter makes shapes and rules, each once for all sensors that share it.
type fitter struct {
	shapes map[shapeKey]sent
	rules  map[ruleKey]fitted
}

// shapeKey is a kind and a map of the register, which has equal maps once.
type shapeKey struct {
	kind string
	mapp uintptr
}

// sent is what sensors send.
type sent struct {
	shape    *format.Shape
	pointers []string
	valid    [][]float64
	unmapped bool
}

// ruleKey is what a rule depends on, but for the sensor; the zone is empty for what
// is common to all.
type ruleKey struct {
	version int
	stream  *plan.Stream
	zone    string
	shape   *format.Shape
}

type fitted struct {
	rule *redact.Rule
	err  error
}

func newFitter() *fitter {
	return &fitter{make(map[shapeKey]sent), make(map[ruleKey]fitted)}
}

func (f *fitter) shape(kind register.Kind, e *register.Sensor) sent {
	key := shapeKey{e.Kind, reflect.ValueOf(e.Map).Pointer()}
	out, known := f.shapes[key]
	if !known {
		out = shapeOf(kind, e)
		out.unmapped = len(e.Unmapped(kind)) > 0
		f.shapes[key] = out
	}
	return out
}

func shapeOf(kind register.Kind, e *register.Sensor) sent {
	n := len(kind.Fields)
	names, types, forms, valid, pointers := make([]string, n), make([]string, n), make([]string, n), make([][]float64, n), make([]string, n)
	for f, field := range kind.Fields {
		pointers[f] = cmp.Or(e.Map[field.Name], "/fields/"+field.Name)
		names[f], types[f], forms[f], valid[f] = field.Name, field.Type, field.Format, field.Valid
	}
	shape := format.NewShape(names, types, forms, e.Map)
	for f, v := range valid {
		if len(v) == 2 {
			shape.Limit(f, v[0], v[1])
		}
	}
	return sent{shape: shape, pointers: pointers, valid: valid}
}

// rule is a plan's rule but for the sensor, which For gives it.
func (f *fitter) rule(version int, p plan.Plan, shape *format.Shape, zones redact.Locator) (*redact.Rule, error) {
	key := ruleKey{version, p.Stream, p.Zone, shape}
	out, known := f.rules[key]
	if known {
		return out.rule, out.err
	}
	common := ruleKey{version, p.Stream, "", shape}
	base, known := f.rules[common]
	if !known {
		base.rule, base.err = redact.CompileStream(p.Stream, shape, zones)
		f.rules[common] = base
	}
	if out = base; out.err == nil {
		out.rule, out.err = base.rule.In(p.Zone)
	}
	f.rules[key] = out
	return out.rule, out.err
}
