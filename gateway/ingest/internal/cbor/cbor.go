// Package cbor reads a message in CBOR (RFC 8949) as if it had come in JSON: the same code
// takes either.
//
//	a2                     {                    {"seq":7,"fields":{"rssi":-61}}
//	   63 736571  07         "seq": 7,
//	   66 6669656c6473       "fields":
//	   a1                    {
//	      64 72737369 383c     "rssi": -61 }}
//
// The items are written as JSON text into a buffer that is used again, and fastjson reads
// that (RFC 8949 section 6.1 is the way from one to the other):
//
//   - Keys are texts; whole numbers are keys by their decimal text, or by the name that
//     their label has in SenML (RFC 8428 section 6) where the caller asks for that.
//   - Numbers are exact, as short as they can be. NaN and infinities stay numbers, which no
//     field takes.
//   - Byte strings are null, since nobody knows what opaque bytes say of whom; so are big
//     numbers (tags 2 and 3), undefined, and simple values without a meaning.
//   - Of what has any other tag, such as a time (0 and 1), the content counts.
//
// A map with a key twice, a key that is neither, and a text that is no UTF-8 refuse the
// message. Opening a message costs no allocation once the buffers are warm, and what was
// written is overwritten as soon as it is read.
//
// The library fxamacker/cbor says whether bytes are well-formed, within the bounds. It does
// not make the values: it makes Go maps and strings of them, which costs an allocation for
// each key and each text of each reading, and copies that live until they are collected. The
// tests hold what is read here against what it reads.
package cbor

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
)

// Bounds on one message.
const (
	MaxMessage = 1 << 20 // bytes
	MaxDepth   = 32      // of arrays, maps and tags, one in another
	MaxItems   = 1 << 18 // values and keys: ten thousand readings of 26 each
)

// Decoder holds what is used again from message to message. It is used by one goroutine.
type Decoder struct {
	form   cbor.DecMode // says what is well-formed
	parser fastjson.Parser
	in     []byte // the message, read up to at
	at     int
	out    []byte // JSON
	keys   []span // of the maps that are open, from the outermost
	items  int
	senml  bool
}

// New makes a decoder.
func New() *Decoder {
	form, err := cbor.DecOptions{
		MaxNestedLevels: MaxDepth, MaxArrayElements: MaxMessage, MaxMapPairs: MaxMessage,
	}.DecMode()
	if err != nil {
		panic(fmt.Errorf("options for CBOR: %w", err)) // they are constants
	}
	return &Decoder{form: form}
}

// Begins reports whether a payload that is JSON or CBOR is CBOR: it begins with an array, a
// map or a tag, where JSON begins with ASCII, or with the mark EF BB BF before it.
func Begins(payload []byte) bool {
	return len(payload) > 0 && payload[0] >= 0x80 && payload[0] != 0xEF
}

// Decode reads a message; with senml, labels of SenML are keys by their names. The value is
// valid until the next call. A message that is refused has none, and a fault that is of the
// whole message: TooLarge, DuplicateKey, or NotJSON for all else.
func (d *Decoder) Decode(payload []byte, senml bool) (*fastjson.Value, fault.Fault) {
	if len(payload) > MaxMessage {
		return nil, fault.New(fault.TooLarge)
	}
	if d.form.Wellformed(payload) != nil {
		return nil, fault.New(fault.NotJSON)
	}
	d.in, d.at, d.senml, d.items = payload, 0, senml, 0
	d.out, d.keys = d.out[:0], d.keys[:0]
	code := d.value()
	d.in = nil
	defer func() { clear(d.out) }() // the parser has its own copy
	if code != fault.None {
		return nil, fault.New(code)
	}
	v, err := d.parser.ParseBytes(d.out)
	if err != nil {
		return nil, fault.New(fault.NotJSON)
	}
	return v, fault.Fault{}
}
