package sparkplug

import (
	"bytes"
	"cmp"
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
	for i := range r.metrics {
		if m := &r.metrics[i]; !m.dropped && !r.metric(m) {
			return fault.NotJSON
		}
	}
	slices.SortFunc(r.entries, r.order)
	r.out = append(r.out[:0], '{')
	r.key("timestamp", r.time, r.time != 0)
	r.key("seq", r.seq, r.sequenced)
	r.out = append(r.out, `"readings":[`...)
	for i, en := range r.entries {
		switch {
		case i > 0 && en.time == r.entries[i-1].time:
			if r.order(r.entries[i-1], en) == 0 {
				return fault.DuplicateKey
			}
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

// order is by time, then by name.
func (r *reader) order(a, b entry) int {
	if a.time != b.time {
		return cmp.Compare(a.time, b.time)
	}
	return bytes.Compare(r.text[a.from:a.colon], r.text[b.from:b.colon])
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
