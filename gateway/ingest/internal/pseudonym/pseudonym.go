// Package pseudonym turns the identifier of a unit of privacy into a keyed tag
// and bounds how often the unit counts, per epoch. The key never reaches a disk
// and dies with the epoch; then nobody can tell which tag was whose, nor link
// the tags of two epochs.
//
// Tags are SipHash-2-4 with 128 bits under a random 128-bit key.
// Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF" (2012).
package pseudonym

import (
	"encoding/binary"

	"github.com/dchest/siphash"
)

// KeySize is the length of an epoch's key in bytes.
const KeySize = 16

// Tag stands for one unit within one epoch.
type Tag [16]byte

// String says nothing: a tag is a pseudonym, and a pseudonym is personal data.
func (Tag) String() string { return "tag" }

// Epoch holds the key and the bounds of one stream's epoch.
type Epoch struct {
	k0, k1 uint64
	used   map[Tag]uint16 // pairs, and whether it was turned away
	parts  map[part]uint16
}

// part is a unit as one owner's sensors tell of it.
type part struct {
	unit  Tag
	owner uint64
}

// away is the bit that says that a unit was turned away. A bound is far below it.
const away = 1 << 15

// NewEpoch makes an epoch with a key of KeySize bytes.
func NewEpoch(key []byte) *Epoch {
	return &Epoch{
		k0: binary.LittleEndian.Uint64(key), k1: binary.LittleEndian.Uint64(key[8:]),
		used: make(map[Tag]uint16), parts: make(map[part]uint16),
	}
}

// Tag is the pseudonym of a unit.
func (e *Epoch) Tag(unit []byte) Tag {
	lo, hi := siphash.Hash128(e.k0, e.k1, unit)
	var t Tag
	binary.LittleEndian.PutUint64(t[:], lo)
	binary.LittleEndian.PutUint64(t[8:], hi)
	return t
}

// Room reports whether the unit may count to one more (cell, window) pair.
func (e *Epoch) Room(t Tag, most int64) bool { return int64(e.used[t]&^away) < most }

// Use counts one more pair of the unit; recovery calls it too.
func (e *Epoch) Use(t Tag) {
	if n := e.used[t]; n&^away < away-1 {
		e.used[t] = n + 1
	}
}

// PartRoom is Room in the part that one owner has of the bound: what other owners' sensors
// have sent does not enter it.
func (e *Epoch) PartRoom(t Tag, owner uint64, most int64) bool {
	return int64(e.parts[part{t, owner}]) < most
}

// UsePart counts one more pair of the unit in the owner's part; recovery calls it too.
func (e *Epoch) UsePart(t Tag, owner uint64) {
	if p := (part{t, owner}); e.parts[p] < 1<<16-1 {
		e.parts[p]++
	}
	e.Use(t)
}

// TurnAway notes that a unit that has no room was turned away, and reports whether that
// is news; recovery calls it too.
func (e *Epoch) TurnAway(t Tag) bool {
	n := e.used[t]
	e.used[t] = n | away
	return n&away == 0
}

// Counts are how many units the epoch has seen, and how many of them were turned away.
// One unit, whatever it does, is one of either at most.
func (e *Epoch) Counts() (units, turnedAway int64) {
	for _, n := range e.used {
		if n&away != 0 {
			turnedAway++
		}
	}
	return int64(len(e.used)), turnedAway
}

// Forget drops the key and all tags.
func (e *Epoch) Forget() {
	e.k0, e.k1 = 0, 0
	clear(e.used)
	clear(e.parts)
}
