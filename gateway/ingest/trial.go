package ingest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/ingest/internal/sparkplug"
	"sluice/plan"
	"sluice/register"
	"sluice/register/preset"
)

// Trial tries samples of what a sensor sends, with the decoder, shapes and rules of a gateway, and
// says what would become of them. It keeps nothing but what the births of Sparkplug say, and the last values of
// counters and states.
type Trial struct {
	of     TrialOf
	sensor *sensor
	rules  []trialRule
	edges  *sparkplug.Edges
	// memories have the last values of each device, for counters and states.
	memories map[string]*memory
	last     time.Time // when the last message came
	unfit    []Finding
}

// TrialOf is what is tried: a sensor as the register would have it, and its kind. Where Judged is
// false no policy is looked at: then a reading counts that can be read.
type TrialOf struct {
	Sensor  register.Sensor
	Kind    register.Kind
	Presets *preset.Library
	City    *time.Location // of local times
	Judged  bool
	// Registered says that the sensor is a register's entry: then what another device sends is not taken for its own.
	Registered bool
	Plans      []plan.Plan
	Zones      *register.Zones
}

type trialRule struct {
	stream *plan.Stream
	rule   *redact.Rule
}

// Tried is what becomes of one message.
type Tried struct {
	// Role is what the message is: reading, heartbeat, ignore, birth, death, or unknown.
	Role     string         `json:"role"`
	Device   Identity       `json:"device"`
	Readings []TriedReading `json:"readings"`
	Keys     []TriedKey     `json:"keys"`
	More     bool           `json:"more_keys"` // than are listed
	Findings []Finding      `json:"findings"`
}

// Identity is whose a message or a reading is. From is topic, message, or empty where nothing
// says so; Pointer is where in the message.
type Identity struct {
	Value   string `json:"value"`
	From    string `json:"from"`
	Pointer string `json:"pointer"`
}

// TriedReading is one reading of a message, from 1. Instant is nil where the time cannot be read;
// TimeFrom is a JSON pointer, or receipt. Seq is nil where there is none.
type TriedReading struct {
	Number    int        `json:"reading"`
	Instant   *time.Time `json:"instant"`
	TimeFrom  string     `json:"time_from"`
	Seq       *uint64    `json:"seq"`
	SeqFrom   string     `json:"seq_from"`
	Boot      bool       `json:"boot"`
	BootFrom  string     `json:"boot_from"`
	Device    Identity   `json:"device"`
	Counts    bool       `json:"counts"`
	Ignored   bool       `json:"ignored"`
	Another   bool       `json:"another"` // it is of another device than the register's entry
	Decisions []string   `json:"decisions"`
}

// TriedKey is a key of the message, or a field of the kind that is not there. Use is time, seq,
// boot, device, type, name, field, known or none; Fate is kept, generalised, counted or dropped by
// Decision, read where no policy is looked at, or used. There is one for each decision.
type TriedKey struct {
	Pointer  string `json:"pointer"`
	Name     string `json:"name"` // beside the value, as in SenML; or {NAME} of a level of the topic
	Field    string `json:"field"`
	There    bool   `json:"there"`
	Use      string `json:"use"`
	Fate     string `json:"fate"`
	Decision string `json:"decision"`
	// Lacking is the field that the profile has there, and the kind has not.
	Lacking string `json:"lacking"`
}

// Finding is a mistake, with a code of docs/wire.md, or a warning without one. Reading is the first
// that has it, from 1, and 0 for the message as a whole; Line is of a text that does not parse.
type Finding struct {
	Level   string `json:"level"` // mistake or warning
	Code    string `json:"code"`
	Pointer string `json:"pointer"`
	Rule    string `json:"rule"`
	Fix     string `json:"fix"`
	Reading int    `json:"reading"`
	Line    int    `json:"line"`
	Count   int    `json:"count"`
}

// NewTrial makes a trial; the preset and the profile that the sensor names are in Presets.
func NewTrial(of TrialOf) *Trial {
	if of.City == nil {
		of.City = time.UTC
	}
	s := &sensor{entry: &of.Sensor}
	t := &Trial{of: of, sensor: s, edges: sparkplug.New(), memories: make(map[string]*memory)}
	if of.Sensor.Preset != "" {
		p := of.Presets.Presets.Of(of.Sensor.Preset)
		s.system = &system{preset: p, envelope: format.NewEnvelope(p, of.City), profiles: of.Presets.Profiles}
	}
	sent := shapeOf(of.Kind, s)
	s.shape, s.words = sent.shape, sent.words
	t.checkEntry()
	f := newFitter(nil, time.Time{})
	for _, p := range of.Plans {
		rule, err := f.rule(0, p, s.shape, of.Zones)
		if err != nil {
			t.entryFault("/*", "decision "+p.Stream.Decision+" needs a field that the kind has not")
			continue
		}
		t.rules = append(t.rules, trialRule{p.Stream, rule.For(of.Sensor.ID)})
	}
	return t
}

// checkEntry finds fields of the map that the kind has not, and units of the profile that cannot
// become the kind's.
func (t *Trial) checkEntry() {
	e := &t.of.Sensor
	for _, name := range e.Unmapped(t.of.Kind) {
		t.entryFault(e.Map[name], "the kind has no field "+name+": name one that it has")
	}
	p := t.of.Presets.Profiles.Of(e.Profile)
	if t.sensor.system != nil {
		if why := t.sensor.system.preset.Reads(p, t.own()); why != "" {
			t.entryFault("/*", why)
		}
	}
	if p == nil {
		return
	}
	for _, f := range t.of.Kind.Fields {
		src, named := p.Fields[f.Name]
		if why := src.Makes(f.Type); named && !src.Ignore && e.Map[f.Name] == "" && why != "" {
			t.entryFault(cmp.Or(src.Pointer, "/*"), "the profile cannot fill "+f.Name+" of the kind: "+why)
		}
		if named && !src.Ignore && e.Map[f.Name] == "" && !src.Unit.Becomes(f.Unit) {
			t.entryFault(src.Pointer, "the profile has "+f.Name+" in "+src.Unit.String()+
				", which cannot be converted to the kind's "+cmp.Or(f.Unit, "number without a unit"))
		}
	}
	names := slices.Sorted(maps.Keys(p.Fields))
	if !slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(t.of.Kind.Fields, func(f register.Field) bool { return f.Name == name })
	}) {
		t.entryFault("/*", "the kind has none of the profile's fields, which are "+strings.Join(names, ", "))
	}
}

func (t *Trial) entryFault(pointer, fix string) {
	t.unfit = append(t.unfit, Finding{Level: "mistake", Code: fault.Unfit.String(), Pointer: pointer,
		Rule: fault.Unfit.Rule(), Fix: fix, Count: 1})
}

// Entry is what is wrong with the sensor's own entry, whatever it sends.
func (t *Trial) Entry() []Finding { return t.unfit }

// Try tries one message. The topic is empty where it is not known; received dates what has no time
// of its own; of messages that come at once, each comes a little after the one before.
func (t *Trial) Try(topic string, payload []byte, received time.Time) Tried {
	if !received.After(t.last) {
		received = t.last.Add(time.Millisecond)
	}
	t.last = received
	y := &trying{Trial: t, decoder: format.NewDecoder(), received: received.UnixNano(), payload: payload}
	y.decoder.Everything(func(f fault.Fault) { y.all = append(y.all, f) })
	y.out.Role = string(preset.Reading)
	if t.sensor.system == nil {
		y.native(topic)
	} else {
		y.wrapped(topic)
	}
	y.keys()
	y.costs()
	if len(y.out.Readings) == 0 && slices.ContainsFunc(y.out.Findings, func(f Finding) bool { return f.Code != "" }) {
		y.out.Role = "unknown"
	}
	y.out.Readings = append([]TriedReading{}, y.out.Readings...) // a list, also where there are none
	y.out.Keys = append([]TriedKey{}, y.out.Keys...)
	y.out.Findings = append([]Finding{}, y.out.Findings...)
	return y.out
}

// native takes a message in the city's own format.
func (y *trying) native(topic string) {
	if rest, ours := strings.CutPrefix(topic, "city/v1/"); ours {
		owner, rest, _ := strings.Cut(rest, "/")
		id, what, ok := strings.Cut(rest, "/")
		switch {
		case !ok || owner == "" || id == "" || what != "up" && what != "hb":
			y.mistake(fault.New(fault.UnknownTopic), 0)
		case what == "hb":
			y.out.Role = string(preset.Heartbeat)
			_, _, faults := parseHeartbeat(y.payload)
			for _, f := range faults {
				y.mistake(f, 0)
			}
			fallthrough
		default:
			y.out.Device = Identity{Value: id, From: "topic"}
		}
	}
	if y.out.Role == string(preset.Heartbeat) {
		return
	}
	y.decoder.Begin(y.payload, y.sensor.shape, y.received, y)
	for y.decoder.Next(format.MaxReadings) {
	}
}

// wrapped takes a message in a preset's envelope.
func (y *trying) wrapped(topic string) {
	p := y.sensor.system.preset
	w := format.Wrapped{Envelope: y.sensor.system.envelope, Finder: y, Memory: y}
	if topic != "" {
		pattern, role, known := y.pattern(topic, &y.captured)
		if known {
			y.out.Role, w.Topic, w.Captured = string(role), pattern, &y.captured
			y.topic = pattern
			w.Lenient = role == preset.Birth // another device's, or the edge node's own
		} else if len(p.Topics) > 0 {
			y.warn("register", "the topic fits none of the preset's, of which one is "+p.Topics[0].Pattern+
				": a sensor there needs a topic of its own in the register")
		}
		if known && pattern.Identifies() {
			y.out.Device = Identity{Value: string(pattern.DeviceOf(&y.captured)), From: "topic"}
			w.Shape = y.sensor.shape
			if y.of.Registered && !y.isDevice(pattern.DeviceOf(&y.captured)) {
				y.another = true
				y.mistake(fault.New(fault.UnknownTopic), 0)
			}
		}
		if role == preset.Heartbeat && !y.decoder.Meets(y.payload, y.condition(topic)) {
			y.out.Role = string(preset.Ignore)
		}
		if role == preset.Ignore || role == preset.Heartbeat {
			return
		}
	}
	if p.Device == "" && p.SenML == nil || y.sensor.entry.Topic != "" {
		w.Shape = y.sensor.shape // only a topic says whose it is
	}
	if p.Format == preset.Sparkplug {
		y.sparkplug(topic, w)
		return
	}
	y.unwrapping = true
	role := y.decoder.BeginWrapped(y.payload, w, y.received, y)
	y.unwrapping = false
	if role == preset.Reading {
		for y.decoder.Next(format.MaxReadings) {
		}
		return
	}
	y.out.Role = string(role)
}

// pattern finds what a topic is: the sensor's own, or the first of the preset's that fits.
func (t *Trial) pattern(topic string, captured *preset.Captured) (*preset.Pattern, preset.Role, bool) {
	if t.sensor.entry.Topic != "" {
		own, err := t.sensor.entry.Pattern()
		return &own, preset.Reading, err == nil && own.Match(topic, captured)
	}
	topics := t.sensor.system.preset.Topics
	for i := range topics {
		if m := topics[i].Matcher(); m.Match(topic, captured) {
			return m, topics[i].Role, true
		}
	}
	return nil, "", false
}

// sparkplug takes a message of an edge node.
func (y *trying) sparkplug(topic string, w format.Wrapped) {
	at, ok := sparkplug.ParseTopic(topic)
	if !ok {
		y.mistake(fault.New(fault.UnknownTopic), 0)
		return
	}
	got, bad := y.edges.Take(at, y.payload, y.received)
	switch {
	case bad.Code != fault.None:
		y.mistake(bad, 0)
	case got.Tree == nil:
		y.out.Role = string(preset.Death)
	}
	if got.Unknown > 0 {
		y.warn("sequence", "no birth says what some metrics are, so they are dropped, and the gateway asks for a "+
			"rebirth: give the birth first, with its topic")
	}
	if got.Tree == nil {
		return
	}
	y.unwrapping = true
	more := y.decoder.BeginTree(got.Tree, w, y.received, y)
	y.unwrapping = false
	for more {
		more = y.decoder.Next(format.MaxReadings)
	}
}
