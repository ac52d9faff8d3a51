package ingest

import (
	"maps"
	"math"
	"strings"
	"time"

	"sluice/plan"
	"sluice/register"
)

// A sensor that moves, or whose owner or kind is mended, is another one from the next window of
// each stream on: a window has one answer to where a sensor stands. So a sensor has, beside its
// entry, the terms of before, as long as a window is open that began under them.

// term is what a sensor was for the windows of one version that start at or after from and before
// until, in nanoseconds since 1970.
type term struct {
	version     int
	from, until int64
	// kind and owner were the entry's, which itself may be gone.
	kind, owner string
	plans       []plan.Plan
}

// past are a sensor's terms of before, oldest first. The present one is for windows from since
// on, of versions from changed on.
type past struct {
	terms   []term
	since   int64
	changed int
}

// always are the windows of all time.
const (
	always  = math.MinInt64
	forever = math.MaxInt64
)

func (t *term) covers(start int64) bool { return start >= t.from && start < t.until }

// begins is an instant as the start of a term; before any instant is known it is the first.
func begins(t time.Time) int64 {
	if t.IsZero() {
		return always
	}
	return t.UnixNano()
}

// samePlace reports whether two entries of a sensor are one to the council's rules.
func samePlace(a, b *register.Sensor) bool {
	at := func(p, q *float64) bool { return p == q || p != nil && q != nil && *p == *q }
	return a.Kind == b.Kind && a.Owner == b.Owner && a.Zone == b.Zone && a.Preset == b.Preset && at(a.Lat, b.Lat) &&
		at(a.Lon, b.Lon)
}

// succeed has a sensor take over from the one with its id in the register of before, which had
// these plans under the version in force. What has changed holds for windows from since on.
func (r *routing) succeed(s, old *sensor, plans []plan.Plan, since int64) {
	s.lastReading, s.silentAfter, s.home, s.wasHome = old.lastReading, old.silentAfter, old.home, old.wasHome
	s.past, s.quota = old.past, old.quota
	if s.entry.Kind == old.entry.Kind {
		s.heard = old.heard
	}
	if a, b := s.entry, old.entry; a.Kind == b.Kind && a.Preset == b.Preset && a.Profile == b.Profile &&
		a.Device == b.Device && maps.Equal(a.Map, b.Map) {
		s.memory = old.memory
	}
	if since == always || samePlace(s.entry, old.entry) {
		return
	}
	newest := len(r.versions) - 1
	was := term{newest, always, since, strings.Clone(old.entry.Kind), strings.Clone(old.entry.Owner), plans}
	p := &s.past
	if p.changed == newest && len(p.terms) > 0 {
		was.from = p.since
	}
	if !r.began(&was) {
		return // no window did: the term that is over has never been
	}
	p.terms = append(p.terms[:len(p.terms):len(p.terms)], was)
	p.since, p.changed = since, newest
}

// began reports whether a window of any stream of its version starts in a term. Of a sensor that
// changes all the time no more terms are kept than there are windows.
func (r *routing) began(t *term) bool {
	for _, spec := range r.versions[t.version].Streams {
		if start, _ := spec.Window(time.Unix(0, t.until-1)); start.UnixNano() >= t.from {
			return true
		}
	}
	return false
}

// terms are those of a sensor under a version, appended to into, the present one first. A sensor
// of another kind sends something else: for windows of before there is nothing in it.
func (r *routing) terms(s *sensor, version int, into []term) []term {
	now := term{version, always, forever, s.entry.Kind, s.entry.Owner, r.versions[version].Plans[s.entry.ID]}
	switch {
	case len(s.past.terms) == 0:
	case version < s.past.changed: // its plans are those of the register of then
		now.kind, now.owner = s.past.terms[0].kind, s.past.terms[0].owner
	default:
		now.from = s.past.since
	}
	into = append(into, now)
	for _, t := range s.past.terms {
		if t.version == version {
			into = append(into, t)
		}
	}
	return into
}

// forget drops terms under which no window is open any more.
func (p *past) forget(oldest int64) {
	keep := 0
	for keep < len(p.terms) && p.terms[keep].until <= oldest {
		keep++
	}
	if p.terms = p.terms[keep:]; len(p.terms) == 0 {
		*p = past{}
	}
}
