package sparkplug

import (
	"hash/maphash"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/gateway/ingest/internal/fault"
)

// Fields of a payload and of a metric (section 6.4). A field that comes again replaces
// itself, and one of another wire type is none of these, as everywhere in protobuf.
const (
	payloadTimestamp = 1
	payloadMetrics   = 2
	payloadSeq       = 3

	metricName      = 1
	metricAlias     = 2
	metricTimestamp = 3
	metricDatatype  = 4
	metricTransient = 6
	metricNull      = 7

	// The value is one of these.
	valueInt      = 10
	valueLong     = 11
	valueFloat    = 12
	valueDouble   = 13
	valueBoolean  = 14
	valueString   = 15
	valueBytes    = 16
	valueDataset  = 17
	valueTemplate = 18
	valueExtended = 19
)

// Types that whole numbers may have; others have no say here.
const (
	typeInt8 = 1 + iota
	typeInt16
	typeInt32
	typeInt64
	typeUInt8
	typeUInt16
	typeUInt32
	typeUInt64

	typeDateTime = 13
)

// metric is one of a payload. Its texts are in the payload.
type metric struct {
	name            []byte
	alias           uint64
	time            uint64 // milliseconds since 1970; 0 where it is not said
	number          uint64 // of value, as its bits
	text            []byte // of value
	datatype        uint32
	value           protowire.Number // which field has it; 0 for none
	aliased, isNull bool
	transient       bool
	remembered      string // its name, where the payload does not have it
	dropped         bool   // nobody knows what it is
}

// reader takes a payload apart, and puts it together as JSON.
type reader struct {
	time, seq uint64
	sequenced bool
	metrics   []metric
	text      []byte // of each metric, "NAME":VALUE
	out       []byte
	entries   []entry
	table     []int32 // of entries, from 1, by name and time
	seeds     [2]maphash.Seed
	scratch   []byte
}

// read takes a payload apart.
func (r *reader) read(payload []byte) fault.Code {
	r.time, r.seq, r.sequenced, r.metrics = 0, 0, false, r.metrics[:0]
	if len(payload) > MaxMessage {
		return fault.TooLarge
	}
	for len(payload) > 0 {
		number, kind, n := protowire.ConsumeTag(payload)
		if n < 0 || !number.IsValid() {
			return fault.NotJSON
		}
		payload = payload[n:]
		switch {
		case number == payloadTimestamp && kind == protowire.VarintType:
			r.time, n = protowire.ConsumeVarint(payload)
		case number == payloadSeq && kind == protowire.VarintType:
			r.seq, n = protowire.ConsumeVarint(payload)
			r.sequenced = true
		case number == payloadMetrics && kind == protowire.BytesType:
			var one []byte
			one, n = protowire.ConsumeBytes(payload)
			if len(r.metrics) == MaxMetrics {
				return fault.TooLarge
			}
			r.metrics = append(r.metrics, metric{})
			if n >= 0 && !r.metrics[len(r.metrics)-1].read(one) {
				return fault.NotJSON
			}
		default:
			n = protowire.ConsumeFieldValue(number, kind, payload)
		}
		if n < 0 {
			return fault.NotJSON
		}
		payload = payload[n:]
	}
	return fault.None
}

// read takes a metric apart, and reports whether it is one.
func (m *metric) read(b []byte) bool {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 || !number.IsValid() {
			return false
		}
		b = b[n:]
		switch {
		case kind == protowire.VarintType:
			var v uint64
			v, n = protowire.ConsumeVarint(b)
			m.varint(number, v)
		case kind == protowire.BytesType:
			var v []byte
			v, n = protowire.ConsumeBytes(b)
			m.bytes(number, v)
		case kind == protowire.Fixed32Type && number == valueFloat:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			m.number, m.value = math.Float64bits(float64(math.Float32frombits(v))), valueFloat
		case kind == protowire.Fixed64Type && number == valueDouble:
			m.number, n = protowire.ConsumeFixed64(b)
			m.value = valueDouble
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

func (m *metric) varint(number protowire.Number, v uint64) {
	switch number {
	case metricAlias:
		m.alias, m.aliased = v, true
	case metricTimestamp:
		m.time = v
	case metricDatatype:
		m.datatype = uint32(v)
	case metricTransient:
		m.transient = protowire.DecodeBool(v)
	case metricNull:
		m.isNull = protowire.DecodeBool(v)
	case valueInt:
		m.number, m.value = uint64(uint32(v)), number
	case valueLong, valueBoolean:
		m.number, m.value = v, number
	}
}

func (m *metric) bytes(number protowire.Number, v []byte) {
	switch number {
	case metricName:
		m.name = v
	case valueString:
		m.text, m.value = v, number
	case valueBytes, valueDataset, valueTemplate, valueExtended:
		m.value = number
	}
}

// numbered reports whether its value is a whole number that is not to be read without its
// type: it may have a sign, or none.
func (m *metric) numbered() bool {
	return (m.value == valueInt || m.value == valueLong) && !m.isNull && !m.transient
}

// whole reports whether its type is one of a whole number.
func (m *metric) whole() bool {
	return m.datatype >= typeInt8 && m.datatype <= typeUInt64 || m.datatype == typeDateTime
}

// bdSeq is the number of the session that a birth or a death of an edge node is of.
func (r *reader) bdSeq() (uint64, bool) {
	for i := range r.metrics {
		if m := &r.metrics[i]; string(m.name) == "bdSeq" && (m.value == valueInt || m.value == valueLong) {
			return m.number, true
		}
	}
	return 0, false
}

// wipe overwrites what a message was in.
func (r *reader) wipe() {
	clear(r.metrics)
	clear(r.text)
	clear(r.out)
	clear(r.scratch[:cap(r.scratch)]) // it was longer, and is never long
}
