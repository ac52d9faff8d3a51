package ingest

import (
	"fmt"
	"time"

	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/ingest/internal/window"
	"sluice/internal/civil"
	"sluice/plan"
)

// routing says which sensor a topic stands for and, under the versions in force, which plans
// lead its readings to which streams.
type routing struct {
	cfg      *Config
	liveness *liveness
	versions []Version
	// metrics are the names of Sparkplug's metrics that fields are made of.
	metrics *map[string]bool
	roster
}

// route is one of a sensor's plans under one policy version.
type route struct {
	stream  *stream
	spec    *plan.Stream
	version int
	rule    *redact.Rule
	// owner is the place of the sensor's owner among the stream's parts, plus one; 0 where
	// owners share the bound.
	owner uint8
	// from and before until start the windows that it leads to; see term.
	from, until int64
}

// covers reports whether it leads to windows that start at an instant.
func (p *route) covers(start int64) bool { return start >= p.from && start < p.until }

// specAt finds the version and stream under which a window starting at t runs.
func (r *routing) specAt(id string, t time.Time) (int, *plan.Stream) {
	for n := len(r.versions) - 1; n >= 0; n-- {
		if !r.inForce(n, t) {
			continue
		}
		for _, spec := range r.versions[n].Streams {
			if spec.ID == id && spec.InForce(t) {
				return n, spec
			}
		}
	}
	return 0, nil
}

// planned reports whether some version has a stream as its digest says.
func (r *routing) planned(id, digest string) bool {
	for n := range r.versions {
		for _, spec := range r.versions[n].Streams {
			if spec.ID == id && spec.Digest == digest {
				return true
			}
		}
	}
	return false
}

// inForce reports whether a window that starts at t runs under version n.
func (r *routing) inForce(n int, t time.Time) bool {
	if t.Before(r.versions[n].Since) {
		return false
	}
	return n+1 == len(r.versions) || t.Before(r.versions[n+1].Since)
}

// nextInForce is the first instant after t at which some version has the stream
// in force; zero when there is none.
func (r *routing) nextInForce(id string, t time.Time) time.Time {
	var first time.Time
	consider := func(at time.Time) {
		if at.After(t) && (first.IsZero() || at.Before(first)) {
			if _, spec := r.specAt(id, at); spec != nil {
				first = at
			}
		}
	}
	for _, v := range r.versions {
		consider(v.Since)
		for _, spec := range v.Streams {
			if spec.ID == id {
				consider(spec.From)
			}
		}
	}
	return first
}

// reroute gives every sensor its routes to the streams under the newest version, and those
// before it that windows may be open under, of which the oldest is given.
func (r *routing) reroute(streams map[string]*stream, oldest time.Time) error {
	f, unfit, unmapped := newFitter(streams, oldest), 0, 0
	homes := r.everHomes()
	r.setZone(r.versions[len(r.versions)-1].Location)
	for _, s := range r.sensors {
		s.wasHome = s.wasHome || homes[s.entry.Kind]
		if err := r.rerouteOne(s, len(r.versions)-1, f); err != nil {
			return err
		}
		if s.unfit {
			unfit++
		}
		if s.unmapped {
			unmapped++
		}
	}
	r.metrics = r.roster.metricNames()
	if unfit+unmapped > 0 {
		r.cfg.Log.Warn("register entries map fields that their kinds have not; what they map is dropped, and "+
			"sensors that no plan fits then are refused",
			"sensors", unmapped, "refused", unfit, "hint", "sluice register check --policy DIR names them")
	}
	return nil
}

func (r *routing) rerouteOne(s *sensor, version int, f *fitter) error {
	v := &r.versions[version]
	kind, known := v.Kinds[s.entry.Kind]
	if !known {
		s.home = s.home || v.Kinds != nil
		s.heard.turn(false)
		return nil // no plans either
	}
	// Kinds may gain fields from one version to the next; rules of older
	// versions look theirs up in the shape of the newest.
	sent := f.shape(kind, s)
	s.shape, s.words, s.unmapped, s.unfit = sent.shape, sent.words, sent.unmapped, false
	s.declaresPulse, s.beat = !kind.Heartbeat.IsZero(), kind.Heartbeat.Nominal()
	s.quota = newQuota(s.entry, kind).follow(s.quota)
	s.pulse.Store(s.declaresPulse || r.liveness.heard[s.number])
	s.wasHome = s.wasHome || kind.Home() || v.Homes[s.entry.Kind]
	s.from, s.until = s.entry.Registered.Start(v.Location).UnixNano(), int64(1<<63-1)
	if s.entry.Until != (civil.Date{}) {
		s.until = s.entry.Until.End(v.Location).UnixNano()
	}
	if by := r.replaced[s.entry.ID]; by != nil {
		s.until = min(s.until, by.Registered.Start(v.Location).UnixNano())
	}
	s.routes, s.aboutPeople = nil, false
	s.past.forget(begins(f.oldest))
	var terms []term
	for n := version; n >= 0; n-- {
		if n < version && !r.versions[n+1].Since.After(f.oldest) {
			break // every window of older versions is closed
		}
		terms = r.terms(s, n, terms[:0])
		for i := range terms {
			if err := r.lead(s, &terms[i], f); err != nil {
				return err
			}
		}
	}
	s.home = s.wasHome
	s.heard.turn(len(s.routes) > 0 && !s.home && !s.aboutPeople && !kind.Personal())
	return nil
}

// lead gives a sensor the routes of one of its terms. An error says that a plan of the term does
// not fit what sensors of its kind send; with a map of its own, it is the entry that does not.
func (r *routing) lead(s *sensor, t *term, f *fitter) (unfit error) {
	if t.kind != s.entry.Kind {
		return nil
	}
	for _, p := range t.plans {
		part, named := p.Stream.OwnerPart(t.owner)
		if !named {
			continue // its owner has no part of the bound: it counts nowhere
		}
		rule, err := f.rule(t.version, p, s.shape, r.versions[t.version].Zones)
		switch {
		case err == nil:
		case t.until != forever || t.version < len(r.versions)-1:
			continue // the newest version's kind has lost a field
		case !s.entry.Mapped():
			return fmt.Errorf("a sensor of kind %s: %w", s.entry.Kind, err)
		default:
			s.unfit = true
			continue
		}
		s.routes = append(s.routes, route{f.streams[p.Stream.ID], p.Stream, t.version, rule.For(s.entry.ID),
			uint8(part), t.from, t.until})
		s.aboutPeople = s.aboutPeople || !p.Stream.Unit.None()
		s.wasHome = s.wasHome || p.Stream.Unit.Sensor
	}
	return nil
}

// notePulses notes who has sent heartbeats before.
func (r *routing) notePulses() {
	for _, s := range r.sensors {
		if r.liveness.heard[s.number] {
			s.pulse.Store(true)
		}
	}
}

// fedBy are, by stream, the sensors that feed the cells of a version in a window that starts at
// an instant: looked up at every close, and the same until the register changes, but where a
// sensor has moved.
func (r *routing) fedBy(version int, start int64) map[string]*window.Feeders {
	if fed, known := r.fed[version]; known {
		return fed
	}
	v := &r.versions[version]
	fed := make(map[string]*window.Feeders)
	for _, spec := range v.Streams {
		fed[spec.ID] = window.NewFeeders(spec)
	}
	var terms []term
	moved := false
	for _, s := range r.sensors {
		moved = moved || len(s.past.terms) > 0
		terms = r.terms(s, version, terms[:0])
		for i := range terms {
			if terms[i].covers(start) {
				s.feed(terms[i].plans, fed)
			}
		}
	}
	if !moved {
		r.fed[version] = fed
	}
	return fed
}

// feed adds a sensor to those that feed the cells of its plans.
func (s *sensor) feed(plans []plan.Plan, fed map[string]*window.Feeders) {
	for _, p := range plans {
		if f := fed[p.Stream.ID]; f != nil {
			f.Add(p.Zone, window.Feeder{Sensor: s.number, Known: &s.pulse, From: s.from, Until: s.until})
		}
	}
}

// everHomes are the kinds whose sensors stood for somebody in any version.
func (r *routing) everHomes() map[string]bool {
	homes := make(map[string]bool)
	for n := range r.versions {
		for id, k := range r.versions[n].Kinds {
			homes[id] = homes[id] || k.Home() || r.versions[n].Homes[id]
		}
	}
	return homes
}

// exchange takes another roster under the version in force, whose plans are those given; each
// sensor takes over what is known of its life, and what it was in windows that start before since.
func (r *routing) exchange(to roster, plans map[string][]plan.Plan, since time.Time) {
	old := r.roster
	v := &r.versions[len(r.versions)-1]
	before := v.Plans
	r.roster, v.Plans = to, plans
	for _, s := range r.sensors {
		if o := old.byID[s.entry.ID]; o != nil {
			r.succeed(s, o, before[o.entry.ID], begins(since))
		}
	}
}

// forgetReadings drops what rules keep of the last reading, and what is known of those that are
// about people.
func (r *routing) forgetReadings() {
	for _, s := range r.sensors {
		if s.aboutPeople || s.home {
			s.memory.forget()
		}
		for n := range s.routes {
			s.routes[n].rule.Forget()
		}
	}
}
