package ingest

import (
	"encoding/binary"

	"github.com/dchest/siphash"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/ingest/internal/window"
	"sluice/plan"
)

// slot is a window as decoding needs it: whose it is, and the keys by which units and messages
// have tags in it.
type slot struct {
	spec       *plan.Stream
	start, end int64
	units      *pseudonym.Epoch // gives units their tags; nil about nobody
	k0, k1     uint64           // of tags of messages
	counts     any              // what has it: an *openWindow or, where others count, a *frontSlot

	combined []byte
	// Of the message with this serial number, a hash.
	hashed       uint64
	hash0, hash1 uint64
}

// forget drops the keys.
func (s *slot) forget() {
	clear(s.combined[:cap(s.combined)])
	s.k0, s.k1, s.hash0, s.hash1, s.combined = 0, 0, 0, 0, nil
}

// readingTag stands for a reading of a unit without seq: for what it says of the unit, since
// what else is in its message must not decide whether it was there before.
func (s *slot) readingTag(e *window.Entry, timed bool) pseudonym.Tag {
	b := binary.LittleEndian.AppendUint64(s.combined[:0], e.Sensor)
	b = binary.LittleEndian.AppendUint64(b, e.Boot)
	if timed {
		b = binary.LittleEndian.AppendUint64(b, uint64(e.Time))
	}
	b = append(b, e.Unit[:]...)
	b = binary.LittleEndian.AppendUint32(b, e.Cell)
	b = append(b, e.Has)
	for m := range s.spec.Measures {
		if e.Has&(1<<m) != 0 && s.spec.Measures[m].Field != "" { // others have no value
			b = binary.LittleEndian.AppendUint64(b, uint64(e.Values[m]))
		}
	}
	s.combined = b
	return s.tag()
}

// messageTag stands for a reading about nobody without seq: for its place in its message.
// Of the message's later readings the tag is of a hash of it, made once: a message has
// thousands.
func (s *slot) messageTag(m *intake.Message, serial uint64, index int) pseudonym.Tag {
	s.combined = append(s.combined[:0], m.Topic...)
	s.combined = append(s.combined, 0)
	s.combined = binary.LittleEndian.AppendUint64(s.combined, uint64(index))
	if index == 0 {
		s.combined = append(s.combined, m.Payload...)
		return s.tag()
	}
	if s.hashed != serial {
		s.hash0, s.hash1 = siphash.Hash128(s.k0, s.k1, m.Payload)
		s.hashed = serial
	}
	s.combined = binary.LittleEndian.AppendUint64(s.combined, s.hash0)
	s.combined = binary.LittleEndian.AppendUint64(s.combined, s.hash1)
	return s.tag()
}

// tag is of what has been combined.
func (s *slot) tag() pseudonym.Tag {
	lo, hi := siphash.Hash128(s.k0, s.k1, s.combined)
	clear(s.combined)
	var t pseudonym.Tag
	binary.LittleEndian.PutUint64(t[:], lo)
	binary.LittleEndian.PutUint64(t[8:], hi)
	return t
}
