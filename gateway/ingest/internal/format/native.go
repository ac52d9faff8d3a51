package format

import (
	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
)

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
	if d.goesOn() && d.fieldsObject != nil {
		if fields, err := d.fieldsObject.Object(); err == nil {
			fields.Visit(d.onField)
		} else if !d.shape.mapped { // another format may call something else by that name
			d.fail(fault.AtKey(fault.WrongType, fault.KeyFields))
		}
	}
	if d.goesOn() && d.shape.mapped {
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
	if d.also != nil {
		d.also(f)
	}
}

// goesOn reports whether the rest of a reading is looked at: not of one that is refused, unless
// somebody wants all that is wrong with it.
func (d *Decoder) goesOn() bool { return d.bad.Code == fault.None || d.also != nil }

func (d *Decoder) time(v *fastjson.Value) {
	b, err := v.StringBytes()
	if err != nil {
		d.fail(fault.AtKey(fault.BadTime, fault.KeyTime))
		return
	}
	t, ok := parseTime(b)
	if !ok && len(b) > 4 && len(b) <= MaxText {
		d.texts = append(append(d.texts[:0], "2024"...), b[4:]...)
		if _, ok := parseTime(d.texts); ok {
			d.fail(fault.AtKey(fault.NoClock, fault.KeyTime))
			return
		}
	}
	if !ok {
		d.fail(fault.AtKey(fault.BadTime, fault.KeyTime))
	}
	d.stamp.Time, d.stamp.Timed = t, true
}

// fnv is FNV-1a (Fowler, Noll, Vo) in 64 bits.
func fnv(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// boot folds a whole number or a text into 64 bits (FNV-1a); it only tells one
// start of a sensor from another.
func (d *Decoder) boot(v *fastjson.Value) {
	if v.Type() == fastjson.TypeNumber {
		n, err := v.Uint64()
		if err != nil {
			d.fail(fault.AtKey(fault.WrongType, fault.KeyBoot))
		}
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
	d.stamp.Boot = fnv(b) | 1<<63
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
		v := d.look.get(root, f.path)
		if d.look.repeated() {
			d.fail(fault.At(fault.DuplicateKey, i))
		}
		if v != nil {
			d.set(i, v)
		}
	}
}
