package format

import (
	"strconv"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
	"sluice/internal/instant"
	"sluice/register/preset"
)

// element is one reading of a message, inside what it is in.
type element struct {
	in  [preset.MaxNested]*fastjson.Value // the elements around it, the outermost first
	own *fastjson.Value
}

// gatherAll lists the readings of a message. A list of messages whose readings are inside is as these messages.
func (d *Decoder) gatherAll(v *fastjson.Value) (over int) {
	each := d.wrap.Envelope.each
	if len(each) == 0 || v.Type() != fastjson.TypeArray {
		d.nameColumns(v)
		return d.gather(element{own: v}, each)
	}
	list := v.GetArray()
	if len(list) == 0 {
		d.sink.Refused(fault.AtKey(fault.NoList, fault.KeyEach))
	}
	for i, one := range list {
		if i >= MaxReadings {
			return over + len(list) - i
		}
		d.nameColumns(one)
		over += d.gather(element{own: one}, each)
	}
	return over
}

// gather lists the readings of a message: all elements of the lists inside it, or it itself, and
// returns how many are more than a message can have.
func (d *Decoder) gather(in element, each [][]string) (over int) {
	v, key := in.own, fault.KeyEach
	if len(each) > 0 {
		v = d.look.get(v, each[0])
	}
	if len(each) < len(d.wrap.Envelope.each) {
		key = fault.KeyInner
	}
	switch {
	case d.look.repeated():
		d.sink.Refused(fault.New(fault.DuplicateKey))
		return 0
	case v == nil:
		d.sink.Refused(fault.AtKey(fault.NoList, key))
		return 0
	case v.Type() == fastjson.TypeArray:
	case len(each) > 0: // it should be a list
		d.sink.Refused(fault.AtKey(fault.WrongType, key))
		return 0
	default:
		if len(d.elements) >= MaxReadings {
			return 1
		}
		d.elements = append(d.elements, in)
		return 0
	}
	list, _ := v.Array()
	if len(list) == 0 {
		d.sink.Refused(fault.AtKey(fault.NoList, key))
	}
	for _, one := range list {
		inner := element{own: one, in: in.in}
		if len(each) > 0 {
			inner.in[preset.MaxNested-len(each)] = in.own
			over += d.gather(inner, each[1:])
			continue
		}
		if len(d.elements) >= MaxReadings {
			over++
			continue
		}
		d.elements = append(d.elements, inner)
	}
	return over
}

// slot is what is looked for: each has one path at a time.
type slot int

const (
	slotSeq slot = iota
	slotBoot
	slotDevice
	slotRoot
	slotBytes
	slotPort
	slotTime  // the first of those of the times
	slotField = slotTime + preset.MaxTimes
	slots     = slotField + reading.MaxFields
)

// around is what was found in an object that elements are in: each place is looked for once, not
// once for each element.
type around struct {
	in            *fastjson.Value
	looked, twice uint64 // of the slots, as bits
	found         [slots]*fastjson.Value
}

func (a *around) find(in *fastjson.Value, path []string, s slot, l *lookup) *fastjson.Value {
	if a.in != in {
		a.in, a.looked, a.twice = in, 0, 0
	}
	if a.looked&(1<<s) == 0 {
		before := l.repeated()
		a.looked, a.found[s] = a.looked|1<<s, l.get(in, path)
		if a.twice &^= 1 << s; l.twice {
			a.twice |= 1 << s
		}
		l.twice = l.twice || before
	}
	l.twice = l.twice || a.twice&(1<<s) != 0
	return a.found[s]
}

// forgetFields is for another shape, whose fields are elsewhere.
func (a *around) forgetFields() { a.looked &= 1<<slotField - 1 }

// rooted is what was found where the fields of readings begin: many may have one root.
type rooted struct {
	fields, units around
	in            *fastjson.Value
	known         bool // it has a key that is known and no data
}

func (r *rooted) forget() { r.fields.in, r.units.in, r.in = nil, nil, nil }

// knows reports whether a root has a key that is known and no data.
func (r *rooted) knows(root *fastjson.Value, paths [][]string) bool {
	if r.in != root {
		r.in, r.known = root, false
		for _, path := range paths {
			r.known = r.known || root.Get(path...) != nil
		}
	}
	return r.known
}

// find looks for something in the reading, then in what it is in.
func (d *Decoder) find(e *element, path []string, s slot) (v *fastjson.Value, own bool) {
	if path == nil {
		return nil, false
	}
	if e.own != nil && e.own != d.message {
		if v = d.look.get(e.own, path); v != nil {
			return v, true
		}
	}
	for i := len(e.in) - 1; i >= 0; i-- {
		if e.in[i] != nil && e.in[i] != d.message {
			if v = d.around[i].find(e.in[i], path, s, d.look); v != nil {
				return v, true
			}
		}
	}
	return d.around[preset.MaxNested].find(d.message, path, s, d.look), false
}

// shapeOf is what the readings of the device look like that a reading is of; nil for nobody's.
func (d *Decoder) shapeOf(e *element) *Shape {
	w := &d.wrap
	if w.Shape != nil {
		return w.Shape
	}
	v, _ := d.find(e, w.Envelope.device, slotDevice)
	if d.look.repeated() {
		d.device = d.device[:0]
		return w.Finder.Nobody(fault.DuplicateKey)
	}
	id := d.text(v)
	if d.shape != nil && len(id) > 0 && string(id) == string(d.device) {
		return d.shape // as the one before
	}
	if len(id) > MaxText {
		id = nil
	}
	d.device = append(d.device[:0], id...)
	if len(id) == 0 {
		return w.Finder.Nobody(fault.NoDevice)
	}
	return w.Finder.Find(id)
}

// unwrap decodes one reading of a message.
func (d *Decoder) unwrap(e *element, index int, received int64) {
	d.r.Reset()
	d.texts = d.texts[:0]
	d.bad, d.stamp.Index, d.look.twice = fault.Fault{}, index, false
	shape := d.shapeOf(e)
	if shape != d.shape {
		d.root.forget()
		for i := range d.around {
			d.around[i].forgetFields()
		}
	}
	if d.shape = shape; shape == nil {
		d.device = d.device[:0] // the next asks again: each is counted
		return
	}
	dated := d.unwrapTime(e, received)
	d.unwrapCount(e, index, dated)
	d.known, d.first, d.late = false, false, false
	if d.goesOn() {
		d.unwrapFields(e)
	}
	if d.kept.fields != 0 {
		d.settleStates()
	}
	switch {
	case d.bad.Code != fault.None:
		d.sink.Refused(d.bad)
	case !d.r.Empty():
		d.sink.Reading(d.r)
	case d.late:
		d.sink.Refused(fault.New(fault.Duplicate))
	case d.first:
		d.sink.Refused(fault.New(fault.First))
	case d.known || d.wrap.Lenient || d.wrap.Topic != nil && d.wrap.Topic.NamesField():
		d.sink.Ignored()
	default:
		d.sink.Refused(fault.At(fault.NotMapped, shape.only))
	}
}

// unwrapTime dates a reading, by the first place that has a time which can be read. Where there
// are times and none can be read, it is refused: receipt would be a guess. It reports whether the
// time is the reading's own, not the message's.
func (d *Decoder) unwrapTime(e *element, received int64) (own bool) {
	d.stamp.Time = received
	there := false
	for i := range d.wrap.Envelope.times {
		t := &d.wrap.Envelope.times[i]
		v, inside := d.find(e, t.path, slotTime+slot(i))
		if v == nil || v.Type() == fastjson.TypeNull {
			continue
		}
		there = true
		if d.look.repeated() {
			d.fail(fault.AtKey(fault.DuplicateKey, fault.KeyTime))
			return inside
		}
		if at, ok := d.instant(v, t.form, received); ok {
			d.stamp.Time, d.stamp.Timed = at, !t.form.Relative()
			return inside
		}
	}
	switch {
	case there && d.ahistoric(e):
		d.fail(fault.AtKey(fault.NoClock, fault.KeyTime))
	case there:
		d.fail(fault.AtKey(fault.BadTime, fault.KeyTime))
	}
	return false
}

// ahistoric reports whether one of a reading's times would be one in another year: a device sends such before its clock
// is set.
func (d *Decoder) ahistoric(e *element) bool {
	for i := range d.wrap.Envelope.times {
		t := &d.wrap.Envelope.times[i]
		v, _ := d.find(e, t.path, slotTime+slot(i))
		b := v.GetStringBytes()
		if len(b) < len("2006-01-02") || len(b) > MaxText {
			continue
		}
		for _, at := range []int{0, 6} { // 2006-01-02, or 02/01/2006
			from := len(d.texts)
			d.texts = append(d.texts, b...)
			copy(d.texts[from+at:], "2024")
			if _, ok := t.form.Text(d.texts[from:]); ok && !t.form.IsNumber() {
				return true
			}
		}
	}
	return false
}

// instant reads a time in one form.
func (d *Decoder) instant(v *fastjson.Value, form instant.Form, received int64) (int64, bool) {
	if !form.IsNumber() {
		b, err := v.StringBytes()
		if err != nil || len(b) > MaxText {
			return 0, false
		}
		return form.Text(b)
	}
	if v.Type() == fastjson.TypeNumber {
		if n, err := v.Uint64(); err == nil {
			return form.Whole(n, received)
		}
		n := v.GetFloat64()
		return form.Number(n, received)
	}
	b, err := v.StringBytes()
	if err != nil || len(b) > 40 {
		return 0, false
	}
	if n, err := strconv.ParseUint(string(b), 10, 64); err == nil {
		return form.Whole(n, received)
	}
	n, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return 0, false
	}
	return form.Number(n, received)
}

// unwrapCount takes what tells a reading from others. Readings of one message that share its time
// and its count are told apart by their places: each place is a row of its own.
func (d *Decoder) unwrapCount(e *element, index int, dated bool) {
	env := d.wrap.Envelope
	v, own := d.find(e, env.seq, slotSeq)
	n, there := uint64(0), false
	if d.look.repeated() {
		d.fail(fault.AtKey(fault.DuplicateKey, fault.KeySeq))
	}
	switch {
	case env.seq == nil:
	case v == nil || v.Type() == fastjson.TypeNull:
		if env.absent != nil {
			n, there = uint64(*env.absent), true
		}
	default:
		var ok bool
		if n, ok = whole(v); !ok {
			d.fail(fault.AtKey(fault.WrongType, fault.KeySeq))
		}
		there = ok
	}
	d.stamp.Seq, d.stamp.Sequenced = n, there
	v, _ = d.find(e, env.boot, slotBoot)
	switch {
	case d.look.repeated():
		d.fail(fault.AtKey(fault.DuplicateKey, fault.KeyBoot))
	case v != nil && v.Type() != fastjson.TypeNull:
		d.boot(v)
	}
	if there && !own && !dated && index > 0 {
		d.stamp.Boot = (d.stamp.Boot ^ uint64(index)) * 1099511628211
	}
}

// whole reads a whole number, or the text of one.
func whole(v *fastjson.Value) (uint64, bool) {
	if v.Type() == fastjson.TypeNumber {
		n, err := v.Uint64()
		return n, err == nil
	}
	b, err := v.StringBytes()
	if err != nil || len(b) > 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	return n, err == nil
}

// digits are a whole number as text, valid as text's.
func (d *Decoder) digits(n int64) []byte {
	from := len(d.texts)
	d.texts = strconv.AppendInt(d.texts, n, 10)
	return d.texts[from:]
}

// text is a scalar as text, valid until the next but a few; nil for what is none.
func (d *Decoder) text(v *fastjson.Value) []byte {
	if v == nil {
		return nil
	}
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return b
	case fastjson.TypeNumber:
		from := len(d.texts)
		d.texts = v.MarshalTo(d.texts)
		return d.texts[from:]
	case fastjson.TypeTrue:
		return trueText
	case fastjson.TypeFalse:
		return falseText
	}
	return nil
}
