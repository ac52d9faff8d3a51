package ingest

import (
	"cmp"
	"reflect"
	"time"

	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/redact"
	"sluice/plan"
	"sluice/register"
)

// fitter makes shapes and rules, each once for all sensors that share it, for routes to
// streams in windows from the oldest on.
type fitter struct {
	streams map[string]*stream
	oldest  time.Time
	shapes  map[shapeKey]sent
	rules   map[ruleKey]fitted
}

// shapeKey is a kind, how its readings come, and a map of the register, which has equal maps once.
type shapeKey struct {
	kind, profile string
	system        *system
	mapp          uintptr
}

// sent is what sensors send.
type sent struct {
	shape    *format.Shape
	words    words
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

func newFitter(streams map[string]*stream, oldest time.Time) *fitter {
	return &fitter{streams, oldest, make(map[shapeKey]sent), make(map[ruleKey]fitted)}
}

func (f *fitter) shape(kind register.Kind, s *sensor) sent {
	e := s.entry
	key := shapeKey{e.Kind, e.Profile, s.system, reflect.ValueOf(e.Map).Pointer()}
	out, known := f.shapes[key]
	if !known {
		out = shapeOf(kind, s)
		out.unmapped = len(e.Unmapped(kind)) > 0
		f.shapes[key] = out
	}
	return out
}

func shapeOf(kind register.Kind, s *sensor) sent {
	e, n := s.entry, len(kind.Fields)
	names := make([]string, n)
	w := newWords(n)
	for f, field := range kind.Fields {
		names[f], w.pointers[f] = field.Name, cmp.Or(e.Map[field.Name], "/fields/"+field.Name)
		w.types[f], w.forms[f], w.valid[f] = field.Type, field.Format, field.Valid
	}
	shape := format.NewShape(names, w.types, w.forms, e.Map)
	units := make([]string, n)
	for f, field := range kind.Fields {
		units[f] = field.Unit
	}
	shape.Measure(units)
	if s.system != nil {
		profile := s.system.profiles.Of(e.Profile)
		w.pointers, _ = shape.Wrap(s.system.envelope, profile, e.Map, units)
		w.preset = s.system.preset
		for f, name := range names {
			if e.Map[name] == "" {
				w.profiled(f, name, profile)
			}
		}
	}
	for f, v := range w.valid {
		if len(v) == 2 {
			shape.Limit(f, v[0], v[1])
		}
	}
	return sent{shape: shape, words: w}
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
