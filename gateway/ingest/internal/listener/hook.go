package listener

import (
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"sluice/gateway/ingest/internal/intake"
	"sluice/internal/crash"
)

// subscriptions is how many topics one connection may read: it has one to itself,
// and perhaps the clock.
const subscriptions = 16

// noTopic stands for each name that nobody may publish to.
const noTopic = "$unknown"

// longestIdle, in seconds, is the longest keep-alive of MQTT 5: half of all that two bytes hold
// are too many for the library, which adds half as much again.
const longestIdle = 3600

// hook is what we have the library do.
type hook struct {
	mqtt.HookBase
	l *Listener
}

func (h *hook) ID() string { return "sluice" }

func (h *hook) Provides(b byte) bool {
	switch b {
	case mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnPacketRead, mqtt.OnPacketEncode,
		mqtt.OnSubscribe:
		return true
	}
	return false
}

// OnConnectAuthenticate says who it is, which was found out at the door. From here on
// the client's user name is the id of who it was found to be, and its client id is
// its own: nobody can take over another's connection.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, _ packets.Packet) bool {
	c, ok := cl.Net.Conn.(*conn)
	if !ok {
		return false
	}
	c.client = cl
	if c.user != nil {
		cl.Properties.Username = []byte(c.user.id)
		cl.ID = c.user.id + "/" + cl.ID
	}
	if cl.Properties.ProtocolVersion == 5 && cl.State.Keepalive > longestIdle {
		cl.State.Keepalive, cl.State.ServerKeepalive = longestIdle, true // CONNACK says so
	}
	return true
}

// OnPacketRead sees each packet when the library has made sense of it.
//
// Of a CONNECT it takes what would be kept or delivered past the queue: a session and
// a last will. A session would have nothing to keep, since what was not acknowledged
// is sent again by the sensor.
//
// Publications to names that nobody may publish to, which the broker would drop
// without an answer, get one that is known to be unknown: they are counted and
// acknowledged like any other.
//
// A PUBREL follows a PUBREC, which is Ack's; so the PUBCOMP is ours too. The library
// would not find what is completed, and tell MQTT 5 so, which is a failure there.
// Nothing is kept between the two: what is published again is taken again.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c, ok := cl.Net.Conn.(*conn)
	if ok {
		c.decoding = false
	}
	switch pk.FixedHeader.Type {
	case packets.Connect:
		pk.Connect.WillFlag, pk.Connect.WillRetain, pk.Connect.WillQos = false, false, 0
		pk.Connect.WillTopic, pk.Connect.WillPayload = "", nil
		if pk.Connect.ClientIdentifier != "" || pk.ProtocolVersion == 5 { // otherwise it must be refused (MQTT-3.1.3-8)
			pk.Connect.Clean = true
		}
	case packets.Publish:
		if strings.HasPrefix(pk.TopicName, "$") || strings.ContainsAny(pk.TopicName, "+#") {
			pk.TopicName = noTopic
		}
	case packets.Pubrel:
		if ok {
			_, _ = c.Write([]byte{packets.Pubcomp << 4, 2, byte(pk.PacketID >> 8), byte(pk.PacketID)}) // or it is over
		}
		// of nothing: the library does nothing
		return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}}, nil
	}
	return pk, nil
}

// OnPacketEncode has a CONNACK of MQTT 5 say what a client would else be cut off or
// refused for (section 3.2.2.3): larger packets, retained messages, shared
// subscriptions, and with identities, wildcards. That there are no topic aliases is said
// by leaving them out.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type != packets.Connack || cl.Properties.ProtocolVersion != 5 || pk.ReasonCode != 0 {
		return pk
	}
	p := &pk.Properties
	p.MaximumPacketSize = wholePacket
	p.RetainAvailable, p.RetainAvailableFlag = 0, true
	p.SharedSubAvailable, p.SharedSubAvailableFlag = 0, true
	c, ok := cl.Net.Conn.(*conn)
	if h.l.secured() && (!ok || c.user == nil || !strings.Contains(c.user.feedback, "+")) {
		p.WildcardSubAvailable, p.WildcardSubAvailableFlag = 0, true
	}
	return pk
}

// OnSubscribe refuses what is more than a connection may read, by a filter that no
// broker grants.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	have := cl.State.Subscriptions.Len()
	for i, f := range pk.Filters {
		if _, again := cl.State.Subscriptions.Get(f.Filter); again {
			continue
		}
		if have++; have > subscriptions {
			pk.Filters[i].Filter = ""
		}
	}
	return pk
}

// OnACLCheck lets sensors write anywhere, since unknown topics are counted and
// dropped, and read feedback only: with identities, their own, and an owner's that of its sensors.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	switch {
	case write, h.l.cfg.Clock != "" && topic == h.l.cfg.Clock, isCommand(topic):
		return true
	case h.l.secured():
		c, ok := cl.Net.Conn.(*conn)
		return ok && c.user != nil && c.user.reads(topic)
	}
	return strings.HasPrefix(topic, "city/v1/") && strings.HasSuffix(topic, "/feedback")
}

// isCommand reports whether edge nodes of Sparkplug read their commands there (Sparkplug 3.0, section
// 4): all that we say is that they shall be born again.
func isCommand(topic string) bool {
	part := strings.Split(topic, "/")
	return len(part) >= 4 && part[0] == "spBv1.0" && (part[2] == "NCMD" || part[2] == "DCMD")
}

// OnPublish takes the packet. ErrRejectPacket makes the broker neither deliver
// nor acknowledge it; Ack does that after the commit.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (_ packets.Packet, err error) {
	defer crash.Catch(func(e *crash.Error) { h.l.cfg.Fail(e); err = packets.ErrRejectPacket })
	if cl.Net.Inline {
		return pk, nil
	}
	c, ok := cl.Net.Conn.(*conn)
	if !ok {
		return pk, packets.ErrRejectPacket
	}
	five := cl.Properties.ProtocolVersion == 5
	if n := c.unacked.Add(min(1, int32(pk.FixedHeader.Qos))); five && n > receiveMaximum {
		h.l.tally.add(tooMany) // MQTT 5 section 3.3.4
		c.say(packets.ErrReceiveMaximum)
		_ = c.Close()
		return pk, packets.ErrRejectPacket
	}
	m := intake.Message{
		Topic: pk.TopicName, Payload: pk.Payload, Dup: pk.FixedHeader.Dup, Received: h.l.cfg.Now(),
		Tick: h.l.cfg.Clock != "" && pk.TopicName == h.l.cfg.Clock,
		Conn: c, ID: pk.PacketID, QoS: pk.FixedHeader.Qos, Explains: five && h.l.cfg.Explains,
	}
	if c.user != nil {
		m.Checked, m.Sender = true, c.user.id
	}
	h.l.cfg.Queue.PutFrom(c.ctx, c.source.share, m) // or the connection is over, and it will be sent again
	return pk, packets.ErrRejectPacket
}
