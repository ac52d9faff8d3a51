package checkpoint

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/ingest/internal/window"
)

// Flags of an encoded entry.
const (
	flagAlive = 1 << iota
	flagAccounted
	flagSequenced
	flagBoot
	flagUnit
	flagUntimed
	flagBounded
	flagOwner
)

var errEntry = errors.New("checkpoint: an entry is cut off")

// AppendEntry encodes an entry: flags, sensor, then what the flags name.
func AppendEntry(b []byte, e *window.Entry) []byte {
	var flags byte
	set := func(on bool, flag byte) {
		if on {
			flags |= flag
		}
	}
	set(e.Alive, flagAlive)
	set(e.Accounted, flagAccounted)
	set(e.Sequenced, flagSequenced)
	set(e.Untimed, flagUntimed)
	set(e.Bounded, flagBounded)
	set(e.Boot != 0, flagBoot)
	set(e.Unit != [16]byte{}, flagUnit)
	set(e.Owner != 0, flagOwner)
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint64(b, e.Sensor)
	if e.Alive {
		return b
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Time))
	if e.Sequenced {
		b = binary.AppendUvarint(b, e.Seq)
	} else {
		b = append(b, e.Message[:]...)
	}
	if e.Boot != 0 {
		b = binary.LittleEndian.AppendUint64(b, e.Boot)
	}
	b = binary.AppendUvarint(b, uint64(e.Cell))
	if flags&flagUnit != 0 {
		b = append(b, e.Unit[:]...)
	}
	if e.Owner != 0 {
		b = append(b, e.Owner)
	}
	b = append(b, e.Has)
	for has := e.Has; has != 0; has &= has - 1 {
		b = binary.AppendVarint(b, e.Values[bits.TrailingZeros8(has)])
	}
	return b
}

// Entries hands out what AppendEntry wrote, one after the other.
func Entries(b []byte, each func(*window.Entry)) error {
	for len(b) > 0 {
		var e window.Entry
		rest, err := ReadEntry(b, &e)
		if err != nil {
			return err
		}
		b = rest
		each(&e)
	}
	return nil
}

// ReadEntry reads the first of what AppendEntry wrote into an empty entry, and returns the rest.
func ReadEntry(b []byte, e *window.Entry) ([]byte, error) {
	r := reader{b: b}
	flags := r.byte()
	e.Alive, e.Accounted, e.Sequenced = flags&flagAlive != 0, flags&flagAccounted != 0, flags&flagSequenced != 0
	e.Untimed, e.Bounded = flags&flagUntimed != 0, flags&flagBounded != 0
	e.Sensor = r.uint64()
	if e.Alive {
		return r.b, r.err
	}
	e.Time = int64(r.uint64())
	if e.Sequenced {
		e.Seq = r.uvarint()
	} else {
		r.copy(e.Message[:])
	}
	if flags&flagBoot != 0 {
		e.Boot = r.uint64()
	}
	e.Cell = uint32(r.uvarint())
	if flags&flagUnit != 0 {
		r.copy(e.Unit[:])
	}
	if flags&flagOwner != 0 {
		e.Owner = r.byte()
	}
	e.Has = r.byte()
	for has := e.Has; has != 0; has &= has - 1 {
		e.Values[bits.TrailingZeros8(has)%redact.MaxMeasures] = r.varint()
	}
	return r.b, r.err
}

// AppendNumbers encodes numbers of sensors, eight bytes each.
func AppendNumbers(b []byte, numbers []uint64) []byte {
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

// Numbers are what AppendNumbers wrote.
func Numbers(b []byte) []uint64 {
	out := make([]uint64, 0, len(b)/8)
	for ; len(b) >= 8; b = b[8:] {
		out = append(out, binary.LittleEndian.Uint64(b))
	}
	return out
}

// reader takes from b and remembers that it was too short.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.err, r.b = errEntry, nil
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte      { return r.take(1)[0] }
func (r *reader) uint64() uint64  { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) copy(to []byte)  { copy(to, r.take(len(to))) }
func (r *reader) uvarint() uint64 { v, n := binary.Uvarint(r.b); r.skip(n); return v }
func (r *reader) varint() int64   { v, n := binary.Varint(r.b); r.skip(n); return v }

func (r *reader) skip(n int) {
	if n <= 0 {
		r.err, r.b = errEntry, nil
		return
	}
	r.b = r.b[n:]
}
