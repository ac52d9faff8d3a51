package format

import (
	"math"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
	"sluice/register/preset"
)

// SenML in JSON (RFC 8428). A record's own name n is a field of the sensor's
// kind; the base name bn identifies the sender and is not used. Records go into
// one reading until the time changes or a field comes again:
//
//	[{"bn":"urn:dev:mac:02005e000001:","bt":1795428000,"n":"temperature","v":21.5},
//	 {"n":"humidity","v":60},
//	 {"n":"temperature","v":21.6,"t":60}]
//
// gives two readings. A unit that a record says, or the pack for all, is converted to the kind's; one that cannot be
// refuses the reading. A value that cannot be read, or a label that must be understood and is
// not, refuses its reading; a base field, a name or a time that cannot be read, and a key that comes twice,
// refuse the pack, since what belongs together is not known then. Times below 2^28 are relative to receipt
// (section 4.5.3).
const (
	relativeBelow = 1 << 28
	senmlVersion  = 10
)

// bases are what base fields say of the records after them.
type bases struct {
	baseTime, baseValue float64
	base, baseUnit      []byte // base is the name
}

// pack is the state that base fields carry through a pack.
type pack struct {
	bases

	// of the record at hand
	name, unit       []byte
	time, number     float64
	value            *fastjson.Value
	hasTime, isFloat bool
	values           int
	seen             uint16 // of its keys, as bits
	// invalid says that nobody knows what the records from here on mean, bad that this one
	// cannot be read, repeated that one of its keys comes twice.
	invalid, bad, repeated bool

	// of the reading at hand: the fields that came, readable or not
	came uint64
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

// lookSenML looks at some records of a pack, and reports whether it goes on: all of it is
// looked at before anything counts.
func (d *Decoder) lookSenML(some []*fastjson.Value, last bool) bool {
	for _, v := range some {
		switch d.readRecord(v); {
		case d.senml.repeated:
			d.sink.Refused(fault.New(fault.DuplicateKey))
			return false
		case d.senml.invalid:
			d.sink.Refused(fault.New(fault.SenML))
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
		p := &d.senml
		if p.value == nil && !p.bad {
			continue // base fields only
		}
		if d.left.named != nil && !d.whose() {
			continue
		}
		at, timed, ok := p.instant(d.left.received)
		i, known := d.shape.labels[string(p.name)]
		if p.came != 0 && (at != d.stamp.Time || known && p.came&(1<<i) != 0) {
			d.emit()
		}
		d.stamp.Time, d.stamp.Timed = at, timed
		if !known {
			d.sink.Dropped(fault.New(fault.UnknownField))
			continue
		}
		p.came |= 1 << i
		switch {
		case p.bad:
			d.fail(fault.New(fault.SenML))
		case !ok:
			d.fail(fault.New(fault.BadTime))
		default:
			d.setSenML(i)
		}
	}
	if last && d.shape != nil {
		d.emit()
	}
}

// whose turns to the device that the names of a record say, and to what it measures; false where it is nobody's.
// Records of one device that follow each other are counted as nobody's once.
func (d *Decoder) whose() bool {
	from := len(d.texts)
	var device int
	d.texts, device = join(d.texts, d.senml.base, d.senml.name, d.left.named)
	id := d.texts[from : from+device]
	d.senml.name = d.texts[from+device:]
	d.texts = d.texts[:from] // which the next record may have; the name is read before
	if d.wrap.Shape != nil || len(id) > 0 && string(id) == string(d.device) {
		return d.shape != nil
	}
	if d.shape != nil {
		d.emit() // to whom it is of
	}
	if len(id) > MaxText {
		id = nil
	}
	d.device = append(d.device[:0], id...)
	if len(id) == 0 {
		d.shape = d.wrap.Finder.Nobody(fault.NoDevice)
	} else {
		d.shape = d.wrap.Finder.Find(id)
	}
	return d.shape != nil
}

// join appends the device that a base name and a name say, and then what is measured. Of names that have no
// separator nobody knows whose they are.
func join(out, base, name []byte, named *preset.Named) (_ []byte, device int) {
	if named.Device != "" {
		return append(append(out, base...), name...), len(base)
	}
	from := len(out)
	out = append(append(out, base...), name...)
	all, size := out[from:], len(named.Split)
	for at := len(all) - size; at >= 0; at-- {
		if string(all[at:at+size]) == named.Split {
			return append(out[:from+at], all[at+size:]...), at
		}
	}
	return out, 0
}

func (d *Decoder) emit() {
	d.stamp.Index = d.left.index
	d.left.index++
	if d.kept.fields != 0 {
		d.settleStates()
	}
	switch {
	case d.bad.Code != fault.None:
		d.sink.Refused(d.bad)
	case d.r.Empty() && d.late:
		d.sink.Refused(fault.New(fault.Duplicate))
	case d.r.Empty() && d.first:
		d.sink.Refused(fault.New(fault.First))
	case d.r.Empty():
		d.sink.Refused(fault.At(fault.MissingField, d.shape.only))
	default:
		d.sink.Reading(d.r)
	}
	d.bad, d.senml.came, d.first, d.late = fault.Fault{}, 0, false, false
	d.r.Reset()
}

func (d *Decoder) setSenML(i int) {
	kind := d.shape.fields[i].kind
	if d.shape.sources != nil && !d.takeUnit(&element{}, nil, i, d.shape.sources[i]) || !d.saidUnit(i) {
		return
	}
	if !d.senml.isFloat {
		if d.shape.sources != nil {
			d.take(i, d.shape.sources[i], d.senml.value)
		} else {
			d.set(i, d.senml.value)
		}
		return
	}
	if kind != "int" && kind != "float" {
		d.fail(fault.At(fault.WrongType, i))
		return
	}
	if d.shape.sources != nil {
		d.scaled(i, d.shape.sources[i], d.senml.number)
		return
	}
	d.number(i, d.unit.of(d.senml.number))
}

// saidUnit takes up the unit that a record says, or the pack for all, where the kind has one for the field and no
// profile says what the device sends. False where one cannot become the other: the number would be another.
func (d *Decoder) saidUnit(i int) bool {
	var src *source
	if d.shape.sources == nil {
		d.unit = scaling{scale: 1}
	} else {
		src = d.shape.sources[i]
	}
	unit := d.senml.unit
	if unit == nil {
		unit = d.senml.baseUnit
	}
	if len(unit) == 0 || d.shape.measures == nil || d.shape.measures[i] == nil || src != nil && src.measured {
		return true
	}
	to, ok := d.shape.measures[i][string(unit)]
	if !ok {
		d.fail(fault.At(fault.NoUnit, i))
		return false
	}
	if src != nil && src.counter {
		to.offset = 0 // a difference has no zero of its own
	}
	d.unit = scaling{d.unit.scale * to.scale, d.unit.offset*to.scale + to.offset}
	return true
}

// readRecord resolves one record into d.senml.
func (d *Decoder) readRecord(v *fastjson.Value) {
	p := &d.senml
	p.name, p.time, p.number, p.value, p.hasTime, p.isFloat, p.values, p.bad = nil, 0, 0, nil, false, false, 0, false
	p.seen, p.repeated, p.unit = 0, false, nil
	o, err := v.Object()
	if err != nil {
		p.invalid = true
		return
	}
	o.Visit(d.onRecord)
	p.bad = p.bad || p.values > 1
	if p.isFloat {
		p.number += p.baseValue
	}
}

// senmlKeys are the keys of a record that mean something, as bits.
var senmlKeys = map[string]uint16{"bn": 1, "bt": 2, "bu": 4, "bv": 8, "bs": 16, "bver": 32, "n": 64, "u": 128,
	"v": 256, "vs": 512, "vb": 1024, "vd": 2048, "s": 4096, "t": 8192, "ut": 16384}

func (d *Decoder) record(key []byte, v *fastjson.Value) {
	p := &d.senml
	bit := senmlKeys[string(key)]
	p.repeated = p.repeated || p.seen&bit != 0
	p.seen |= bit
	base := func() float64 {
		n, ok := finite(v)
		p.invalid = p.invalid || !ok
		return n
	}
	switch string(key) {
	case "bt":
		p.baseTime = base()
	case "bv":
		p.baseValue = base()
	case "bver":
		p.invalid = base() > senmlVersion || p.invalid
	case "t":
		p.time, p.hasTime = base(), true
	case "n":
		b, err := v.StringBytes()
		p.invalid = p.invalid || err != nil || len(b) > MaxText
		p.name = b
	case "v":
		n, ok := finite(v)
		p.number, p.value, p.isFloat, p.bad = n, v, true, p.bad || !ok
		p.values++
	case "vs", "vb", "vd":
		p.value = v
		p.values++
	case "bn":
		b, _ := v.StringBytes()
		p.invalid = p.invalid || len(b) > MaxText // each record's name begins with it
		p.base = b
	case "bu", "u":
		p.units(v, len(key) == len("bu"))
	case "bs", "s", "ut":
	default:
		p.bad = p.bad || len(key) > 0 && key[len(key)-1] == '_' // must be understood (section 4.4)
	}
}

// units takes a record's unit, or the pack's.
func (p *pack) units(v *fastjson.Value, base bool) {
	b, err := v.StringBytes()
	if base {
		p.baseUnit, p.invalid = b, p.invalid || err != nil
		return
	}
	p.unit, p.bad = b, p.bad || err != nil
}

func finite(v *fastjson.Value) (float64, bool) {
	n, err := v.Float64()
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
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
