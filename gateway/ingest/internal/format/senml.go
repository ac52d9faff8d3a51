package format

import (
	"math"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
)

// SenML in JSON (RFC 8428). A record's own name n is a field of the sensor's
// kind; the base name bn identifies the sender and is not used. Records go into
// one reading until the time changes or a field comes again:
//
//	[{"bn":"urn:dev:mac:02005e000001:","bt":1795428000,"n":"temperature","v":21.5},
//	 {"n":"humidity","v":60},
//	 {"n":"temperature","v":21.6,"t":60}]
//
// gives two readings. Times below 2^28 are relative to receipt (section 4.5.3).
const (
	relativeBelow = 1 << 28
	senmlVersion  = 10
)

// pack is the state that base fields carry through a pack.
type pack struct {
	baseTime, baseValue float64

	// of the record at hand
	name             []byte
	time, number     float64
	value            *fastjson.Value
	hasTime, isFloat bool
	values           int
}

// isSenML looks at the first record: a native reading has none of these keys.
func (d *Decoder) isSenML(list []*fastjson.Value) bool {
	o, err := list[0].Object()
	if err != nil || o.Get("fields") != nil || d.shape.mapped && o.Get("ts") != nil {
		return false
	}
	for _, key := range []string{"n", "bn", "bt", "bver", "bu", "bv", "v", "vs", "vb", "vd", "s", "bs", "t"} {
		if o.Get(key) != nil {
			return true
		}
	}
	return false
}

// lookSenML looks at some records of a pack, and reports whether it goes on: a pack is
// valid as a whole or not at all (section 4.4), so that all of it is looked at before
// anything counts.
func (d *Decoder) lookSenML(some []*fastjson.Value, last bool) bool {
	for _, v := range some {
		if d.readRecord(v); d.bad.Code != fault.None {
			d.sink.Refused(d.bad)
			return false
		}
	}
	if d.left.at += len(some); last {
		d.left.at, d.left.looked = 0, true
		d.senml = pack{}
		d.r.Reset()
	}
	return true
}

// decodeSenML decodes some records of a pack; the last end its last reading.
func (d *Decoder) decodeSenML(some []*fastjson.Value, last bool) {
	for _, v := range some {
		d.readRecord(v)
		if d.senml.value == nil {
			continue // base fields only
		}
		at, timed, ok := d.senml.instant(d.left.received)
		if !ok {
			d.fail(fault.New(fault.BadTime))
		}
		i, known := d.shape.labels[string(d.senml.name)]
		if !d.r.Empty() && (at != d.stamp.Time || known && d.r.Type(i) != reading.Absent) {
			d.emit()
		}
		d.stamp.Time, d.stamp.Timed = at, timed
		if !known {
			d.sink.Dropped(fault.New(fault.UnknownField))
			continue
		}
		d.setSenML(i)
	}
	if last {
		d.emit()
	}
}

func (d *Decoder) emit() {
	d.stamp.Index = d.left.index
	d.left.index++
	switch {
	case d.bad.Code != fault.None:
		d.sink.Refused(d.bad)
	case d.r.Empty():
		d.sink.Refused(fault.New(fault.MissingField))
	default:
		d.sink.Reading(d.r)
	}
	d.bad = fault.Fault{}
	d.r.Reset()
}

func (d *Decoder) setSenML(i int) {
	kind := d.shape.fields[i].kind
	if !d.senml.isFloat {
		d.set(i, d.senml.value)
		return
	}
	if kind != "int" && kind != "float" {
		d.fail(fault.At(fault.WrongType, i))
		return
	}
	d.number(i, d.senml.number)
}

// readRecord resolves one record into d.senml.
func (d *Decoder) readRecord(v *fastjson.Value) {
	o, err := v.Object()
	if err != nil {
		d.fail(fault.New(fault.SenML))
		return
	}
	p := &d.senml
	p.name, p.time, p.number, p.value, p.hasTime, p.isFloat, p.values = nil, 0, 0, nil, false, false, 0
	o.Visit(d.onRecord)
	if p.values > 1 {
		d.fail(fault.New(fault.SenML))
	}
	if p.isFloat {
		p.number += p.baseValue
	}
}

func (d *Decoder) record(key []byte, v *fastjson.Value) {
	p := &d.senml
	switch string(key) {
	case "bt":
		p.baseTime = d.senmlNumber(v)
	case "bv":
		p.baseValue = d.senmlNumber(v)
	case "bver":
		if d.senmlNumber(v) > senmlVersion {
			d.fail(fault.New(fault.SenML))
		}
	case "t":
		p.time, p.hasTime = d.senmlNumber(v), true
	case "n":
		b, err := v.StringBytes()
		if err != nil || len(b) > MaxText {
			d.fail(fault.New(fault.SenML))
		}
		p.name = b
	case "v":
		p.number, p.value, p.isFloat = d.senmlNumber(v), v, true
		p.values++
	case "vs", "vb", "vd":
		p.value = v
		p.values++
	case "bn", "bu", "u", "bs", "s", "ut":
	default:
		if len(key) > 0 && key[len(key)-1] == '_' {
			d.fail(fault.New(fault.SenML)) // must-understand (section 4.4)
		}
	}
}

func (d *Decoder) senmlNumber(v *fastjson.Value) float64 {
	n, err := v.Float64()
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		d.fail(fault.New(fault.SenML))
		return 0
	}
	return n
}

// instant resolves the record's time, in nanoseconds since 1970; timed is false
// for times relative to receipt.
func (p *pack) instant(received int64) (at int64, timed, ok bool) {
	t := p.baseTime + p.time
	if t >= relativeBelow {
		if t > 9e9 {
			return 0, false, false
		}
		whole := math.Floor(t)
		return int64(whole)*1e9 + int64(math.Round((t-whole)*1e6))*1e3, true, true
	}
	if t > 0 || t < -86400*366 {
		return received, false, t >= 0
	}
	return received + int64(t*1e9), false, true
}
