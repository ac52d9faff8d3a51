// Package format turns a message into readings. A message is one JSON object,
// an array of them, or a SenML pack (RFC 8428); docs/wire.md is its
// specification.
//
//	{"ts":"2026-11-23T10:00:00Z","seq":123,"fields":{"device":"02:00:5e:00:00:01","rssi":-61}}
//
// One bad reading does not spoil the others of its message. A Decoder is used
// by one goroutine and allocates nothing per reading once it is warm.
package format

import (
	"math"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
)

// Bounds on one message.
const (
	MaxMessage  = 1 << 20
	MaxReadings = 10_000
	MaxText     = 256
)

// Sink takes what a message holds. The reading is used again after the call.
type Sink interface {
	Reading(r reading.Reading)
	// Refused is a reading that is dropped.
	Refused(f fault.Fault)
	// Dropped is a field that is dropped; its reading goes on.
	Dropped(f fault.Fault)
}

// Decoder holds what is used again from message to message.
type Decoder struct {
	parser fastjson.Parser
	r      reading.Reading
	stamp  *reading.Stamp
	shape  *Shape
	sink   Sink
	bad    fault.Fault
	senml  pack
	left   left

	onTop, onField, onRecord func(key []byte, v *fastjson.Value)
	fieldsObject             *fastjson.Value
	strays                   int // keys beside fields that are none of ours
	seen                     uint8
	next                     int // the field that is likely next
}

// NewDecoder makes a decoder.
func NewDecoder() *Decoder {
	d := &Decoder{r: reading.New()}
	d.stamp = d.r.Stamp()
	d.onTop, d.onField, d.onRecord = d.top, d.field, d.record
	return d
}

// left is what of an array was not decoded yet.
type left struct {
	list     []*fastjson.Value
	at       int // of the next element
	received int64
	// senml says that it is a pack, looked that all of it has been looked at.
	senml, looked bool
	index         int // of the next reading in a pack
}

// Decode hands every reading of the payload to sink. The instant of receipt, in
// nanoseconds since 1970, dates readings without a time and relative ones.
func (d *Decoder) Decode(payload []byte, shape *Shape, received int64, sink Sink) {
	d.Begin(payload, shape, received, sink)
	for d.Next(MaxReadings) {
	}
}

// Begin is Decode for a payload that is taken in parts: of an array it hands out
// nothing yet, Next does.
func (d *Decoder) Begin(payload []byte, shape *Shape, received int64, sink Sink) {
	d.shape, d.sink = shape, sink
	d.left = left{}
	d.r.Reset()
	if len(payload) > MaxMessage {
		sink.Refused(fault.New(fault.TooLarge))
		return
	}
	v, err := d.parser.ParseBytes(payload)
	if err != nil {
		sink.Refused(fault.New(fault.NotJSON))
		return
	}
	switch v.Type() {
	case fastjson.TypeObject:
		d.object(v, 0, received)
	case fastjson.TypeArray:
		list, _ := v.Array()
		switch {
		case len(list) == 0:
			sink.Refused(fault.New(fault.NotJSON))
		default:
			for range len(list) - MaxReadings { // the others are fine
				sink.Refused(fault.New(fault.TooLarge))
			}
			list = list[:min(len(list), MaxReadings)]
			d.left = left{list: list, received: received, senml: d.isSenML(list)}
			d.bad, d.senml = fault.Fault{}, pack{}
		}
	default:
		sink.Refused(fault.New(fault.NotJSON))
	}
}

// Stamp is of the reading at hand, as far as it has been decoded: what the sink is told
// while it is, is of that.
func (d *Decoder) Stamp() *reading.Stamp { return d.stamp }

// Next decodes up to n elements of the array that was begun, and reports whether there
// are more. The payload must stay as it is until then.
func (d *Decoder) Next(n int) bool {
	l := &d.left
	some := l.list[l.at:min(len(l.list), l.at+n)]
	switch {
	case len(some) == 0:
	case !l.senml:
		for i, element := range some {
			d.object(element, l.at+i, l.received)
		}
	case !l.looked:
		if d.lookSenML(some, l.at+n >= len(l.list)) {
			return true
		}
		some = l.list // it is refused
	default:
		d.decodeSenML(some, l.at+n >= len(l.list))
	}
	if l.at += len(some); l.at < len(l.list) {
		return true
	}
	*l = left{}
	return false
}

// object decodes one reading.
func (d *Decoder) object(v *fastjson.Value, index int, received int64) {
	d.r.Reset()
	o, err := v.Object()
	if err != nil {
		d.sink.Refused(fault.New(fault.WrongType))
		return
	}
	d.stamp.Index, d.bad, d.fieldsObject, d.seen, d.next, d.strays = index, fault.Fault{}, nil, 0, 0, 0
	o.Visit(d.onTop)
	if d.bad.Code == fault.None && d.fieldsObject != nil {
		if fields, err := d.fieldsObject.Object(); err == nil {
			fields.Visit(d.onField)
		} else if !d.shape.mapped { // another format may call something else by that name
			d.bad = fault.AtKey(fault.WrongType, fault.KeyFields)
		}
	}
	if d.bad.Code == fault.None && d.shape.mapped {
		d.pointed(v)
	}
	if d.bad.Code == fault.None && d.r.Empty() {
		d.bad = fault.At(fault.MissingField, d.shape.only)
		switch {
		case d.shape.mapped:
			d.bad = fault.At(fault.NotMapped, d.shape.only)
		case d.fieldsObject == nil:
			d.bad = fault.New(fault.NoFields)
		}
	}
	if d.bad.Code != fault.NoFields { // whose words are about them
		for range d.strays {
			d.sink.Dropped(fault.New(fault.UnknownField))
		}
	}
	if d.bad.Code != fault.None {
		d.sink.Refused(d.bad)
		return
	}
	if !d.stamp.Timed {
		d.stamp.Time = received
	}
	d.sink.Reading(d.r)
}

// Keys of a reading, as bits to find repeated ones.
const (
	keyTime = 1 << iota
	keySeq
	keyBoot
	keyFields
)

// reserved are their names.
var reserved = map[string]uint8{"ts": keyTime, "seq": keySeq, "boot": keyBoot, "fields": keyFields}

func (d *Decoder) top(key []byte, v *fastjson.Value) {
	if d.shape.claimed != 0 && d.shape.claimed&reserved[string(key)] != 0 {
		return // the register says that it is a field
	}
	switch string(key) {
	case "ts":
		d.once(keyTime)
		d.time(v)
	case "seq":
		d.once(keySeq)
		n, err := v.Uint64()
		if err != nil {
			d.fail(fault.AtKey(fault.WrongType, fault.KeySeq))
			return
		}
		d.stamp.Seq, d.stamp.Sequenced = n, true
	case "boot":
		d.once(keyBoot)
		d.boot(v)
	case "fields":
		d.once(keyFields)
		d.fieldsObject = v
	default:
		if !d.shape.mapped {
			d.strays++
		}
	}
}

func (d *Decoder) once(bit uint8) {
	if d.seen&bit != 0 {
		d.fail(fault.New(fault.DuplicateKey))
	}
	d.seen |= bit
}

func (d *Decoder) fail(f fault.Fault) {
	if d.bad.Code == fault.None {
		d.bad = f
	}
}

func (d *Decoder) time(v *fastjson.Value) {
	b, err := v.StringBytes()
	if err != nil {
		d.fail(fault.AtKey(fault.BadTime, fault.KeyTime))
		return
	}
	t, ok := parseTime(b)
	if !ok {
		d.fail(fault.AtKey(fault.BadTime, fault.KeyTime))
	}
	d.stamp.Time, d.stamp.Timed = t, true
}

// boot folds a whole number or a text into 64 bits (FNV-1a); it only tells one
// start of a sensor from another.
func (d *Decoder) boot(v *fastjson.Value) {
	if n, err := v.Uint64(); err == nil {
		d.stamp.Boot = n
		return
	}
	b, err := v.StringBytes()
	switch {
	case err != nil:
		d.fail(fault.AtKey(fault.WrongType, fault.KeyBoot))
		return
	case len(b) > MaxText:
		d.fail(fault.AtKey(fault.TooLong, fault.KeyBoot))
		return
	}
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	d.stamp.Boot = h | 1<<63
}

func (d *Decoder) field(key []byte, v *fastjson.Value) {
	// Sensors send their fields in the kind's order more often than not.
	i, known := d.next, true
	if i >= len(d.shape.names) || d.shape.names[i] != string(key) {
		i, known = d.shape.index[string(key)]
	}
	d.next = i + 1
	if known && d.shape.fields[i].path == nil {
		d.set(i, v)
	} else if !d.shape.mapped {
		d.sink.Dropped(fault.New(fault.UnknownField))
	}
}

// pointed finds the fields that the register maps by pointer.
func (d *Decoder) pointed(root *fastjson.Value) {
	for i, f := range d.shape.fields {
		if f.path == nil {
			continue
		}
		if v := root.Get(f.path...); v != nil {
			d.set(i, v)
		}
	}
}

// set checks a value against its field's type; null is the same as absent.
func (d *Decoder) set(i int, v *fastjson.Value) {
	if v.Type() == fastjson.TypeNull {
		return
	}
	kind := d.shape.fields[i].kind
	switch kind {
	case "int", "float":
		if v.Type() != fastjson.TypeNumber {
			d.fail(fault.At(fault.WrongType, i))
			return
		}
		n, err := v.Float64()
		if err != nil {
			n = math.NaN()
		}
		d.number(i, n)
	case "bool":
		b, err := v.Bool()
		if err != nil {
			d.fail(fault.At(fault.WrongType, i))
			return
		}
		d.unique(i, d.r.SetBool(i, b))
	default:
		b, err := v.StringBytes()
		if err != nil {
			d.fail(fault.At(fault.WrongType, i))
			return
		}
		d.text(i, kind, b)
	}
}

// number takes finite numbers that the kind calls valid, and whole ones within 2^53 for int.
func (d *Decoder) number(i int, n float64) {
	f := &d.shape.fields[i]
	whole := f.kind == "int"
	if math.IsNaN(n) || math.IsInf(n, 0) || whole && (n != math.Trunc(n) || math.Abs(n) > 1<<53) {
		d.fail(fault.At(fault.NotANumber, i))
		return
	}
	if n < f.low || n > f.high {
		d.fail(fault.At(fault.OutOfRange, i))
		return
	}
	d.unique(i, d.r.SetNumber(i, n))
}

func (d *Decoder) text(i int, kind string, b []byte) {
	switch {
	case len(b) > MaxText:
		d.fail(fault.At(fault.TooLong, i))
	case kind == "time":
		t, ok := parseTime(b)
		if !ok {
			d.fail(fault.At(fault.BadTime, i))
			return
		}
		d.unique(i, d.r.SetNumber(i, float64(t)/1e9))
	default:
		b, ok := canonical(d.shape.fields[i].form, b)
		if !ok {
			d.fail(fault.At(fault.BadForm, i))
			return
		}
		d.unique(i, d.r.SetText(i, b))
	}
}

func (d *Decoder) unique(i int, first bool) {
	if !first {
		d.fail(fault.At(fault.DuplicateKey, i))
	}
}
