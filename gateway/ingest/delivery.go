package ingest

import (
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/reading"
	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/ingest/internal/window"
	"sluice/register/preset"
)

// part is how many elements of a large message are taken at a time: some hundred
// microseconds of work. Others have their turns between parts, and commits are made.
const part = 250

// delivery is a message on its way, with who sent it: its decoder hands it one reading
// after the other. Its buffers are used again for the next message, so that a reading costs
// no allocation.
type delivery struct {
	in      *reception
	message *intake.Message // nil when none is on its way
	to      target
	sensor  *sensor // of the reading at hand; nil where it is not known
	// captured are the levels of the topic that a preset captures.
	captured preset.Captured
	serial   uint64 // of the message
	decoder  *format.Decoder
	kept     redact.Kept
	entry    window.Entry
	outcome  outcome
	// bare says that one of its readings has neither time nor seq, so that nothing
	// knows it again.
	bare bool
	// strangers are readings so far of devices that the register has not; acquainted says that one is of a device that
	// it has.
	strangers  int
	acquainted bool
}

func newDelivery(in *reception) delivery { return delivery{in: in, decoder: format.NewDecoder()} }

// begin turns to a message, and reports whether its decoder has readings of it.
func (d *delivery) begin(to target, m *intake.Message, serial uint64) bool {
	d.message, d.to, d.sensor, d.serial, d.bare, d.outcome = m, to, to.sensor, serial, false, outcome{}
	d.strangers, d.acquainted = 0, false
	received := d.in.clock.at(m.Received)
	if to.system == nil {
		d.decoder.Begin(m.Payload, d.sensor.shape, received, d)
		return true
	}
	d.captured = d.in.captured
	return d.unwrap(received)
}

// decode takes all of a message.
func (d *delivery) decode(to target, m *intake.Message, serial uint64) {
	for more := d.begin(to, m, serial); more; {
		more = d.decoder.Next(format.MaxReadings)
	}
	d.settleStrangers()
	d.in.answer(m, d.outcome)
	d.message, d.to, d.sensor = nil, target{}, nil
}

// decodeTree takes all of a message that is a tree already.
func (d *delivery) decodeTree(to target, m *intake.Message, serial uint64, tree format.Tree) {
	d.message, d.to, d.sensor, d.serial, d.bare, d.outcome = m, to, to.sensor, serial, false, outcome{}
	to.sensor.heard.message(m.Received)
	w := format.Wrapped{Envelope: to.system.envelope, Shape: to.sensor.shape, Finder: d, Memory: d,
		Lenient: to.role == preset.Birth}
	for more := d.decoder.BeginTree(tree, w, d.in.clock.at(m.Received), d); more; {
		more = d.decoder.Next(format.MaxReadings)
	}
	d.in.answer(m, d.outcome)
	d.message, d.to, d.sensor = nil, target{}, nil
}

// dropBuffers drops what the last reading was in.
func (d *delivery) dropBuffers() {
	d.decoder, d.kept, d.entry = format.NewDecoder(), redact.Kept{}, window.Entry{}
	d.captured.Drop()
}

// Refused counts a reading that is dropped.
func (d *delivery) Refused(f fault.Fault) { d.refuse(f, d.decoder.Stamp()) }

func (d *delivery) refuse(f fault.Fault, of *reading.Stamp) {
	d.outcome.refused(d.sensor, f)
	d.in.refuse(d.sensor, f, of)
	d.in.feedback.shapes.unfit(d.message, d.sensor, f)
}

// Dropped notes a field that is dropped while its reading goes on.
func (d *delivery) Dropped(f fault.Fault) { d.in.feedback.add(d.sensor, f, d.decoder.Stamp()) }

// Ignored counts what is known and is no reading.
func (d *delivery) Ignored() {
	d.outcome.settled = true
	d.in.ignore()
}

// Reading routes one reading to every stream that wants it.
func (d *delivery) Reading(r reading.Reading) {
	i, s, stamp := d.in, d.sensor, r.Stamp()
	d.bare = d.bare || !stamp.Timed && !stamp.Sequenced
	if d.message.Retained && !stamp.Timed {
		d.refuse(fault.New(fault.Retained), stamp) // nobody knows when it was
		return
	}
	if i.clock.known() && stamp.Time > i.clock.at(d.message.Received)+int64(i.cfg.Future) {
		d.refuse(fault.New(fault.Future), stamp)
		return
	}
	if !s.usable(stamp.Time) {
		d.refuse(fault.New(fault.NotUsable), stamp)
		return
	}
	best := fault.New(fault.NoDecision)
	counted := false
	for n := range s.routes {
		f := d.apply(&s.routes[n], r, stamp, !counted)
		if f.Code == fault.None {
			counted = true
		} else if rank(f.Code) > rank(best.Code) {
			best = f
		}
	}
	if !counted {
		d.refuse(best, stamp)
		return
	}
	d.outcome.settled = true
	i.batch.readings++
	i.account.Received++
	s.quota.spend(stamp.Time)
	s.heard.counts(d.message.Received)
	s.lastReading = max(s.lastReading, stamp.Time)
}

// rank orders what several decisions say of one reading that none counts: the
// further it came, the more it says.
func rank(c fault.Code) int {
	switch c {
	case fault.NoDecision:
		return 0
	case fault.Late:
		return 2
	case fault.Scattered, fault.Crowded, fault.Quota:
		return 3
	case fault.Duplicate:
		return 4
	}
	return 1
}

// apply takes a reading along one plan, and hands over what is left of it. The account counts
// it there where accounted is true.
func (d *delivery) apply(p *route, r reading.Reading, stamp *reading.Stamp, accounted bool) fault.Fault {
	at, code := d.in.counting.slot(p, stamp.Time)
	if code != fault.None {
		return fault.New(code)
	}
	if f := p.rule.Apply(r, &d.kept); f.Code != fault.None {
		return f
	}
	e := &d.entry
	*e = window.Entry{
		Accounted: accounted, Sensor: d.sensor.number, Sequenced: stamp.Sequenced, Seq: stamp.Seq, Boot: stamp.Boot,
		Time: stamp.Time, Untimed: !stamp.Timed, Cell: d.kept.Cell, Values: d.kept.Values, Has: d.kept.Has,
		Owner: p.owner,
	}
	switch {
	case !at.spec.Unit.None():
		e.Unit = at.units.Tag(d.kept.Unit)
		if !stamp.Sequenced {
			e.Message = at.readingTag(e, stamp.Timed)
		}
	case !stamp.Sequenced:
		e.Message = at.messageTag(d.message, d.serial, stamp.Index)
	}
	// Without time or seq, equal messages are equal readings only if the sender
	// says that it sends again (MQTT 3.1.1 section 3.3.1.1).
	told := stamp.Sequenced || stamp.Timed || d.message.Dup
	code = d.in.counting.count(at, e, told, d.sensor.quota)
	return fault.New(code) // and not that its unit is bounded
}

// large is the message that is taken in parts; intake has one at a time. It is
// acknowledged with the commit that its last part is in. After a kill before that it comes
// again, whole, and what was durable of it is known by seq or time. A reading that has
// neither is known by nothing, if its sender does not say that it sends again: what is left
// of a message with one is taken at once, so that it is durable as a whole or not at all.
type large struct {
	delivery
	held intake.Message // the message at hand
}

// on reports whether one is on its way.
func (l *large) on() bool { return l.message != nil }

// start begins a message, of which next takes the first part.
func (l *large) start(to target, m intake.Message, serial uint64) {
	l.held = m
	l.begin(to, &l.held, serial)
}

// next takes the next part. When there is no more, it returns the message, which is to be
// acknowledged.
func (l *large) next() (done intake.Message, more bool) {
	l.bare = false
	for more = l.decoder.Next(part); more && l.bare; {
		more = l.decoder.Next(format.MaxReadings)
	}
	if more {
		return done, true
	}
	l.settleStrangers()
	l.in.answer(&l.held, l.outcome)
	done = l.held
	l.message, l.to, l.sensor, l.held = nil, target{}, nil, intake.Message{}
	return done, false
}

// finish takes what is left of the message that is begun. In its next turn it is through.
func (l *large) finish() {
	if !l.on() {
		return
	}
	for l.decoder.Next(format.MaxReadings) {
	}
}
