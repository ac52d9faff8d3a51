package format

import (
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
	"sluice/register/preset"
)

// A gateway never asks where in a message something was. Who tries a sample of a sensor does, and
// wants all that is wrong with it.

// Everything has the decoder go on with a reading that is refused, and tell also each fault of it.
func (d *Decoder) Everything(also func(fault.Fault)) { d.also = also }

// Use is what a key of a message is for.
type Use string

// The uses. Known is what a profile names and calls no data.
const (
	UseTime   Use = "time"
	UseSeq    Use = "seq"
	UseBoot   Use = "boot"
	UseDevice Use = "device"
	UseType   Use = "type"
	UseField  Use = "field"
	UseName   Use = "name" // of the value beside it
	UseUnit   Use = "unit"
	UseKnown  Use = "known"
	UseNone   Use = "none"
)

// Key is one value of a message that holds no others: where it is, and what it is for. Name is
// what stands beside a value in a list of names and values, as in SenML. A value that comes again
// in another element of a list is there once.
type Key struct {
	Pointer, Name string
	Use           Use
	Field         int // of the kind, where it is for a field
}

// Origin is where a reading's time, count and identity are, as JSON pointers from the message's
// root; empty for what is not there. Tried is which of the preset's times is the first that is there, read or not.
type Origin struct {
	Time, Seq, Boot, Device string
	Tried                   int
}

// MaxKeys is how many keys of a message are listed.
const MaxKeys = 1000

// Trace knows the places of a message that is, or was, decoded last; it is valid until the next.
type Trace struct {
	d    *Decoder
	at   map[*fastjson.Value]string // of objects and arrays
	used map[string]Key
	laid map[string][]Key // of the bytes of a text
}

// Trace is of the message at hand, for a sink that is being told of it, or afterwards.
func (d *Decoder) Trace() *Trace {
	t := &Trace{d: d, at: make(map[*fastjson.Value]string), used: make(map[string]Key),
		laid: make(map[string][]Key)}
	if d.message != nil {
		t.locate(d.message, "")
	}
	return t
}

func (t *Trace) locate(v *fastjson.Value, at string) {
	t.at[v] = at
	below(v, func(key string, v *fastjson.Value) {
		if holds(v) {
			t.locate(v, at+"/"+key)
		}
	})
}

func holds(v *fastjson.Value) bool {
	return v.Type() == fastjson.TypeObject || v.Type() == fastjson.TypeArray
}

// below are the values that an object or an array holds, by their keys as parts of a pointer.
func below(v *fastjson.Value, each func(key string, v *fastjson.Value)) {
	switch v.Type() {
	case fastjson.TypeObject:
		v.GetObject().Visit(func(key []byte, v *fastjson.Value) { each(escape(string(key)), v) })
	case fastjson.TypeArray:
		for i, v := range v.GetArray() {
			each(strconv.Itoa(i), v)
		}
	}
}

func escape(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

func pointerOf(path []string) string {
	var b strings.Builder
	for _, key := range path {
		b.WriteString("/" + escape(key))
	}
	return b.String()
}

// look is find for whoever asks for anything.
func (t *Trace) look(e *element, path []string) (v *fastjson.Value, own bool) {
	t.d.root.forget()
	for i := range t.d.around {
		t.d.around[i].in = nil
	}
	return t.d.find(e, path, 0)
}

// place is where find finds something.
func (t *Trace) place(e *element, path []string) string {
	if path == nil {
		return ""
	}
	v, _ := t.look(e, path)
	if v == nil || v.Type() == fastjson.TypeNull {
		return ""
	}
	holders := []*fastjson.Value{e.own}
	for i := len(e.in) - 1; i >= 0; i-- {
		holders = append(holders, e.in[i])
	}
	for _, h := range append(holders, t.d.message) {
		if h != nil && h.Get(path...) != nil {
			return t.at[h] + pointerOf(path)
		}
	}
	return ""
}

// Origin is of the nth reading of a message, from 0.
func (t *Trace) Origin(n int, received int64) (o Origin) {
	d := t.d
	switch {
	case d.message == nil || d.isPack():
		return o
	case d.wrap.Envelope == nil:
		return t.native(n)
	case n >= len(d.elements):
		return o
	}
	e, env := &d.elements[n], d.wrap.Envelope
	there := false
	for i := range env.times {
		if v, _ := t.look(e, env.times[i].path); v != nil && v.Type() != fastjson.TypeNull {
			if !there {
				o.Tried, there = i, true
			}
			if _, ok := d.instant(v, env.times[i].form, received); ok {
				o.Time = t.place(e, env.times[i].path)
				break
			}
		}
	}
	o.Seq, o.Boot, o.Device = t.place(e, env.seq), t.place(e, env.boot), t.place(e, env.device)
	return o
}

// native is Origin for a message in the city's own format.
func (t *Trace) native(n int) (o Origin) {
	v := t.d.one(n)
	if v == nil {
		return o
	}
	at := func(key string, bit uint8) string {
		if t.d.shape.claimed&bit != 0 || v.Get(key) == nil {
			return ""
		}
		return t.at[v] + "/" + key
	}
	return Origin{Time: at("ts", keyTime), Seq: at("seq", keySeq), Boot: at("boot", keyBoot)}
}

// one is the nth reading of a message in the city's own format.
func (d *Decoder) one(n int) *fastjson.Value {
	if d.message.Type() != fastjson.TypeArray {
		return d.message
	}
	if list := d.message.GetArray(); n < len(list) {
		return list[n]
	}
	return nil
}

// isPack reports whether the message is a pack of SenML.
func (d *Decoder) isPack() bool {
	if d.message == nil || len(d.message.GetArray()) == 0 {
		return false
	}
	if e := d.wrap.Envelope; e != nil {
		return e.format == preset.SenML || e.format == preset.SenMLCBOR
	}
	return d.isSenML(d.message.GetArray())
}
