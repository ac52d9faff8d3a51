package listener

import (
	"encoding/binary"

	"github.com/mochi-mqtt/server/v2/packets"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
)

// Bounds of acknowledgements.
const (
	// receiveMaximum is how many publications of one client of MQTT 5 may wait for theirs; a
	// sensor's share of the queue is some 1,300 small ones.
	receiveMaximum = 1024
	maxReason      = 1 << 10  // bytes of a reason string
	maxTalk        = 16 << 10 // bytes that wait to be written, from which on reasons have no words
)

// reasonCodes are what MQTT 5 calls our codes (section 3.4.2.1). None below 0x80 means that
// something is wrong.
var reasonCodes = [fault.Codes]packets.Code{
	fault.None:         packets.CodeSuccess,
	fault.UnknownTopic: packets.ErrNotAuthorized,
	fault.Identity:     packets.ErrNotAuthorized,
	fault.NotUsable:    packets.ErrNotAuthorized,
	fault.NotJSON:      packets.ErrPayloadFormatInvalid,
	fault.NotBeat:      packets.ErrPayloadFormatInvalid,
	fault.NotBytes:     packets.ErrPayloadFormatInvalid,
	fault.WrongType:    packets.ErrPayloadFormatInvalid,
	fault.MissingField: packets.ErrPayloadFormatInvalid,
	fault.NoFields:     packets.ErrPayloadFormatInvalid,
	fault.NotMapped:    packets.ErrPayloadFormatInvalid,
	fault.NoList:       packets.ErrPayloadFormatInvalid,
	fault.UnknownField: packets.ErrPayloadFormatInvalid,
	fault.DuplicateKey: packets.ErrPayloadFormatInvalid,
	fault.TooLarge:     packets.ErrPayloadFormatInvalid,
	fault.SenML:        packets.ErrPayloadFormatInvalid,
	fault.UnknownType:  packets.ErrPayloadFormatInvalid,
	fault.NoDevice:     packets.ErrPayloadFormatInvalid,
	fault.NotANumber:   packets.ErrPayloadFormatInvalid,
	fault.TooLong:      packets.ErrPayloadFormatInvalid,
	fault.OutOfRange:   packets.ErrPayloadFormatInvalid,
	fault.NoUnit:       packets.ErrPayloadFormatInvalid,
	fault.BadForm:      packets.ErrPayloadFormatInvalid,
	fault.BadTime:      packets.ErrPayloadFormatInvalid,
	fault.NoClock:      packets.ErrPayloadFormatInvalid,
	fault.Quota:        packets.ErrQuotaExceeded,
	fault.NoDecision:   packets.CodeNoMatchingSubscribers,
	fault.Where:        packets.CodeNoMatchingSubscribers,
	fault.NoZone:       packets.CodeNoMatchingSubscribers,
	fault.NoCategory:   packets.CodeNoMatchingSubscribers,
}

// reasonCode is what MQTT 5 calls an outcome of a publication to a topic.
func reasonCode(o *intake.Outcome, topic string) byte {
	switch code := reasonCodes[o.Code].Code; {
	case o.Code == fault.UnknownTopic && topic == noTopic:
		return packets.ErrTopicNameInvalid.Code
	case code == 0 && o.Code != fault.None: // nothing is wrong with the payload, only it cannot count
		return packets.ErrImplementationSpecificError.Code
	default:
		return code
	}
}

// Ack acknowledges those messages that came in here, with one write for each
// connection. It never waits: a sender that is gone or does not read is cut off, and
// will send again.
func (l *Listener) Ack(list []intake.Message) {
	for i := range list {
		m := &list[i]
		c, ours := m.Conn.(*conn)
		if !ours || m.QoS == 0 {
			continue
		}
		c.unacked.Add(-1)
		_ = c.acknowledge(m) // or it is over
	}
	for i := range list {
		if c, ours := list[i].Conn.(*conn); ours {
			c.send()
		}
	}
}

// wishes are what a client of MQTT 5 wants of what is sent to it (sections 3.1.2.11.4 and
// 3.1.2.11.7).
type wishes struct {
	words   bool // reason strings
	largest uint32
}

func wishesOf(pk *packets.Packet) wishes {
	p := &pk.Properties
	w := wishes{words: !p.RequestProblemInfoFlag || p.RequestProblemInfo != 0, largest: p.MaximumPacketSize}
	if w.largest == 0 {
		w.largest = maxWaiting
	}
	return w
}

// acknowledge queues the PUBACK, or for QoS 2 the PUBREC, of a message: sections 3.4 and 3.5
// of MQTT 3.1.1 and 5. Where it succeeds both are the same. The reason has no words where the
// client wants none, or has not read what came before.
func (c *conn) acknowledge(m *intake.Message) error {
	kind := packets.Puback << 4
	if m.QoS == 2 {
		kind = packets.Pubrec << 4
	}
	code := reasonCode(&m.Outcome, m.Topic)
	if code == 0 {
		return c.queue(kind, 2, byte(m.ID>>8), byte(m.ID))
	}
	why := m.Outcome.Why
	properties := 1 + 2 + len(why) // an identifier and a text
	body := binary.AppendUvarint(make([]byte, 0, 8+properties), uint64(properties))
	body = append(append(body, packets.PropReasonString), byte(len(why)>>8), byte(len(why)))
	body = append(body, why...)
	out := append(binary.AppendUvarint([]byte{kind}, uint64(3+len(body))), byte(m.ID>>8), byte(m.ID), code)
	if whole := len(out) + len(body); why != "" && len(why) <= maxReason && c.wishes.words &&
		uint32(whole) <= c.wishes.largest && c.waits() <= maxTalk {
		return c.queue(append(out, body...)...)
	}
	return c.queue(kind, 3, byte(m.ID>>8), byte(m.ID), code)
}
