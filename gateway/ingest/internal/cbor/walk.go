package cbor

import (
	"encoding/binary"
	"math"
	"strconv"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/jsontext"
)

// Major types (RFC 8949 section 3.1).
const (
	unsigned = iota
	negative
	byteString
	text
	array
	mapping
	tag
	simple
)

const (
	indefinite = 31   // as additional information: how long is not said (section 3.2)
	stop       = 0xFF // "break": the end of what is that long
)

// head is what an item begins with. Argument is a value, a length, a count or a tag, as its
// type has it.
type head struct {
	major, info byte
	argument    uint64
}

// head reads the next one. The message is well-formed: what a head promises is there.
func (d *Decoder) head() head {
	b := d.in[d.at]
	d.at++
	h := head{major: b >> 5, info: b & 31}
	rest := d.in[d.at:]
	switch h.info {
	case 24:
		h.argument, d.at = uint64(rest[0]), d.at+1
	case 25:
		h.argument, d.at = uint64(binary.BigEndian.Uint16(rest)), d.at+2
	case 26:
		h.argument, d.at = uint64(binary.BigEndian.Uint32(rest)), d.at+4
	case 27:
		h.argument, d.at = binary.BigEndian.Uint64(rest), d.at+8
	case indefinite:
	default:
		h.argument = uint64(h.info)
	}
	return h
}

// more reports whether an item of h has more parts, of which i came.
func (d *Decoder) more(h head, i uint64) bool {
	if h.info != indefinite {
		return i < h.argument
	}
	if d.in[d.at] != stop {
		return true
	}
	d.at++
	return false
}

func (d *Decoder) value() fault.Code {
	if d.items++; d.items > MaxItems {
		return fault.TooLarge
	}
	h := d.head()
	switch h.major {
	case unsigned, negative:
		d.whole(h)
	case byteString:
		d.skip(h)
		d.out = append(d.out, "null"...)
	case text:
		return d.text(h)
	case array:
		return d.array(h)
	case mapping:
		return d.mapping(h)
	case tag:
		from := len(d.out)
		code := d.value()
		if h.argument == 2 || h.argument == 3 { // of a big number: its bytes
			clear(d.out[from:])
			d.out = append(d.out[:from], "null"...)
		}
		return code
	case simple:
		d.simple(h)
	}
	return fault.None
}

func (d *Decoder) array(h head) fault.Code {
	d.out = append(d.out, '[')
	for i := uint64(0); d.more(h, i); i++ {
		if i > 0 {
			d.out = append(d.out, ',')
		}
		if code := d.value(); code != fault.None {
			return code
		}
	}
	d.out = append(d.out, ']')
	return fault.None
}

func (d *Decoder) mapping(h head) fault.Code {
	d.out = append(d.out, '{')
	outer := len(d.keys)
	for i := uint64(0); d.more(h, i); i++ {
		if i > 0 {
			d.out = append(d.out, ',')
		}
		from := len(d.out)
		if code := d.key(); code != fault.None {
			return code
		}
		d.keys = append(d.keys, span{from, len(d.out)})
		d.out = append(d.out, ':')
		if code := d.value(); code != fault.None {
			return code
		}
	}
	d.out = append(d.out, '}')
	if repeated(d.out, d.keys[outer:]) {
		return fault.DuplicateKey
	}
	d.keys = d.keys[:outer]
	return fault.None
}

// key writes a key. Whole numbers are names too; nothing else is.
func (d *Decoder) key() fault.Code {
	if d.items++; d.items > MaxItems {
		return fault.TooLarge
	}
	h := d.head()
	for h.major == tag {
		h = d.head()
	}
	switch h.major {
	case text:
		return d.text(h)
	case unsigned, negative:
		d.out = append(d.out, '"')
		if name := label(h); d.senml && name != "" {
			d.out = append(d.out, name...)
		} else {
			d.whole(h)
		}
		d.out = append(d.out, '"')
		return fault.None
	}
	return fault.NotJSON
}

// label is the name in JSON of a SenML label (RFC 8428 section 6, table 4); empty where it
// is none.
func label(h head) string {
	plain := [...]string{"n", "u", "v", "vs", "vb", "s", "t", "ut", "vd"}
	base := [...]string{"bver", "bn", "bt", "bu", "bv", "bs"} // from -1 down
	switch n := h.argument; {
	case h.major == unsigned && n < uint64(len(plain)):
		return plain[n]
	case h.major == negative && n < uint64(len(base)):
		return base[n]
	}
	return ""
}

// whole writes a whole number, from -2^64 to 2^64-1.
func (d *Decoder) whole(h head) {
	n := h.argument
	if h.major == negative {
		if n == math.MaxUint64 {
			d.out = append(d.out, "-18446744073709551616"...)
			return
		}
		d.out, n = append(d.out, '-'), n+1
	}
	d.out = strconv.AppendUint(d.out, n, 10)
}

// simple writes what is no number of bytes: truth, or a number with a point.
func (d *Decoder) simple(h head) {
	switch {
	case h.info == 20:
		d.out = append(d.out, "false"...)
	case h.info == 21:
		d.out = append(d.out, "true"...)
	case h.info == 25:
		d.out = jsontext.AppendFloat(d.out, half(uint16(h.argument)))
	case h.info == 26:
		d.out = jsontext.AppendFloat(d.out, float64(math.Float32frombits(uint32(h.argument))))
	case h.info == 27:
		d.out = jsontext.AppendFloat(d.out, math.Float64frombits(h.argument))
	default: // null, undefined, and what nobody has given a meaning
		d.out = append(d.out, "null"...)
	}
}

// skip leaves out a byte string.
func (d *Decoder) skip(h head) {
	if h.info != indefinite {
		d.at += int(h.argument)
		return
	}
	for d.more(h, 0) {
		d.at += int(d.head().argument)
	}
}

// text writes a text, in one piece or several, each of which is UTF-8 (section 3.2.3).
func (d *Decoder) text(h head) fault.Code {
	d.out = append(d.out, '"')
	utf8 := true
	if h.info != indefinite {
		utf8 = d.piece(h)
	} else {
		for d.more(h, 0) {
			utf8 = d.piece(d.head()) && utf8
		}
	}
	if !utf8 {
		return fault.NotJSON
	}
	d.out = append(d.out, '"')
	return fault.None
}

// piece writes a piece of a text, and reports whether it is UTF-8.
func (d *Decoder) piece(h head) (utf8 bool) {
	from := d.at
	d.at += int(h.argument)
	d.out, utf8 = jsontext.AppendText(d.out, d.in[from:d.at])
	return utf8
}

// half is the value of a half-precision number (IEEE 754 binary16; RFC 8949 appendix D).
func half(bits uint16) float64 {
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(fraction, -24)
	case 31:
		f = math.Inf(1)
		if fraction != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(fraction+1024, exponent-25)
	}
	if bits>>15 != 0 {
		f = math.Copysign(f, -1)
	}
	return f
}
