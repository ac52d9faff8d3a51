package sparkplug

import "google.golang.org/protobuf/encoding/protowire"

// Rebirth is the message that asks an edge node for all its births again, at an instant in
// milliseconds since 1970. That metric always goes by its name (section 5, "rebirth name
// aliases": it has none).
func Rebirth(t Topic, now int64) (topic string, payload []byte) {
	const boolean = 11 // as datatype
	var m []byte
	m = protowire.AppendTag(m, metricName, protowire.BytesType)
	m = protowire.AppendString(m, "Node Control/Rebirth")
	m = protowire.AppendTag(m, metricTimestamp, protowire.VarintType)
	m = protowire.AppendVarint(m, uint64(now))
	m = protowire.AppendTag(m, metricDatatype, protowire.VarintType)
	m = protowire.AppendVarint(m, boolean)
	m = protowire.AppendTag(m, valueBoolean, protowire.VarintType)
	m = protowire.AppendVarint(m, protowire.EncodeBool(true))

	payload = protowire.AppendTag(payload, payloadTimestamp, protowire.VarintType)
	payload = protowire.AppendVarint(payload, uint64(now))
	payload = protowire.AppendTag(payload, payloadMetrics, protowire.BytesType)
	payload = protowire.AppendBytes(payload, m)
	return "spBv1.0/" + t.Group + "/NCMD/" + t.Node, payload
}
