package broadcast

import (
	"strconv"
	"strings"
	"sync/atomic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// hook is what we have the library do.
type hook struct {
	mqtt.HookBase
	b       *Broker
	clients atomic.Uint64
}

func (h *hook) ID() string { return "broadcast" }

func (h *hook) Provides(b byte) bool {
	switch b {
	case mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPacketRead, mqtt.OnSubscribe:
		return true
	}
	return false
}

// OnConnectAuthenticate lets everybody in, under an id of ours: nobody can take over
// another's connection.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, _ packets.Packet) bool {
	c, ok := cl.Net.Conn.(*conn)
	if !ok {
		return false
	}
	cl.ID = strconv.FormatUint(h.clients.Add(1), 10)
	c.connected.Store(true)
	return true
}

// OnPacketRead sees each packet when the library has made sense of it. Of a CONNECT it takes
// what would be kept: a session, a last will, a name and a password. Who publishes is sent
// away, and so is who sends too many packets.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c, ok := cl.Net.Conn.(*conn)
	if !ok {
		return pk, packets.ErrRejectPacket
	}
	if !c.packets.Allow() {
		return pk, h.b.server.DisconnectClient(cl, packets.ErrMessageRateTooHigh)
	}
	switch pk.FixedHeader.Type {
	case packets.Connect:
		p := &pk.Connect
		p.WillFlag, p.WillRetain, p.WillQos, p.WillTopic, p.WillPayload = false, false, 0, "", nil
		p.UsernameFlag, p.PasswordFlag, p.Username, p.Password = false, false, nil, nil
		if p.ClientIdentifier != "" || pk.ProtocolVersion == 5 { // otherwise it must be refused (MQTT-3.1.3-8)
			p.Clean = true
		}
	case packets.Publish:
		return pk, h.b.server.DisconnectClient(cl, packets.ErrNotAuthorized)
	}
	return pk, nil
}

// OnSubscribe refuses what is more than a connection may have, or a packet, by a filter that no
// broker grants. All that is retained is sent for each filter, so one that is there already, or
// twice in a packet, has nothing sent again.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	have, seen := cl.State.Subscriptions.Len(), make(map[string]bool)
	for i, f := range pk.Filters {
		_, again := cl.State.Subscriptions.Get(f.Filter)
		again = again || seen[f.Filter]
		if seen[f.Filter] = true; !again {
			have++
		} else {
			pk.Filters[i].RetainHandling = 1 // not where the subscription exists (MQTT 5, section 3.8.3.1)
		}
		if i >= subscriptions || have > subscriptions || len(f.Filter) > maxFilter ||
			strings.Count(f.Filter, "/") >= maxDepth {
			pk.Filters[i].Filter = ""
		}
	}
	return pk
}

// OnACLCheck lets everybody read everything but the broker's own topics, and nobody write.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	return cl.Net.Inline || !write && !strings.HasPrefix(topic, "$")
}
