// Package envelope reads what docs/wire.md puts around the values of a reading: its time, seq and boot,
// and the period of a heartbeat. It shares no code with the gateway's decoder, so that the two test each
// other. What is measured is passed over, and nothing of it leaves this package: a Stamp has no text.
//
// Known are one JSON object, an array of them, SenML (RFC 8428), and the same in CBOR (RFC 8949).
package envelope

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"strings"
	"time"

	"sluice/internal/civil"
)

// Stamp is what is known of one reading.
type Stamp struct {
	// Key is the same for what the gateway takes for the same reading, and else differs.
	Key uint64
	// Timed says that it has a time that can be read; UTC, that this was written as UTC.
	Timed, UTC bool
	Time       time.Time
	Sequenced  bool
	Seq        uint64
	// Boot is a keyed hash of boot; 0 for none.
	Boot uint64
}

// maxReadings is how many readings of a message are looked at (docs/wire.md, E105).
const maxReadings = 10_000

// Reader reads messages. Its hashes have a key of their own, which is kept nowhere.
type Reader struct{ seed maphash.Seed }

// NewReader makes a reader.
func NewReader() *Reader { return &Reader{maphash.MakeSeed()} }

// Read returns the stamps of a message's readings. It reports whether the form is known: a
// message in another may still be right. What cannot be read as a reading has a stamp without anything.
func (r *Reader) Read(payload []byte, received time.Time) (stamps []Stamp, known bool) {
	body := bytes.TrimLeft(payload, " \t\r\n")
	if isCBOR(payload) {
		if body, known = fromCBOR(payload); !known {
			return nil, false
		}
	}
	if len(body) == 0 || !json.Valid(body) {
		return nil, false
	}
	var list []json.RawMessage
	switch body[0] {
	case '{':
		list = []json.RawMessage{body}
	case '[':
		if json.Unmarshal(body, &list) != nil {
			return nil, false
		}
	}
	if len(list) == 0 {
		return nil, false
	}
	if records, ok := senML(list); ok {
		return r.pack(records, payload, received), true
	}
	for i, raw := range list[:min(len(list), maxReadings)] {
		stamps = append(stamps, r.stamp(raw, payload, i))
	}
	return stamps, true
}

// stamp reads one reading of a message, which has it at a place.
func (r *Reader) stamp(raw json.RawMessage, payload []byte, place int) (s Stamp) {
	var m map[string]json.RawMessage // exact names: json would take TS for ts in a struct
	if json.Unmarshal(raw, &m) != nil {
		return Stamp{Key: r.hash(payload, uint64(place))}
	}
	var ts string
	if json.Unmarshal(m["ts"], &ts) == nil {
		s.Time, s.Timed, s.UTC = readTime(ts)
	}
	s.Sequenced = json.Unmarshal(m["seq"], &s.Seq) == nil && string(m["seq"]) != "null"
	if boot := m["boot"]; boot != nil {
		s.Boot = r.hash(boot, 0)
	}
	if s.Key = r.hash(payload, uint64(place)); s.Sequenced {
		s.Key = r.hash(binary.BigEndian.AppendUint64(nil, uint64(s.Time.UnixNano())), s.Seq^s.Boot)
	}
	return s
}

func readTime(text string) (t time.Time, timed, utc bool) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, false, false
	}
	return t.UTC(), true, strings.HasSuffix(text, "Z") || strings.HasSuffix(text, "+00:00")
}

func (r *Reader) hash(b []byte, n uint64) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, n))
	_, _ = h.Write(b)
	return h.Sum64()
}

// Beat is a heartbeat's period; it reports whether there is one.
func Beat(payload []byte) (every time.Duration, ok bool) {
	var m map[string]json.RawMessage
	var text string
	if json.Unmarshal(payload, &m) != nil || json.Unmarshal(m["every"], &text) != nil {
		return 0, false
	}
	p, err := civil.ParsePeriod(text)
	return p.Nominal(), err == nil && p.Nominal() > 0
}
