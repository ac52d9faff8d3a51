package mqtt

import (
	paho "github.com/eclipse/paho.mqtt.golang"

	"strings"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// store keeps what the client sends and nothing of what it receives: readings
// are in the queue and nowhere else.
type store struct{ *paho.MemoryStore }

// Get implements paho.Store. What is kept and what is given back are copies: the
// client changes a packet while it sends it, and marks what it sends again as a
// duplicate.
func (s *store) Get(key string) packets.ControlPacket { return copied(s.MemoryStore.Get(key)) }

func copied(p packets.ControlPacket) packets.ControlPacket {
	if publish, ok := p.(*packets.PublishPacket); ok {
		again := *publish
		return &again
	}
	return p
}

// Put implements paho.Store.
func (s *store) Put(key string, p packets.ControlPacket) {
	if !strings.HasPrefix(key, "i.") {
		s.MemoryStore.Put(key, copied(p))
	}
}
