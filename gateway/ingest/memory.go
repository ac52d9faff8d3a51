package ingest

import (
	"encoding/binary"
	"math"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/reading"
)

// memory has a sensor's last values of fields that are compared with them: counters that only grow,
// and states. That of a sensor about nobody is durable. That of one about people is on no disk, and
// is dropped when an epoch ends: then nobody can tell what it knew before.
type memory struct {
	fields uint64 // of the shape whose numbers they go by
	last   []last
}

// last is a field's last value, and the reading that it is of.
type last struct {
	value           float64
	at              int64
	boot, seq       uint64
	known, numbered bool
}

// memories are whose last values have changed since the last commit.
type memories map[*sensor]bool

// lasting reports whether the sensor's last values are durable.
func (s *sensor) lasting() bool { return !s.aboutPeople && !s.home }

// Last is a field's value before a reading.
func (d *delivery) Last(field int, of *reading.Stamp) (value float64, known, late bool) {
	if d.untimely(of) {
		return 0, false, false
	}
	return d.sensor.memory.before(d.sensor.shape.Fingerprint(), field, of)
}

// Keep makes a value of a reading the last.
func (d *delivery) Keep(field int, value float64, of *reading.Stamp) {
	if d.untimely(of) {
		return // it is refused, and must not be the last for long
	}
	d.sensor.memory.keep(d.sensor.shape.Fingerprint(), field, value, of)
	if d.sensor.lasting() {
		d.in.memories[d.sensor] = true
	}
}

// untimely reports whether a reading will be refused for its time.
func (d *delivery) untimely(of *reading.Stamp) bool {
	return d.message.Retained && !of.Timed || !d.sensor.usable(of.Time) || d.in.clock.known() &&
		of.Time > d.in.clock.at(d.message.Received)+int64(d.in.cfg.Future)
}

// before is a field's value before a reading, where the fields are those of the fingerprint.
func (m *memory) before(fields uint64, field int, of *reading.Stamp) (value float64, known, late bool) {
	if m.fields != fields || field >= len(m.last) || !m.last[field].known {
		return 0, false, false
	}
	was := &m.last[field]
	newer := of.Time > was.at || of.Time == was.at && of.Sequenced && was.numbered && of.Boot == was.boot &&
		of.Seq > was.seq
	return was.value, true, !newer
}

func (m *memory) keep(fields uint64, field int, value float64, of *reading.Stamp) {
	if m.fields != fields {
		*m = memory{fields: fields}
	}
	for len(m.last) <= field {
		m.last = append(m.last, last{})
	}
	m.last[field] = last{value, of.Time, of.Boot, of.Seq, true, of.Sequenced}
}

// forget drops the last values.
func (m *memory) forget() {
	clear(m.last)
	*m = memory{}
}

// lastValues are the durable last values of those sensors that have changed, or of all.
func (r *reception) lastValues(all bool) []checkpoint.Record {
	var body []byte
	if all {
		for _, s := range r.routing.sensors {
			body = s.appendMemory(body)
		}
	} else {
		for s := range r.memories {
			body = s.appendMemory(body)
		}
	}
	if len(body) == 0 {
		return nil
	}
	return []checkpoint.Record{{Kind: checkpoint.Last, Body: body}}
}

// lastSize is how many bytes one value has in a record, lastHead how many stand before a sensor's.
const (
	lastHead = 8 + 8 + 1
	lastSize = 1 + 1 + 4*8
)

// appendMemory encodes the sensor's number, what its fields are, how many values there are, and of
// each its field, whether its reading was numbered, value, time, boot and seq.
func (s *sensor) appendMemory(b []byte) []byte {
	if len(s.memory.last) == 0 || !s.lasting() {
		return b
	}
	b = binary.LittleEndian.AppendUint64(b, s.number)
	b = binary.LittleEndian.AppendUint64(b, s.memory.fields)
	at := len(b)
	b = append(b, 0)
	for field, l := range s.memory.last {
		if !l.known {
			continue
		}
		b[at]++
		numbered := byte(0)
		if l.numbered {
			numbered = 1
		}
		b = append(b, byte(field), numbered)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(l.value))
		b = binary.LittleEndian.AppendUint64(b, uint64(l.at))
		b = binary.LittleEndian.AppendUint64(b, l.boot)
		b = binary.LittleEndian.AppendUint64(b, l.seq)
	}
	return b
}

// readMemories reads what appendMemory wrote, by the sensors' numbers. What is cut off is left out.
func readMemories(b []byte, into map[uint64]memory) {
	for len(b) >= lastHead {
		number, m := binary.LittleEndian.Uint64(b), memory{fields: binary.LittleEndian.Uint64(b[8:])}
		n := int(b[16])
		if b = b[lastHead:]; len(b) < n*lastSize {
			return
		}
		for ; n > 0; n-- {
			for len(m.last) <= int(b[0]) {
				m.last = append(m.last, last{})
			}
			m.last[b[0]] = last{value: math.Float64frombits(binary.LittleEndian.Uint64(b[2:])),
				at: int64(binary.LittleEndian.Uint64(b[10:])), boot: binary.LittleEndian.Uint64(b[18:]),
				seq: binary.LittleEndian.Uint64(b[26:]), known: true, numbered: b[1] == 1}
			b = b[lastSize:]
		}
		into[number] = m
	}
}
