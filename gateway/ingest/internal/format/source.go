package format

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
	"sluice/register/preset"
)

// source is where a field is in an envelope, and what makes its value of what is there.
type source struct {
	path     []string    // below the root
	anywhere bool        // else also in the reading, and in the message
	capture  string      // of the topic, in place of a path
	laid     preset.Laid // in bytes, in place of a path; of no width elsewhere
	texts    bool        // a number may be the text of one
	scaling
	measured bool // the profile says its unit
	// units are by the words that the message has for them at said; nil where it needs none.
	said  []string
	units map[string]scaling
	words map[string]preset.Word
	// counter says that the value is the difference to the device's last, which wraps at wrap;
	// change that it is whether it differs from it.
	counter, change bool
	wrap            float64
}

// scaling is what is made of a number: to = from*scale + offset.
type scaling struct{ scale, offset float64 }

// Wrap says that readings of the shape come in a preset's envelope. A field is where the register's
// map has it, or else the profile, or else, where there is neither, below the root by its name.
// Units are of the kind's fields. It returns where each field is looked for, and the fields, by
// their number, whose units cannot be converted: these take nothing.
func (s *Shape) Wrap(e *Envelope, profile *preset.Profile, mapped map[string]string, units []string) (at []string,
	odd []int) {
	at = make([]string, len(s.fields))
	s.sources, s.known = make([]*source, len(s.fields)), nil
	s.labels = make(map[string]int)
	if s.layout = nil; profile != nil {
		s.layout = newLayout(profile.Bytes)
	}
	for i, name := range s.names {
		src := &source{scaling: scaling{scale: 1}, texts: e.texts}
		own, isMapped := mapped[name]
		of, profiled := preset.Source{}, false
		if profile != nil {
			of, profiled = profile.Fields[name]
		}
		switch {
		case isMapped:
			src.path, src.anywhere, at[i] = pathOf(own), true, own
		case profiled && !of.Ignore:
			if !src.take(of, units[i]) {
				odd = append(odd, i)
				continue
			}
			if at[i] = e.prefix + of.Pointer; src.laid.Width > 0 && e.bytes != nil {
				at[i] = e.bytes.at
			}
		case profile == nil && len(mapped) == 0:
			src.path, at[i] = []string{name}, e.prefix+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		default:
			continue
		}
		s.sources[i] = src
		if len(src.path) == 1 {
			s.labels[src.path[0]] = i
		}
	}
	if profile != nil {
		for _, of := range profile.Fields {
			if of.Ignore && of.Pointer != "" {
				s.known = append(s.known, pathOf(of.Pointer))
			}
		}
	}
	return at, odd
}

// take takes what a profile says; false where the unit is another measure's.
func (s *source) take(of preset.Source, unit string) bool {
	if !of.Unit.Becomes(unit) {
		return false
	}
	s.path, s.capture, s.words, s.change = pathOf(of.Pointer), of.Capture, of.Words, of.Change
	s.laid, _ = of.Laid()
	if of.Counter != nil {
		s.counter, s.wrap = true, float64(of.Counter.Wrap)
	}
	s.texts, s.measured = s.texts || of.Number == "text", !of.Unit.IsZero()
	if of.Unit.Pointer == "" {
		s.scaling = s.scaled(of, of.Unit.Code, unit)
		return true
	}
	s.said, s.units = pathOf(of.Unit.Pointer), make(map[string]scaling, len(of.Unit.Words))
	for word, code := range of.Unit.Words {
		s.units[word] = s.scaled(of, code, unit)
	}
	return true
}

// scaled is what a profile makes of a number in one unit, in another that goes with it.
func (s *source) scaled(of preset.Source, from, to string) scaling {
	factor, add, _ := preset.Convert(from, to)
	if s.counter {
		add = 0 // a difference has no zero of its own
	}
	scale := float64(of.Scale)
	if scale == 0 {
		scale = 1
	}
	return scaling{scale * factor, of.Offset*factor + add}
}

// unwrapFields finds a reading's fields.
func (d *Decoder) unwrapFields(e *element) {
	env := d.wrap.Envelope
	if env.pairs != nil {
		d.unwrapPairs(e)
	}
	if d.shape.layout != nil {
		d.unwrapBytes(e)
		if d.look.repeated() {
			d.fail(fault.New(fault.DuplicateKey))
		}
	}
	root := e.own
	if env.root != nil {
		root, _ = d.find(e, env.root, slotRoot)
		if d.look.repeated() {
			d.fail(fault.New(fault.DuplicateKey))
		}
	}
	for i, src := range d.shape.sources {
		if src == nil || src.laid.Width > 0 {
			continue
		}
		if src.capture != "" {
			d.takeCapture(i, src.capture)
			continue
		}
		var v *fastjson.Value
		if root != nil && env.pairs == nil {
			v = d.root.fields.find(root, src.path, slotField+slot(i), d.look)
		}
		if v == nil && src.anywhere {
			v, _ = d.find(e, src.path, slotField+slot(i))
		}
		if d.look.repeated() {
			d.fail(fault.At(fault.DuplicateKey, i))
		}
		if v != nil && d.takeUnit(e, root, i, src) {
			d.take(i, src, v)
		}
	}
	if root != nil {
		d.known = d.known || d.root.knows(root, d.shape.known)
	}
}

// maxPairs is how many pairs a reading may have.
const maxPairs = 1000

// unwrapPairs finds the fields in a list of names and values. A pair that is there twice with the
// same value is the same.
func (d *Decoder) unwrapPairs(e *element) {
	p := d.wrap.Envelope.pairs
	if e.own == nil {
		return
	}
	v := d.look.get(e.own, p.list)
	if d.look.repeated() {
		d.fail(fault.New(fault.DuplicateKey))
	}
	if v == nil {
		return
	}
	list, err := v.Array()
	if err != nil {
		d.fail(fault.AtKey(fault.WrongType, fault.KeyPairs))
		return
	}
	if len(list) > maxPairs {
		d.fail(fault.New(fault.TooLarge))
		return
	}
	var from [reading.MaxFields]*fastjson.Value
	for _, one := range list {
		name, value := d.text(d.look.one(one, p.name)), d.look.one(one, p.value)
		if d.look.repeated() {
			d.fail(fault.New(fault.DuplicateKey))
		}
		if name == nil || value == nil {
			continue
		}
		for i, src := range d.shape.sources {
			if src == nil || len(src.path) != 1 || src.path[0] != string(name) {
				continue
			}
			if from[i] != nil && bytes.Equal(d.text(from[i]), d.text(value)) {
				continue
			}
			from[i] = value
			if d.takeUnit(e, nil, i, src) {
				d.take(i, src, value)
			}
		}
		for _, path := range d.shape.known {
			d.known = d.known || len(path) == 1 && path[0] == string(name)
		}
	}
}

// takeCapture takes a field from the topic.
func (d *Decoder) takeCapture(i int, name string) {
	w := &d.wrap
	if w.Topic == nil {
		return
	}
	if n := w.Topic.Capture(name); n >= 0 {
		from := len(d.texts)
		d.texts = append(d.texts, w.Captured.Level(n)...)
		d.text256(i, d.texts[from:])
	}
}

// text256 takes a text for a field that is none of a number.
func (d *Decoder) text256(i int, b []byte) {
	switch kind := d.shape.fields[i].kind; kind {
	case "int", "float", "bool":
		d.fail(fault.At(fault.WrongType, i))
	default:
		d.textField(i, kind, b)
	}
}

// take makes a field's value of what is there; null is the same as absent.
func (d *Decoder) take(i int, src *source, v *fastjson.Value) {
	switch {
	case v.Type() == fastjson.TypeNull:
		return
	case src.change || src.words != nil:
		d.takeText(i, src, d.text(v))
		return
	}
	kind := d.shape.fields[i].kind
	switch kind {
	case "int", "float":
		d.takeNumber(i, src, v)
	case "bool":
		d.takeTruth(i, src, v)
	default:
		if v.Type() == fastjson.TypeNumber && d.shape.fields[i].kind == "string" {
			d.text256(i, d.text(v)) // ids that are numbers
			return
		}
		d.set(i, v)
	}
}

// takeTruth takes true or false, or what stands for them where they come as texts.
func (d *Decoder) takeTruth(i int, src *source, v *fastjson.Value) {
	b := v.GetStringBytes()
	bare := d.wrap.Envelope.format == preset.Value
	switch {
	case src.texts && string(b) == "true", bare && string(b) == "ON":
		d.unique(i, d.r.SetBool(i, true))
	case src.texts && string(b) == "false", bare && string(b) == "OFF":
		d.unique(i, d.r.SetBool(i, false))
	default:
		d.set(i, v)
	}
}

// takeNumber takes a number, or the text of one.
func (d *Decoder) takeNumber(i int, src *source, v *fastjson.Value) {
	switch t := v.Type(); {
	case t == fastjson.TypeNumber:
		n, err := v.Float64()
		if err != nil {
			n = math.NaN()
		}
		d.scaled(i, src, n)
	case t == fastjson.TypeString && src.texts:
		b := bytes.TrimSpace(v.GetStringBytes())
		if len(b) == 0 {
			return // unknown, as many write it
		}
		n, err := strconv.ParseFloat(string(b), 64)
		if err != nil || len(b) > 40 {
			d.fail(fault.At(fault.NotANumber, i))
			return
		}
		d.scaled(i, src, n)
	default:
		d.fail(fault.At(fault.WrongType, i))
	}
}

// takeUnit finds which unit a field's number is in, where the message says it: below the root, or else as it finds
// times. False where that is no unit that the profile has a word for.
func (d *Decoder) takeUnit(e *element, root *fastjson.Value, i int, src *source) bool {
	d.unit = src.scaling
	if src.units == nil {
		return true
	}
	var v *fastjson.Value
	if root != nil {
		v = d.root.units.find(root, src.said, slotField+slot(i), d.look)
	}
	if v == nil {
		v, _ = d.find(e, src.said, slotField+slot(i)) // which a field of a profile does not use
	}
	if d.look.repeated() {
		d.fail(fault.At(fault.DuplicateKey, i))
		return false
	}
	unit, known := src.units[string(d.text(v))]
	if d.unit = unit; !known {
		d.fail(fault.At(fault.NoUnit, i))
	}
	return known
}

// scaled takes a number in the device's unit. What is left behind the twelfth digit after a
// conversion is the conversion's.
func (d *Decoder) scaled(i int, src *source, n float64) {
	if src.counter {
		var ok bool
		if n, ok = d.difference(i, src, n); !ok {
			return
		}
	}
	d.number(i, d.unit.of(n))
}

// of makes a number of another.
func (s scaling) of(n float64) float64 {
	if s.scale == 1 && s.offset == 0 {
		return n
	}
	n = n*s.scale + s.offset
	if whole := math.Round(n); math.Abs(n-whole) < 1e-9*math.Max(1, math.Abs(n)) {
		n = whole
	}
	return n
}

// takeText takes what a text stands for, or whether it is another than the device's last.
func (d *Decoder) takeText(i int, src *source, text []byte) {
	if src.change {
		d.takeChange(i, text)
		return
	}
	w, known := src.words[string(text)]
	kind := d.shape.fields[i].kind
	switch {
	case !known:
		d.fail(fault.At(fault.OutOfRange, i))
	case w.Kind == 'n' && (kind == "int" || kind == "float"):
		d.number(i, w.Number)
	case w.Kind == 'b' && kind == "bool":
		d.unique(i, d.r.SetBool(i, w.Bool))
	case w.Kind == 't' && kind == "string":
		from := len(d.texts)
		d.texts = append(d.texts, w.Text...)
		d.text256(i, d.texts[from:])
	default:
		d.fail(fault.At(fault.WrongType, i))
	}
}
