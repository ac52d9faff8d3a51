package sparkplug

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
	"strconv"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/jsontext"
)

// entry is a metric as text: from "NAME" up to the colon, and the value up to the end.
type entry struct {
	time            uint64
	from, colon, to int
}

// write puts the metrics together, by time.
func (r *reader) write() fault.Code {
	r.text, r.entries = r.text[:0], r.entries[:0]
	inOrder := true
	for i := range r.metrics {
		m := &r.metrics[i]
		if m.dropped {
			continue
		}
		if !r.metric(m) {
			return fault.NotJSON
		}
		n := len(r.entries)
		inOrder = inOrder && (n == 1 || r.entries[n-2].time <= r.entries[n-1].time)
	}
	if !inOrder {
		slices.SortStableFunc(r.entries, func(a, b entry) int { return cmp.Compare(a.time, b.time) })
	}
	if r.repeated() {
		return fault.DuplicateKey
	}
	r.out = append(r.out[:0], '{')
	r.key("timestamp", r.time, r.time != 0)
	r.key("seq", r.seq, r.sequenced)
	r.out = append(r.out, `"readings":[`...)
	for i, en := range r.entries {
		switch {
		case i > 0 && en.time == r.entries[i-1].time:
			r.out = append(r.out, ',')
		default:
			if i > 0 {
				r.out = append(r.out, "}},"...)
			}
			r.out = append(r.out, '{')
			r.key("timestamp", en.time, en.time != 0)
			r.out = append(r.out, `"metrics":{`...)
		}
		r.out = append(r.out, r.text[en.from:en.to]...)
	}
	if len(r.entries) > 0 {
		r.out = append(r.out, "}}"...)
	}
	r.out = append(r.out, "]}"...)
	return fault.None
}

// repeated reports whether two metrics of one time have the same name. Their places in a
// table are by a hash that no sender knows.
func (r *reader) repeated() bool {
	size := 16
	for size < 2*len(r.entries) {
		size *= 2
	}
	r.table = slices.Grow(r.table[:0], size)[:size]
	clear(r.table)
	for i, en := range r.entries {
		name := r.text[en.from:en.colon]
		r.scratch = binary.LittleEndian.AppendUint64(r.scratch[:0], maphash.Bytes(r.seeds[0], name))
		r.scratch = binary.LittleEndian.AppendUint64(r.scratch, en.time)
		at := int(maphash.Bytes(r.seeds[1], r.scratch) & uint64(size-1))
		for ; r.table[at] != 0; at = (at + 1) & (size - 1) {
			other := r.entries[r.table[at]-1]
			if other.time == en.time && bytes.Equal(r.text[other.from:other.colon], name) {
				return true
			}
		}
		r.table[at] = int32(i + 1)
	}
	return false
}

// key writes a number that is there, and a comma behind it.
func (r *reader) key(name string, n uint64, there bool) {
	if !there {
		return
	}
	r.out = append(append(append(r.out, '"'), name...), `":`...)
	r.out = append(strconv.AppendUint(r.out, n, 10), ',')
}

// metric writes one, and reports whether its texts are UTF-8.
func (r *reader) metric(m *metric) bool {
	en := entry{time: m.time, from: len(r.text)}
	if en.time == 0 {
		en.time = r.time
	}
	ok, name := true, m.name
	r.text = append(r.text, '"')
	if len(name) == 0 {
		r.scratch = append(r.scratch[:0], m.remembered...)
		name = r.scratch
	}
	if r.text, ok = jsontext.AppendText(r.text, name); !ok {
		return false
	}
	r.text = append(r.text, '"')
	en.colon = len(r.text)
	r.text = append(r.text, ':')
	if r.text, ok = m.appendValue(r.text); !ok {
		return false
	}
	en.to = len(r.text)
	r.entries = append(r.entries, en)
	return true
}

// appendValue writes a value, and reports whether a text is UTF-8.
func (m *metric) appendValue(out []byte) (_ []byte, ok bool) {
	switch {
	case m.isNull || m.transient:
	case m.value == valueInt || m.value == valueLong:
		return m.appendWhole(out), true
	case m.value == valueFloat || m.value == valueDouble:
		return jsontext.AppendFloat(out, math.Float64frombits(m.number)), true
	case m.value == valueBoolean:
		return strconv.AppendBool(out, m.number != 0), true
	case m.value == valueString:
		out, ok = jsontext.AppendText(append(out, '"'), m.text)
		return append(out, '"'), ok
	}
	return append(out, "null"...), true
}

// appendWhole writes a whole number, whose type says whether it has a sign, and where that
// is.
func (m *metric) appendWhole(out []byte) []byte {
	switch m.datatype {
	case typeInt8:
		return strconv.AppendInt(out, int64(int8(m.number)), 10)
	case typeInt16:
		return strconv.AppendInt(out, int64(int16(m.number)), 10)
	case typeInt32:
		return strconv.AppendInt(out, int64(int32(m.number)), 10)
	case typeInt64, typeDateTime:
		return strconv.AppendInt(out, int64(m.number), 10)
	case typeUInt8, typeUInt16, typeUInt32, typeUInt64:
		return strconv.AppendUint(out, m.number, 10)
	}
	return append(out, "null"...)
}
