package preset

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Bytes is where a message has what the device sent, as bytes: a text, or the message itself where
// the format is bytes. Only a profile with a Layout looks at them.
type Bytes struct {
	Pointer string `yaml:"pointer"`
	// As is how the text is written: base64, which is meant where nothing is said, or hex.
	As string `yaml:"as"`
	// Port is where the number is that tells layouts apart: a pointer, or /0 for the first byte of
	// a message that is bytes.
	Port string `yaml:"port"`
	// Skip is how many bytes stand before the device's.
	Skip int `yaml:"skip"`
}

// Layout is what bytes a profile reads: those of a port, where the preset says which they are of,
// and only where they are as many as one of Sizes.
type Layout struct {
	Port  *int  `yaml:"port"`
	Sizes []int `yaml:"sizes"`
}

// MaxBytes is how many bytes a layout may have: more than a LoRaWAN frame carries (242).
const MaxBytes = 512

const (
	maxPort  = 255
	maxSizes = 16
)

// Number reads a number at the beginning of some bytes, of which there are enough.
type Number func(b []byte) float64

// number is how many bytes a number has, and how it is read.
type number struct {
	width int
	of    Number
	real  bool // it may have a fraction
}

// numbers are the numbers that stand in bytes: unsigned, signed (two's complement) and IEEE 754;
// be has the most significant byte first.
var numbers = map[string]number{
	"u8":    {1, func(b []byte) float64 { return float64(b[0]) }, false},
	"i8":    {1, func(b []byte) float64 { return float64(int8(b[0])) }, false},
	"u16be": {2, func(b []byte) float64 { return float64(binary.BigEndian.Uint16(b)) }, false},
	"u16le": {2, func(b []byte) float64 { return float64(binary.LittleEndian.Uint16(b)) }, false},
	"i16be": {2, func(b []byte) float64 { return float64(int16(binary.BigEndian.Uint16(b))) }, false},
	"i16le": {2, func(b []byte) float64 { return float64(int16(binary.LittleEndian.Uint16(b))) }, false},
	"u24be": {3, func(b []byte) float64 { return float64(uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])) }, false},
	"u24le": {3, func(b []byte) float64 { return float64(uint32(b[2])<<16 | uint32(b[1])<<8 | uint32(b[0])) }, false},
	"u32be": {4, func(b []byte) float64 { return float64(binary.BigEndian.Uint32(b)) }, false},
	"u32le": {4, func(b []byte) float64 { return float64(binary.LittleEndian.Uint32(b)) }, false},
	"i32be": {4, func(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) }, false},
	"i32le": {4, func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) }, false},
	"f32be": {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.BigEndian.Uint32(b))) }, true},
	"f32le": {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }, true},
}

// Laid is where a field is in bytes: from At on, Width of them, which Read reads.
type Laid struct {
	At, Width int
	Read      Number
}

// Laid is where the field is in bytes; false for one that is elsewhere.
func (s *Source) Laid() (Laid, bool) {
	if s.At == nil {
		return Laid{}, false
	}
	n := numbers[s.As]
	return Laid{*s.At, n.width, n.of}, true
}

// checkBytes looks at where a preset has bytes.
func (p *Preset) checkBytes() error {
	b := p.Bytes
	switch {
	case b == nil && p.Format == RawBytes:
		return wrong("a message that is bytes needs bytes: {}, which says what stands before the device's")
	case b == nil:
		return nil
	case p.Format == RawBytes && (b.Pointer != "" || b.As != ""):
		return wrong("the message itself is the bytes; take pointer and as out")
	case p.Format != RawBytes && p.Format != JSON && p.Format != CBOR:
		return wrong("bytes are in a message whose format is json, cbor or bytes")
	case b.As != "" && b.As != "base64" && b.As != "hex":
		return wrong("as is base64 or hex", "as")
	case b.Skip < 0 || b.Skip >= MaxBytes:
		return wrong(fmt.Sprintf("skip is how many bytes stand before the device's, from 0 to %d", MaxBytes-1), "skip")
	}
	if p.Format == RawBytes {
		if n, ok := b.PortByte(); b.Port != "" && (!ok || n >= b.Skip) {
			return wrong("port is one of the bytes that skip passes over: {port: /0, skip: 2}", "port")
		}
		return nil
	}
	return b.checkPointers()
}

func (b *Bytes) checkPointers() error {
	if _, err := Path(b.Pointer); err != nil {
		return under(err, "pointer", "pointer")
	}
	if _, err := Path(b.Port); b.Port != "" && err != nil {
		return under(err, "port", "port")
	}
	return nil
}

// PortByte is which byte of a message that is bytes is the port.
func (b *Bytes) PortByte() (int, bool) {
	digits, ok := strings.CutPrefix(b.Port, "/")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 0 && strconv.Itoa(n) == digits
}

// checkLayout looks at a profile's bytes, and at the fields in them.
func (p *Profile) checkLayout(all *mistakes) {
	l := p.Bytes
	if l == nil {
		for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
			if p.Fields[name].At != nil {
				all.add(wrong(name+": at is a place in bytes; say how many there are: bytes: {sizes: [4]}",
					"fields", name))
			}
		}
		return
	}
	if l.Port != nil && (*l.Port < 0 || *l.Port > maxPort) {
		all.add(wrong(fmt.Sprintf("bytes: port is a number from 0 to %d", maxPort), "bytes", "port"))
	}
	if len(l.Sizes) == 0 || len(l.Sizes) > maxSizes || slices.Min(l.Sizes) < 1 || slices.Max(l.Sizes) > MaxBytes {
		all.add(wrong(fmt.Sprintf("bytes: sizes lists how many bytes there are, up to %d numbers from 1 to %d: "+
			"sizes: [2, 4]", maxSizes, MaxBytes), "bytes", "sizes"))
		return
	}
	laid := false
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		s := p.Fields[name]
		if at, ok := s.Laid(); ok {
			laid = true
			all.add(under(l.holds(at, s.As), name, "fields", name, "at"))
		}
	}
	if !laid {
		all.add(wrong("bytes: no field is in them; write where one is: {at: 0, as: u16be}", "bytes"))
	}
}

// holds reports whether a field ends where the bytes do, or before.
func (l *Layout) holds(at Laid, as string) error {
	if at.At >= slices.Max(l.Sizes) {
		return wrong(fmt.Sprintf("at %d is behind the last byte; sizes says how many there are", at.At))
	}
	for _, size := range l.Sizes {
		if at.At < size && at.At+at.Width > size {
			return wrong(fmt.Sprintf("%s at %d does not end within %d bytes; mend at, as or sizes", as, at.At, size))
		}
	}
	return nil
}

// checkPlace looks at where a field is.
func (s *Source) checkPlace() error {
	places := 0
	for _, there := range []bool{s.Pointer != "", s.Capture != "", s.At != nil} {
		if there {
			places++
		}
	}
	n, known := numbers[s.As]
	switch {
	case places != 1:
		return wrong("needs either pointer (where in the message), capture (which level of the topic) or at " +
			"(which byte)")
	case s.At == nil && s.As != "":
		return wrong("as is how a number stands in bytes; it goes with at", "as")
	case s.At == nil:
		return nil
	case *s.At < 0 || *s.At >= MaxBytes:
		return wrong(fmt.Sprintf("at is a place in bytes, from 0 to %d", MaxBytes-1), "at")
	case !known:
		return wrong("as is one of "+strings.Join(slices.Sorted(maps.Keys(numbers)), ", "), "as")
	case s.Number != "" || s.Ignore:
		return wrong("a place in bytes is a number; take number and ignore out")
	case n.real && (s.Words != nil || s.Change || s.Counter != nil):
		return wrong("words, change and counter go with whole numbers, and " + s.As + " is none")
	}
	return nil
}

// Reads says why messages in a preset's envelope can have nothing for a profile, or not all of it; empty where they
// have. The profile is nil for none, and own the sensor's own topic, nil where its messages come on the preset's.
func (p *Preset) Reads(profile *Profile, own *Pattern) string {
	switch {
	case profile != nil && profile.Bytes != nil && p.Bytes == nil:
		return "the profile reads bytes, and the preset does not say where they are; name another preset, or a " +
			"profile of decoded fields"
	case profile != nil && profile.Bytes != nil && profile.Bytes.Port != nil && p.Bytes.Port == "":
		return "the profile reads the bytes of one port, and the preset does not say of which port bytes are; give " +
			"the preset's bytes a port, or take the profile's out"
	case p.Format == RawBytes && (profile == nil || profile.Bytes == nil):
		return "the preset's messages are bytes; name a profile that says what they mean, with bytes and at"
	case profile == nil:
		return ""
	}
	return p.lacks(profile, own)
}
