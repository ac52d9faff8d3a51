package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/reading"
	"sluice/gateway/ingest/internal/redact"
	"sluice/plan"
	"sluice/register/preset"
)

// aheadAtMost is how far a reading may be ahead of the clock, where a gateway's configuration
// does not say more.
const aheadAtMost = int64(time.Minute)

// trying is one message of a trial.
type trying struct {
	*Trial
	decoder  *format.Decoder
	captured preset.Captured
	topic    *preset.Pattern // nil where it is not known
	payload  []byte
	received int64
	out      Tried
	trace    *format.Trace
	all      []fault.Fault // of the reading at hand
	nobody   fault.Code    // why no identity is where the message should have one
	// unwrapping says that the message is opened, and none of its readings at hand yet.
	unwrapping bool
	last       []byte // identity that a message has
	another    bool   // it is of another device than the register's entry
	timeAt     int    // which of the preset's times the reading has first
}

// Find takes every device for the sensor's.
func (y *trying) Find(device []byte) *format.Shape {
	y.nobody, y.another = fault.None, y.of.Registered && !y.isDevice(device)
	y.last = append(y.last[:0], device...)
	return y.sensor.shape
}

// Nobody takes a reading that does not say whose it is for the sensor's, to say what else is wrong with it.
func (y *trying) Nobody(why fault.Code) *format.Shape {
	y.nobody, y.last = why, y.last[:0]
	return y.sensor.shape
}

// Last is what a device sent before, as a gateway remembers it.
func (y *trying) Last(field int, of *reading.Stamp) (value float64, known, late bool) {
	return memoryOf(y).before(y.sensor.shape.Fingerprint(), field, of)
}

// Keep remembers what a device sent.
func (y *trying) Keep(field int, value float64, of *reading.Stamp) {
	memoryOf(y).keep(y.sensor.shape.Fingerprint(), field, value, of)
}

// memoryOf is that of the device whose reading is at hand.
func memoryOf(y *trying) *memory {
	whose := y.out.Device.Value
	if len(y.last) > 0 {
		whose = string(y.last)
	}
	if y.memories[whose] == nil {
		y.memories[whose] = new(memory)
	}
	return y.memories[whose]
}

// Reading looks which decisions would count a reading.
func (y *trying) Reading(r reading.Reading) {
	one := y.next()
	if one.Another {
		return
	}
	stamp := r.Stamp()
	if stamp.Time > y.received+aheadAtMost {
		y.mistake(fault.New(fault.Future), one.Number)
		return
	}
	if y.nobody != fault.None {
		return
	}
	if !y.of.Judged {
		one.Counts = true
		return
	}
	best, at := fault.New(fault.NoDecision), time.Unix(0, stamp.Time)
	var kept redact.Kept
	var asleep []*plan.Stream
	for i := range y.rules {
		rule := &y.rules[i]
		f := rule.rule.Apply(r, &kept)
		switch {
		case f.Code == fault.None && !rule.stream.InForce(at):
			asleep = append(asleep, rule.stream)
		case f.Code == fault.None:
			one.Counts = true
			one.Decisions = append(one.Decisions, rule.stream.Decision)
		case rank(f.Code) > rank(best.Code):
			best = f
		}
	}
	for _, s := range asleep {
		y.find(asleepAt(s, one))
	}
	if !one.Counts && len(asleep) == 0 {
		y.mistake(best, one.Number)
	}
}

// asleepAt says of a decision that would count a reading that it is not in force when that was observed: a mistake
// where none else counts it.
func asleepAt(s *plan.Stream, one *TriedReading) Finding {
	f := Finding{Level: "mistake", Code: fault.NoDecision.String(), Pointer: "/*", Rule: "policy", Count: 1,
		Reading: one.Number, Fix: "decision " + s.Decision + " is in force from " + day(s.From) + " until " +
			day(s.Until) + ": what a device observes at another time counts for nothing"}
	if one.Counts {
		f.Level, f.Code, f.Reading = "warning", "", 0
	}
	return f
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Refused says all that is wrong with a reading, or with the message.
func (y *trying) Refused(f fault.Fault) {
	if y.whole(f) {
		y.mistake(f, 0)
		return
	}
	all := y.all
	if !slices.Contains(all, f) {
		all = append(all, f)
	}
	one := y.next()
	if one.Another {
		return
	}
	for _, f := range all {
		if (f.Code == fault.BadTime || f.Code == fault.NoClock) && f.Field < 0 {
			one.Instant, one.TimeFrom = nil, ""
		}
		y.mistake(f, one.Number)
	}
}

// whole reports whether a fault is of the message, of which then no reading is known.
func (y *trying) whole(f fault.Fault) bool {
	return y.unwrapping || f.Code == fault.NotJSON || f.Code == fault.TooLarge
}

// Dropped needs no note: the list of keys has them all.
func (y *trying) Dropped(fault.Fault) {}

// Ignored is a reading that is known and none.
func (y *trying) Ignored() { y.next().Ignored = true }

// next begins the account of a reading; its stamp is the decoder's.
func (y *trying) next() *TriedReading {
	if y.trace == nil {
		y.trace = y.decoder.Trace()
	}
	n := len(y.out.Readings)
	stamp, from := y.decoder.Stamp(), y.trace.Origin(n, y.received)
	y.timeAt = from.Tried
	one := TriedReading{Number: n + 1, TimeFrom: from.Time, SeqFrom: from.Seq, BootFrom: from.Boot,
		Boot: from.Boot != "", Device: y.out.Device, Another: y.another, Decisions: []string{}}
	at := y.received
	switch {
	case from.Time == "" && !stamp.Timed:
		one.TimeFrom = "receipt"
	case from.Time == "":
		one.TimeFrom = "/t"
		fallthrough
	default:
		at = stamp.Time
	}
	instant := time.Unix(0, at).UTC()
	one.Instant = &instant
	if stamp.Sequenced {
		seq := stamp.Seq
		one.Seq = &seq
	}
	if y.nobody != fault.None {
		y.mistake(fault.New(y.nobody), one.Number)
	} else if len(y.last) > 0 {
		one.Device = Identity{Value: string(y.last), From: "message", Pointer: from.Device}
		if y.out.Device.From == "" {
			y.out.Device = one.Device
		}
	}
	y.all = nil
	y.out.Readings = append(y.out.Readings, one)
	return &y.out.Readings[n]
}

// keys lists what the message has, and the fields that it has not.
func (y *trying) keys() {
	if y.trace == nil {
		y.trace = y.decoder.Trace()
	}
	keys, more := y.trace.Keys(y.received)
	y.out.More = more
	there := make(map[int]bool)
	for _, k := range keys {
		one := TriedKey{Pointer: k.Pointer, Name: k.Name, There: true, Use: string(k.Use), Fate: "used"}
		switch k.Use {
		case format.UseField:
			there[k.Field] = true
			one.Field = y.of.Kind.Fields[k.Field].Name
			y.fates(one)
			continue
		case format.UseKnown, format.UseNone:
			one.Fate = string(plan.Dropped)
			one.Lacking = y.lacking(one)
		}
		y.out.Keys = append(y.out.Keys, one)
	}
	if len(y.out.Readings) == 0 {
		return
	}
	for i, f := range y.of.Kind.Fields {
		if name := capture(&y.of, f.Name); name != "" {
			y.fates(TriedKey{Name: "{" + name + "}", Field: f.Name, Use: string(format.UseField),
				There: y.topic != nil && y.topic.Capture(name) >= 0})
			continue
		}
		if !there[i] && y.sensor.words.pointers[i] != "" {
			y.fates(TriedKey{Pointer: y.sensor.words.pointers[i], Field: f.Name, Use: string(format.UseField)})
		}
	}
}

// capture is the level of the topic that a field is, or empty.
func capture(of *TrialOf, field string) string {
	e := &of.Sensor
	if e.Profile == "" || e.Map[field] != "" {
		return ""
	}
	return of.Presets.Profiles.Of(e.Profile).Fields[field].Capture
}

// fates lists what each decision makes of a field.
func (y *trying) fates(one TriedKey) {
	one.Fate = "read"
	if y.of.Judged {
		one.Fate = string(plan.Dropped)
	}
	named := false
	for i := range y.rules {
		s := y.rules[i].stream
		if fate := s.FateOf(one.Field); fate != plan.Dropped {
			one.Fate, one.Decision, named = string(fate), s.Decision, true
			y.out.Keys = append(y.out.Keys, one)
		}
	}
	if !named {
		y.out.Keys = append(y.out.Keys, one)
	}
}

// costs warns where readings cannot be told apart exactly (docs/wire.md).
func (y *trying) costs() {
	for _, r := range y.out.Readings {
		switch {
		case r.Ignored || r.Another || r.Seq != nil && (r.Boot || y.sensor.system != nil):
		case r.Seq != nil:
			y.warn("sequence", "there is no boot: send one that changes at a restart, or a reading after it may be "+
				"taken for one before it, where seq begins anew and ts is absent or the same")
		case r.TimeFrom == "receipt":
			y.warn("sequence", "there is neither seq nor a time: a message that is sent again counts twice, unless "+
				"its sender marks it as a duplicate")
		default:
			y.warn("sequence", "there is no seq: an equal message within the window is taken for a repetition, and "+
				"each costs the gateway more; send seq, up by one from reading to reading")
		}
	}
}

// warn notes what is no mistake, once.
func (y *trying) warn(rule, fix string) {
	y.find(Finding{Level: "warning", Pointer: "/*", Rule: rule, Fix: fix, Count: 1})
}

// mistake notes a fault of a reading, or of the message for 0.
func (y *trying) mistake(f fault.Fault, n int) {
	one := Finding{Level: "mistake", Code: f.Code.String(), Reading: n, Count: 1}
	one.Pointer, one.Rule, one.Fix = y.sensor.words.of(f)
	if y.sensor.system != nil {
		y.inEnvelope(f, &one)
	}
	if f.Code == fault.NoDecision {
		one.Fix = "no decision of the policy is for a sensor of this kind, zone and owner; sluice policy explain " +
			"says whom each is for"
	}
	if f.Code == fault.NotJSON && y.out.Role != string(preset.Heartbeat) {
		one.Line = lineOf(y.payload)
	}
	y.find(one)
}

func (y *trying) find(one Finding) {
	for i := range y.out.Findings {
		if f := &y.out.Findings[i]; f.Code == one.Code && f.Pointer == one.Pointer && f.Fix == one.Fix {
			if f.Code != "" {
				f.Count++
			}
			return
		}
	}
	y.out.Findings = append(y.out.Findings, one)
}

// inEnvelope says of a fault what is known of it only where one message is tried.
func (y *trying) inEnvelope(f fault.Fault, one *Finding) {
	p := y.sensor.system.preset
	switch {
	case f.Key() == "ts" && len(p.TS) > 0:
		tried := y.sensor.words
		at := p.TS[min(y.timeAt, len(p.TS)-1)]
		if one.Pointer != at.Pointer {
			sole := *p
			sole.TS = p.TS[min(y.timeAt, len(p.TS)-1):]
			tried.preset = &sole
			one.Pointer, one.Rule, one.Fix = tried.of(f)
		}
	case f.Code == fault.First:
		one.Level = "warning"
		one.Fix = "a counter or state is compared with the device's last, and this is the first: give a second " +
			"sample to see one count"
	case f.Code == fault.UnknownTopic && y.another:
		one.Fix = y.otherDevice(y.out.Device.Value)
	case f.Code == fault.UnknownTopic:
		one.Fix = "give the topic that the message came on, as the preset has it: spBv1.0/GROUP/DDATA/NODE/DEVICE; " +
			"it says whether the message is a birth or data"
	case f.Code == y.nobody && y.nobody != fault.None:
		one.Pointer = p.Device
	case one.Reading == 0 && f.Code == fault.NotMapped && p.Format == preset.Sparkplug:
		one.Pointer, one.Fix = "/readings", "no metric of it has a name that is known"
	}
}

// lineOf is the line on which JSON cannot be read; 0 where it can, and of what is no text.
func lineOf(payload []byte) int {
	if !utf8.Valid(payload) || len(payload) == 0 {
		return 0
	}
	var v any
	var wrong *json.SyntaxError
	if !errors.As(json.Unmarshal(payload, &v), &wrong) {
		return 0
	}
	return 1 + bytes.Count(payload[:min(int(wrong.Offset), len(payload))], []byte("\n"))
}
