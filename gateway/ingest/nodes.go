package ingest

import (
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/sparkplug"
	"sluice/register/preset"
)

// nodes are the edge nodes of Sparkplug: their data cannot be read without what their births said.
type nodes struct {
	edges *sparkplug.Edges
	// names are those of metrics that some sensor's fields are made of: no others are remembered.
	names *map[string]bool
	// send sends a command to an edge node; one that cannot be sent is asked for again later.
	send func(topic string, payload []byte)
}

// follow turns to the names that the sensors' fields are made of now. What births said of others was
// not kept, so where there are more, all are asked to be born again.
func (n *nodes) follow(names *map[string]bool) {
	if n.names == names {
		return
	}
	known := n.names != nil
	for name := range *names {
		known = known && (*n.names)[name]
	}
	if n.names = names; !known {
		n.edges = sparkplug.New()
	}
	n.edges.Only(func(name []byte) bool { return (*names)[string(name)] })
}

// takeSparkplug takes a message of an edge node of which some device is registered.
func (r *reception) takeSparkplug(t target, m *intake.Message) {
	topic, ok := sparkplug.ParseTopic(m.Topic)
	if !ok {
		r.refuseAll(m, nil, fault.UnknownTopic)
		return
	}
	r.nodes.follow(r.routing.metrics)
	at := r.clock.at(m.Received)
	got, bad := r.nodes.edges.Take(topic, m.Payload, at)
	if got.Rebirth {
		r.nodes.send(sparkplug.Rebirth(topic, at/int64(time.Millisecond)))
	}
	switch s := t.sensor; {
	case bad.Code != fault.None:
		r.refuseAll(m, s, bad.Code)
	case got.Tree == nil || s == nil && t.role == preset.Birth:
		r.ignore()
	case s == nil:
		r.refuseAll(m, nil, fault.UnknownTopic)
	case s.unread() != fault.None:
		r.refuseAll(m, s, s.unread())
	default:
		for range got.Unknown {
			r.feedback.add(s, fault.New(fault.UnknownField), nil)
		}
		r.serial++
		r.small.decodeTree(t, m, r.serial, got.Tree)
	}
}
