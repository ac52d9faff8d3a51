package ingest

import (
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/reading"
	"sluice/gateway/ingest/internal/sparkplug"
	"sluice/register/preset"
)

// reception leads each message to whom it is for, and its readings to their windows.
type reception struct {
	cfg      *Config
	clock    *eventClock
	account  *counters
	feedback *feedback
	liveness *liveness
	catchUp  *catchUp
	routing  *routing
	counting counting

	small  delivery // the message at hand
	large  large    // the one that is taken in parts, between others
	serial uint64   // of the last message
	// captured are the levels of the last topic that a preset captures.
	captured preset.Captured
	nodes    nodes
	memories memories
	batch    batch
}

func (r *reception) setUp(i *Ingest) {
	r.cfg, r.clock, r.account, r.feedback = &i.cfg, &i.clock, &i.account, &i.feedback
	r.liveness, r.catchUp, r.routing, r.counting = &i.liveness, &i.catchUp, &i.routing, &i.windows
	r.small, r.large.delivery = newDelivery(r), newDelivery(r)
	r.memories = make(memories)
	r.nodes = nodes{edges: sparkplug.New(), send: r.feedback.command}
}

// batch is what has come since the last commit.
type batch struct {
	messages []intake.Message // to be acknowledged with the next
	readings int
}

// add adds a message, and returns where it is until the next is added.
func (b *batch) add(m intake.Message) *intake.Message {
	b.messages = append(b.messages, m)
	return &b.messages[len(b.messages)-1]
}

// pop takes the last message out.
func (b *batch) pop() intake.Message {
	last := len(b.messages) - 1
	m := b.messages[last]
	b.messages[last] = intake.Message{}
	b.messages = b.messages[:last]
	return m
}

// dispatch takes a message that is the last of the batch. It reports whether it is begun
// only, to be taken in parts: then it is none of the batch any more.
func (r *reception) dispatch(m *intake.Message) (begun bool) {
	if m.Own {
		r.catchUp.takeOwn(m)
		return false
	}
	t, known := r.routing.find(m, &r.captured)
	s := t.sensor
	if s != nil && t.mayCome(m) {
		s.heard.message(m.Received)
	}
	switch {
	case !known:
		r.refuseAll(m, nil, fault.UnknownTopic)
	case t.role == preset.Ignore:
		r.ignore()
	case !t.mayCome(m):
		// Whoever sent it is told, not whom it claims to be.
		r.refuseAll(m, r.routing.byID[m.Sender], fault.Identity)
	case t.role == preset.Heartbeat && t.system == nil:
		r.heartbeat(s, m)
	case t.role == preset.Heartbeat && s != nil && !t.beat.is(r.small.decoder, m.Payload):
		r.ignore()
	case t.role == preset.Heartbeat && s != nil:
		r.wrappedHeartbeat(s, m, t.beat.every)
	case t.system != nil && t.system.preset.Format == preset.Sparkplug:
		r.takeSparkplug(t, m)
	case s.unread() != fault.None:
		r.refuseAll(m, s, s.unread())
	default:
		if s != nil && s.unmapped {
			r.feedback.add(s, fault.New(fault.Unfit), nil)
		}
		r.serial++
		if m.Large() {
			r.large.start(t, r.batch.pop(), r.serial)
			return true
		}
		r.small.decode(t, m, r.serial)
	}
	return false
}

// refuseAll refuses a message before any of it is read.
func (r *reception) refuseAll(m *intake.Message, s *sensor, c fault.Code) {
	r.refuse(s, fault.New(c), nil)
	r.feedback.shapes.unfit(m, s, fault.New(c))
	r.answer(m, outcome{why: fault.New(c), of: s})
}

// ignore counts a message, or a part of one, that a preset knows and that is no reading.
func (r *reception) ignore() {
	r.batch.readings++
	r.account.ignore()
}

// refuse counts a reading that is refused, or a message of which none was read. The sensor
// is who has sent it, nil for nobody known; the stamp is the reading's, nil for none.
func (r *reception) refuse(s *sensor, f fault.Fault, of *reading.Stamp) {
	r.batch.readings++
	r.account.refuse(f.Code)
	r.feedback.add(s, f, of)
}

// dropBuffers drops what readings were in.
func (r *reception) dropBuffers() {
	r.captured.Drop()
	r.nodes.edges.DropBuffers()
	r.large.finish()
	r.small.dropBuffers()
	r.large.dropBuffers()
}
