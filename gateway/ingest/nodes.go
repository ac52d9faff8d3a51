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
	// send sends a command to an edge node; one that cannot be sent is asked for again later.
	send func(topic string, payload []byte)
}

// takeSparkplug takes a message of an edge node of which some device is registered.
func (r *reception) takeSparkplug(t target, m *intake.Message) {
	topic, ok := sparkplug.ParseTopic(m.Topic)
	if !ok {
		r.refuseAll(m, nil, fault.UnknownTopic)
		return
	}
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
