// Package format turns a message into readings. A message is one JSON object,
// an array of them, or a SenML pack (RFC 8428), in JSON or in CBOR (RFC 8949);
// docs/wire.md is its specification. Messages of other systems come in the
// envelope of a preset.
//
//	{"ts":"2026-11-23T10:00:00Z","seq":123,"fields":{"device":"02:00:5e:00:00:01","rssi":-61}}
//
// One bad reading does not spoil the others of its message. A Decoder is used
// by one goroutine and allocates nothing per reading once it is warm.
package format

import (
	"math"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/cbor"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
	"sluice/register/preset"
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
	// Ignored is what is known and is no reading.
	Ignored()
}

// Decoder holds what is used again from message to message.
type Decoder struct {
	parser fastjson.Parser
	cbor   *cbor.Decoder // nil before the first message in CBOR
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
	also                     func(fault.Fault)
	look                     *lookup

	unwrapping // of a message in an envelope
}

// NewDecoder makes a decoder.
func NewDecoder() *Decoder {
	d := &Decoder{r: reading.New(), look: newLookup()}
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
	index         int           // of the next reading in a pack
	named         *preset.Named // says whose a record is; nil where all are one's
	elements      []element
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
	d.left, d.message = left{}, nil
	d.r.Reset()
	if len(payload) > MaxMessage {
		sink.Refused(fault.New(fault.TooLarge))
		return
	}
	v, bad := d.read(payload)
	if bad.Code != fault.None {
		sink.Refused(bad)
		return
	}
	d.message = v
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

// read makes a tree of JSON, or of CBOR.
func (d *Decoder) read(payload []byte) (*fastjson.Value, fault.Fault) {
	if cbor.Begins(payload) {
		return d.readCBOR(payload)
	}
	v, err := d.parser.ParseBytes(payload)
	if err != nil {
		return nil, fault.New(fault.NotJSON)
	}
	return v, fault.Fault{}
}

func (d *Decoder) readCBOR(payload []byte) (*fastjson.Value, fault.Fault) {
	if d.cbor == nil {
		d.cbor = cbor.New()
	}
	return d.cbor.Decode(payload, true)
}

// Stamp is of the reading at hand, as far as it has been decoded: what the sink is told
// while it is, is of that.
func (d *Decoder) Stamp() *reading.Stamp { return d.stamp }

// Next decodes up to n elements of the array that was begun, and reports whether there
// are more. The payload must stay as it is until then.
func (d *Decoder) Next(n int) bool {
	l := &d.left
	if l.elements != nil {
		return d.nextWrapped(n)
	}
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

// nextWrapped is Next for a message in an envelope.
func (d *Decoder) nextWrapped(n int) bool {
	l := &d.left
	for range min(n, len(l.elements)-l.at) {
		d.unwrap(&l.elements[l.at], l.at, l.received)
		l.at++
	}
	if l.at < len(l.elements) {
		return true
	}
	*l = left{}
	return false
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
		d.textField(i, kind, b)
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

func (d *Decoder) textField(i int, kind string, b []byte) {
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
