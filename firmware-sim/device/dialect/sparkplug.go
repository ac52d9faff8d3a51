package dialect

import (
	"math"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/firmware-sim/street"
)

// sparkplug is Eclipse Sparkplug B 3.0: all sensors are devices of one edge node, that of the first. Births name the
// metrics and number them (aliases); data messages have the numbers only. The node's messages count
// from 0 to 255 and round, NBIRTH being 0; bdSeq ties a death, which is the connection's will, to its
// birth. A host that has missed a birth asks for it: a rebirth command.
//
// Sparkplug publishes data at QoS 0. This edge publishes at QoS 1, so that nothing is lost on the way
// and what is counted can be compared with what happened.
type sparkplug struct {
	silent
	seq     uint8         // of the next message
	session atomic.Uint64 // bdSeq
	// group is the topic's beginning, and node what follows the sort of message.
	group, node string
	metrics     map[int][]string
}

// group is the group id of the city's edge nodes.
const group = "Portalba"

func newSparkplug(c Crew) Speaker {
	s := &sparkplug{silent: silent{c}, metrics: make(map[int][]string)}
	s.session.Store(c.Boot)
	first := c.Sensors[c.Own[0]].Device
	group, node, _ := strings.Cut(strings.TrimSuffix(first, "/"+last(first)), "/")
	s.group, s.node = "spBv1.0/"+group+"/", "/"+node
	for _, i := range c.Own {
		switch c.Sensors[i].Kind {
		case street.Noise:
			s.metrics[i] = []string{"laeq"}
		case street.Air:
			s.metrics[i] = []string{"no2", "pm10"}
		}
	}
	return s
}

// Data types of metrics (Sparkplug 3.0, section 6.4.16).
const (
	typeUint64  = 8
	typeDouble  = 10
	typeBoolean = 11
	typeString  = 12
)

// metric is one value; a nil Value is null.
type metric struct {
	name  string // empty: only its alias is sent
	alias uint64 // 0: none
	kind  uint64
	value any
}

// Session implements Willed: the next connection's death certificate.
func (s *sparkplug) Session() Message {
	n := s.session.Add(1) % 256
	return Message{Topic: s.group + "NDEATH" + s.node,
		Payload: appendMetric(nil, metric{name: "bdSeq", kind: typeUint64, value: n}, time.Time{})}
}

// Start implements Speaker: the births of the node and of each device. Metrics are null until they are
// measured.
func (s *sparkplug) Start(now time.Time) []Message {
	s.seq = 0
	out := []Message{s.message("NBIRTH", "", now, []metric{
		{name: "bdSeq", kind: typeUint64, value: s.session.Load() % 256},
		{name: "Node Control/Rebirth", kind: typeBoolean, value: false},
		{name: "Properties/Hardware Make", kind: typeString, value: "firmware-sim"},
		{name: "Supply Voltage", alias: 1, kind: typeDouble, value: 12.1},
	})}
	for _, i := range s.Own {
		if s.Sensors[i].Dead {
			continue
		}
		list := []metric{{name: "Properties/Place", kind: typeString, value: s.Sensors[i].Zone}}
		for n, name := range s.metrics[i] {
			list = append(list, metric{name: name, alias: s.alias(i, n), kind: typeDouble})
		}
		out = append(out, s.message("DBIRTH", s.Sensors[i].Device, now, list))
	}
	return out
}

// alias numbers a sensor's nth metric, uniquely for the node.
func (s *sparkplug) alias(sensor, n int) uint64 { return uint64(sensor+1)*16 + uint64(n) }

// Say implements Speaker.
func (s *sparkplug) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		var data []metric
		for n, name := range s.metrics[sensor] {
			data = append(data, metric{alias: s.alias(sensor, n), kind: typeDouble, value: number(r.Fields[name])})
		}
		if _, more := r.Fields[debug]; more {
			data = append(data, metric{name: debug, kind: typeString, value: "not born"})
		}
		out = append(out, s.message("DDATA", s.Sensors[sensor].Device, r.Time, data))
	}
	return out
}

// Reboot implements Speaker: the node starts anew, and gives birth to all.
func (s *sparkplug) Reboot(_ int, now time.Time) []Message { return s.Start(now) }

// Commands implements Commanded.
func (s *sparkplug) Commands() string { return s.group + "NCMD" + s.node }

// Command implements Commanded: a rebirth is answered, all else is not understood.
func (s *sparkplug) Command(payload []byte, now time.Time) []Message {
	if !asksRebirth(payload) {
		return nil
	}
	return s.Start(now)
}

func (s *sparkplug) message(kind, device string, at time.Time, list []metric) Message {
	topic := s.group + kind + s.node
	if device != "" {
		topic += "/" + last(device)
	}
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(at.UnixMilli()))
	for _, m := range list {
		b = appendMetric(b, m, at)
	}
	b = protowire.AppendTag(b, 3, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(s.seq))
	s.seq++
	return Message{Topic: topic, Payload: b}
}

// appendMetric appends field 2 of a payload (sparkplug_b.proto).
func appendMetric(b []byte, m metric, at time.Time) []byte {
	var x []byte
	if m.name != "" {
		x = protowire.AppendString(protowire.AppendTag(x, 1, protowire.BytesType), m.name)
	}
	varint := func(field protowire.Number, v uint64) {
		x = protowire.AppendVarint(protowire.AppendTag(x, field, protowire.VarintType), v)
	}
	if m.alias != 0 {
		varint(2, m.alias)
	}
	if !at.IsZero() {
		varint(3, uint64(at.UnixMilli()))
	}
	varint(4, m.kind)
	switch v := m.value.(type) {
	case nil:
		varint(7, 1)
	case uint64:
		varint(11, v)
	case float64:
		x = protowire.AppendFixed64(protowire.AppendTag(x, 13, protowire.Fixed64Type), math.Float64bits(v))
	case bool:
		varint(14, protowire.EncodeBool(v))
	case string:
		x = protowire.AppendString(protowire.AppendTag(x, 15, protowire.BytesType), v)
	}
	return protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), x)
}

// asksRebirth reports whether a command sets Node Control/Rebirth.
func asksRebirth(payload []byte) bool {
	asked := false
	fields(payload, func(number protowire.Number, _ uint64, raw []byte) {
		if number != 2 {
			return
		}
		var name string
		var set bool
		fields(raw, func(number protowire.Number, v uint64, raw []byte) {
			switch number {
			case 1:
				name = string(raw)
			case 14:
				set = v != 0
			}
		})
		asked = asked || name == "Node Control/Rebirth" && set
	})
	return asked
}

// fields calls take with each field of a message: its number, or its bytes. It stops at what is no
// message.
func fields(b []byte, take func(number protowire.Number, v uint64, raw []byte)) {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		var v uint64
		var raw []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			raw, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return
		}
		b = b[n:]
		take(number, v, raw)
	}
}
