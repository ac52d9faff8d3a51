package format

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
	"sluice/register/preset"
)

// bytesKey is what a message that is bytes has for them, as a tree.
const bytesKey = "bytes"

// bytesAt is where a message has what a device sent, as bytes.
type bytesAt struct {
	path, port []string
	at         string // as a pointer
	hex        bool
	portByte   int // of a message that is bytes; -1 for none
	skip       int
}

func newBytesAt(b *preset.Bytes) *bytesAt {
	a := &bytesAt{path: pathOf(b.Pointer), port: pathOf(b.Port), at: b.Pointer, hex: b.As == "hex", portByte: -1,
		skip: b.Skip}
	if a.path == nil {
		a.at, a.port = "/"+bytesKey, nil
		if n, ok := b.PortByte(); ok {
			a.portByte = n
		}
	}
	return a
}

// sent has the message, where it is bytes, the bytes that were opened last, and a message that had no quotes, in JSON.
type sent struct{ raw, opened, quoted []byte }

// layout is what bytes a shape's fields are in.
type layout struct {
	port  int // -1 for any
	sizes []int
}

func newLayout(l *preset.Layout) *layout {
	if l == nil {
		return nil
	}
	out := &layout{port: -1, sizes: l.Sizes}
	if l.Port != nil {
		out.port = *l.Port
	}
	return out
}

// found is what there is where bytes are looked for.
type found int

const (
	noBytes    found = iota
	otherPort        // which the layout is not of
	wrongBytes       // no bytes, or not as many as the layout has
	laidBytes
)

// bytesOf finds the bytes of a reading that a layout is of.
func (d *Decoder) bytesOf(e *element, l *layout) ([]byte, found) {
	a := d.wrap.Envelope.bytes
	switch {
	case a == nil:
		return nil, noBytes
	case l.port >= 0 && !d.isPort(e, l.port):
		return nil, otherPort
	}
	b := d.raw
	if a.path != nil {
		v, _ := d.find(e, a.path, slotBytes)
		if v == nil || v.Type() == fastjson.TypeNull {
			return nil, noBytes
		}
		var ok bool
		if b, ok = d.open(v, a.hex); !ok {
			return nil, wrongBytes
		}
	}
	if len(b) < a.skip || !slices.Contains(l.sizes, len(b)-a.skip) {
		return nil, wrongBytes
	}
	return b[a.skip:], laidBytes
}

// isPort reports whether a reading's bytes are of a port, or the preset does not say of which they are. Who leaves
// out what is zero means 0.
func (d *Decoder) isPort(e *element, port int) bool {
	a := d.wrap.Envelope.bytes
	switch {
	case a.portByte >= 0:
		return a.portByte < len(d.raw) && int(d.raw[a.portByte]) == port
	case a.port == nil:
		return true
	}
	v, _ := d.find(e, a.port, slotPort)
	if v == nil {
		return port == 0
	}
	n, ok := whole(v)
	return ok && n == uint64(port)
}

// open makes bytes of a text: what stands before a layout, and the longest layout.
func (d *Decoder) open(v *fastjson.Value, isHex bool) ([]byte, bool) {
	text, err := v.StringBytes()
	if err != nil || len(text) > 2*(d.wrap.Envelope.bytes.skip+preset.MaxBytes) {
		return nil, false
	}
	d.opened = slices.Grow(d.opened[:0], len(text))[:len(text)]
	decode := base64.StdEncoding.Decode
	if isHex {
		decode = hex.Decode
	}
	n, err := decode(d.opened, text)
	return d.opened[:n], err == nil
}

// unwrapBytes takes the fields that are in the bytes of a reading. Bytes of another port are known, and no data.
func (d *Decoder) unwrapBytes(e *element) {
	b, what := d.bytesOf(e, d.shape.layout)
	switch what {
	case otherPort:
		d.known = true
	case wrongBytes:
		d.fail(fault.New(fault.NotBytes))
	}
	for i, src := range d.shape.sources {
		if src != nil && src.laid.Width > 0 && src.laid.At < len(b) && d.takeUnit(e, nil, i, src) {
			d.takeLaid(i, src, src.laid.Read(b[src.laid.At:]))
		}
	}
}

// takeLaid takes a number that stood in bytes.
func (d *Decoder) takeLaid(i int, src *source, n float64) {
	switch kind := d.shape.fields[i].kind; {
	case src.words == nil && !src.change && (kind == "int" || kind == "float"):
		d.scaled(i, src, n)
	case src.words == nil && !src.change:
		d.fail(fault.At(fault.WrongType, i))
	default:
		d.takeText(i, src, d.digits(int64(n)))
	}
}

// bytes notes the fields that are in bytes, by their places there, and what else is in them.
func (t *Trace) bytes(e *element, note func(string, Key)) {
	a := t.d.wrap.Envelope.bytes
	b, what := t.d.bytesOf(e, t.d.shape.layout)
	if what != laidBytes {
		return
	}
	at := a.at
	if a.path != nil {
		at = t.place(e, a.path)
	}
	if t.d.shape.layout.port >= 0 {
		note(t.place(e, a.port), Key{Use: UseType})
	}
	named := make([]bool, len(b))
	var list []Key
	for i, src := range t.d.shape.sources {
		if src == nil || src.laid.Width == 0 || src.laid.At >= len(b) {
			continue
		}
		list = append(list, Key{Pointer: at, Name: "byte " + strconv.Itoa(src.laid.At), Use: UseField, Field: i})
		for n := range src.laid.Width {
			named[src.laid.At+n] = true
		}
	}
	if slices.Contains(named, false) {
		list = append(list, Key{Pointer: at, Name: "other bytes", Use: UseNone})
	}
	t.laid[at] = list
}
