// Package reading holds one observation as it arrived, while it is being
// looked at. It may be about people, so it says nothing about itself: a Reading
// is a pointer to storage that this package keeps to itself, and under every
// verb of fmt, in slog, JSON, text and gob it is the word "reading", an address
// or an error.
//
// Texts point into the decoder's buffer and everything is used again for the
// next reading; nothing is allocated and nothing may be kept.
package reading

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// MaxFields is how many fields a kind can have.
const MaxFields = 32

// Type of a value.
type Type uint8

// The types a field can have once decoded.
const (
	Absent Type = iota
	Number
	Text
	Bool
)

// Reading is one observation of one sensor. It is a pointer to a pointer: given
// a verb that does not fit, fmt follows one pointer and prints what is there.
type Reading struct{ p **storage }

type storage struct {
	stamp   Stamp
	present uint32
	types   [MaxFields]Type
	numbers [MaxFields]float64
	texts   [MaxFields][]byte
}

// Stamp is what tells one reading of a sensor from another.
type Stamp struct {
	// Time is nanoseconds since 1970, UTC; Timed says that the sensor sent it.
	Time  int64
	Timed bool
	// Seq counts the sensor's readings, if Sequenced; Boot changes at a restart.
	Sequenced bool
	Seq, Boot uint64
	// Index is the reading's place in its message.
	Index int
}

// New makes an empty reading to be used again and again.
func New() Reading {
	s := new(storage)
	return Reading{&s}
}

func (r Reading) s() *storage { return *r.p }

// Reset forgets everything.
func (r Reading) Reset() { r.s().stamp, r.s().present = Stamp{}, 0 }

// Stamp gives access to the reading's identity.
func (r Reading) Stamp() *Stamp { return &r.s().stamp }

// Empty reports that no field was sent.
func (r Reading) Empty() bool { return r.s().present == 0 }

func (r Reading) take(field int, t Type) bool {
	bit := uint32(1) << field
	if r.s().present&bit != 0 {
		return false
	}
	r.s().present |= bit
	r.s().types[field] = t
	return true
}

// SetNumber sets a field; false when it is there already. Negative zero is zero,
// so that a unit named by it is not two.
func (r Reading) SetNumber(field int, n float64) bool {
	if !r.take(field, Number) {
		return false
	}
	if n == 0 {
		n = 0
	}
	r.s().numbers[field] = n
	return true
}

// SetText sets a field, sharing b; false when it is there already.
func (r Reading) SetText(field int, b []byte) bool {
	if !r.take(field, Text) {
		return false
	}
	r.s().texts[field] = b
	return true
}

// SetBool sets a field; false when it is there already.
func (r Reading) SetBool(field int, b bool) bool {
	if !r.take(field, Bool) {
		return false
	}
	r.s().numbers[field] = 0
	if b {
		r.s().numbers[field] = 1
	}
	return true
}

// Type of a field; Absent when it was not sent.
func (r Reading) Type(field int) Type {
	if r.s().present&(1<<field) == 0 {
		return Absent
	}
	return r.s().types[field]
}

// Number of a field whose type is Number.
func (r Reading) Number(field int) float64 { return r.s().numbers[field] }

// Text of a field whose type is Text, valid until the next reading.
func (r Reading) Text(field int) []byte { return r.s().texts[field] }

// Bool of a field whose type is Bool.
func (r Reading) Bool(field int) bool { return r.s().numbers[field] != 0 }

const mute = "reading"

var errMute = errors.New("a reading cannot be encoded")

// String is the word "reading".
func (Reading) String() string { return mute }

// GoString is the word "reading".
func (Reading) GoString() string { return mute }

// Format is the word "reading" under every verb that asks.
func (Reading) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mute) }

// LogValue is the word "reading".
func (Reading) LogValue() slog.Value { return slog.StringValue(mute) }

// MarshalJSON refuses.
func (Reading) MarshalJSON() ([]byte, error) { return nil, errMute }

// MarshalText refuses.
func (Reading) MarshalText() ([]byte, error) { return nil, errMute }

// MarshalBinary refuses.
func (Reading) MarshalBinary() ([]byte, error) { return nil, errMute }

// GobEncode refuses.
func (Reading) GobEncode() ([]byte, error) { return nil, errMute }
