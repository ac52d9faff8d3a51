package format

import (
	"time"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
	"sluice/internal/instant"
	"sluice/register/preset"
)

// Envelope is a preset, ready to unwrap messages. All decoders share it.
type Envelope struct {
	format preset.Format
	device []string
	types  *typesAt
	times  []timeAt
	seq    []string
	absent *int64
	boot   []string
	each   [][]string
	table  *table
	bytes  *bytesAt
	named  *preset.Named
	root   []string
	prefix string // the root as a pointer
	pairs  *pairList
	texts  bool // numbers come as texts
}

// typesAt is what messages can be, and where they say it.
type typesAt struct {
	*preset.Types
	path []string
}

// pairList is where names and values are, and which keys they have.
type pairList struct {
	list        []string
	name, value string
}

type timeAt struct {
	path []string
	form instant.Form
}

// NewEnvelope makes an envelope of a preset; city is the zone of local times.
func NewEnvelope(p *preset.Preset, city *time.Location) *Envelope {
	e := &Envelope{format: p.Format, device: pathOf(p.Device), seq: pathOf(p.Seq.Pointer),
		absent: p.Seq.Absent, boot: pathOf(p.Boot), root: pathOf(p.Root), prefix: p.Root,
		texts: p.Number == "text"}
	e.named = p.SenML
	if p.Types != nil {
		e.types = &typesAt{p.Types, pathOf(p.Types.Pointer)}
	}
	for _, t := range p.TS {
		e.times = append(e.times, timeAt{pathOf(t.Pointer), t.Form.In(city)})
	}
	for _, list := range p.Each {
		e.each = append(e.each, pathOf(list))
	}
	if p.Columns != nil {
		e.table = &table{pathOf(p.Columns.Names), pathOf(p.Columns.Rows)}
	}
	if p.Bytes != nil {
		e.bytes = newBytesAt(p.Bytes)
	}
	if p.Pairs != nil {
		e.pairs = &pairList{pathOf(p.Pairs.List), p.Pairs.Name, p.Pairs.Value}
	}
	return e
}

// pathOf is a checked pointer's keys; nil for none.
func pathOf(pointer string) []string {
	if pointer == "" {
		return nil
	}
	path, _ := preset.Path(pointer) // whoever read the preset has looked at it
	return path
}

// Finder knows devices by the identity that a message has for them.
type Finder interface {
	// Find says what a device's readings look like; nil where it is nobody's, which it has counted then.
	Find(device []byte) *Shape
	// Nobody is Find for a reading that does not say whose it is.
	Nobody(why fault.Code) *Shape
}

// Memory has the last values of the device whose reading is at hand.
type Memory interface {
	// Last is a field's value before a reading; known is false where there is none, and late where
	// the reading is not newer.
	Last(field int, of *reading.Stamp) (value float64, known, late bool)
	// Keep makes a value of a reading the last. It is called for readings that are not refused, so
	// that what a refused one has counted is in the next.
	Keep(field int, value float64, of *reading.Stamp)
}

// Wrapped is a message in a preset's envelope.
type Wrapped struct {
	Envelope *Envelope
	Topic    *preset.Pattern
	Captured *preset.Captured
	// Shape is the device's, where the topic says which it is; else Finder finds it.
	Shape  *Shape
	Finder Finder
	Memory Memory
	// Lenient: a reading without any field is known, and no data.
	Lenient bool
}

// unwrapping is a message in an envelope, on its way.
type unwrapping struct {
	wrap     Wrapped
	arena    fastjson.Arena
	message  *fastjson.Value
	elements []element
	around   [preset.MaxNested + 1]around // of an element; the last is the message
	root     rooted                       // what was found where fields begin
	device   []byte                       // of the last reading
	texts    []byte                       // that the message has not as such
	naming                                // of a table's columns
	sent                                  // bytes
	kept     kept
	unit     scaling // of the field at hand
	known    bool    // a key came that is no data
	first    bool    // a value came that has nothing to be compared with
	late     bool    // a value came that is older than another
}

// BeginWrapped is Begin for a message in an envelope. It reports what the message is, empty for one
// that was refused; only of a reading Next has anything.
func (d *Decoder) BeginWrapped(payload []byte, w Wrapped, received int64, sink Sink) preset.Role {
	d.shape, d.sink, d.wrap, d.left = w.Shape, sink, w, left{}
	d.device, d.texts = d.device[:0], d.texts[:0]
	d.arena.Reset()
	d.r.Reset()
	if len(payload) > MaxMessage {
		sink.Refused(fault.New(fault.TooLarge))
		return ""
	}
	v, bad := d.parse(payload, &w)
	if bad.Code != fault.None {
		sink.Refused(bad)
		return ""
	}
	return d.beginTree(v, received)
}

// Tree is a message that was read by another.
type Tree = *fastjson.Value

// BeginTree is BeginWrapped for a message that was read by another. The tree must stay as it is
// until all is decoded. It reports whether Next has anything.
func (d *Decoder) BeginTree(v Tree, w Wrapped, received int64, sink Sink) bool {
	d.shape, d.sink, d.wrap, d.left = w.Shape, sink, w, left{}
	d.device, d.texts = d.device[:0], d.texts[:0]
	d.arena.Reset()
	return d.beginTree(v, received) == preset.Reading
}

// parse makes one tree of any format.
func (d *Decoder) parse(payload []byte, w *Wrapped) (*fastjson.Value, fault.Fault) {
	switch w.Envelope.format {
	case preset.Value:
		v, bad := d.bareValue(payload, w)
		return v, fault.New(bad)
	case preset.RawBytes:
		d.raw = payload
		v := d.arena.NewObject()
		v.Set(bytesKey, d.arena.NewNull())
		return v, fault.Fault{}
	case preset.CBOR, preset.SenMLCBOR:
		return d.readCBOR(payload)
	case preset.Unquoted:
		var ok bool
		if payload, ok = d.quote(payload); !ok {
			return nil, fault.New(fault.NotJSON)
		}
	}
	v, err := d.parser.ParseBytes(payload)
	if err != nil {
		return nil, fault.New(fault.NotJSON)
	}
	return v, fault.Fault{}
}

// bareValue makes an object of a message that is one scalar.
func (d *Decoder) bareValue(payload []byte, w *Wrapped) (*fastjson.Value, fault.Code) {
	for len(payload) > 0 && payload[len(payload)-1] <= ' ' {
		payload = payload[:len(payload)-1]
	}
	v, err := d.parser.ParseBytes(payload)
	if err != nil {
		if len(payload) > MaxText {
			return nil, fault.TooLong
		}
		v = d.arena.NewStringBytes(payload)
	}
	if t := v.Type(); t == fastjson.TypeObject || t == fastjson.TypeArray {
		return nil, fault.NotJSON
	}
	name := "value"
	if w.Topic != nil && w.Topic.NamesField() {
		name = w.Topic.FieldOf(w.Captured)
	}
	o := d.arena.NewObject()
	o.Set(name, v)
	return o, fault.None
}

// beginTree looks at a message as a whole.
func (d *Decoder) beginTree(v *fastjson.Value, received int64) preset.Role {
	e := d.wrap.Envelope
	d.message, d.look.twice = v, false
	d.root.forget()
	for i := range d.around {
		d.around[i].in = nil // the parser uses its values again
	}
	role := preset.Reading
	if e.types != nil {
		var known bool
		typed := d.look.get(v, e.types.path)
		if d.look.repeated() {
			d.sink.Refused(fault.New(fault.DuplicateKey))
			return ""
		}
		if role, known = e.types.Of(d.text(typed)); !known {
			d.sink.Refused(fault.New(fault.UnknownType))
			return ""
		}
	}
	if role != preset.Reading {
		if role == preset.Heartbeat {
			d.wrap.Shape = d.shapeOf(&element{}) // whose it is
		}
		return role
	}
	if e.format == preset.SenML || e.format == preset.SenMLCBOR {
		d.beginPack(v, received)
		return role
	}
	d.elements, d.rows = d.elements[:0], 0
	over := d.gatherAll(v)
	for range over {
		d.sink.Refused(fault.New(fault.TooLarge)) // the others are fine
	}
	d.left = left{elements: d.elements, received: received}
	return role
}

// beginPack begins a SenML pack, whose labels are the keys.
func (d *Decoder) beginPack(v *fastjson.Value, received int64) {
	list, err := v.Array()
	named := d.wrap.Envelope.named
	shape := d.wrap.Shape
	if named == nil {
		shape = d.shapeOf(&element{})
	}
	switch {
	case err != nil || len(list) == 0:
		d.sink.Refused(fault.New(fault.SenML))
		return
	case shape == nil && named == nil:
		return
	}
	for range len(list) - MaxReadings {
		d.sink.Refused(fault.New(fault.TooLarge))
	}
	d.shape = shape
	d.left = left{list: list[:min(len(list), MaxReadings)], received: received, senml: true,
		named: named}
	d.bad, d.senml = fault.Fault{}, pack{}
}

var trueText, falseText = []byte("true"), []byte("false")
