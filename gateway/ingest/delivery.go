package ingest

import (
	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/reading"
	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/ingest/internal/window"
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
	sensor  *sensor
	serial  uint64 // of the message
	decoder *format.Decoder
	kept    redact.Kept
	entry   window.Entry
	outcome outcome
	// bare says that one of its readings has neither time nor seq, so that nothing
	// knows it again.
	bare bool
}

func newDelivery(in *reception) delivery { return delivery{in: in, decoder: format.NewDecoder()} }

// begin turns to a message of a sensor.
func (d *delivery) begin(s *sensor, m *intake.Message, serial uint64) {
	d.message, d.sensor, d.serial, d.bare, d.outcome = m, s, serial, false, outcome{}
}

// decode takes all of a message.
func (d *delivery) decode(s *sensor, m *intake.Message, serial uint64) {
	d.begin(s, m, serial)
	d.decoder.Decode(m.Payload, s.shape, d.in.clock.at(m.Received), d)
	d.in.answer(m, s, d.outcome)
	d.message, d.sensor = nil, nil
}

// dropBuffers drops what the last reading was in.
func (d *delivery) dropBuffers() {
	d.decoder, d.kept, d.entry = format.NewDecoder(), redact.Kept{}, window.Entry{}
}

// Refused counts a reading that is dropped.
func (d *delivery) Refused(f fault.Fault) { d.refuse(f, d.decoder.Stamp()) }

func (d *delivery) refuse(f fault.Fault, of *reading.Stamp) {
	d.outcome.refused(f)
	d.in.refuse(d.sensor, f, of)
}

// Dropped notes a field that is dropped while its reading goes on.
func (d *delivery) Dropped(f fault.Fault) { d.in.feedback.add(d.sensor, f, d.decoder.Stamp()) }

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
	case fault.Scattered, fault.Crowded:
		return 3
	case fault.Duplicate:
		return 4
	}
	return 1
}

// apply takes a reading along one plan into its window. The account counts it there where
// accounted is true.
func (d *delivery) apply(p *route, r reading.Reading, stamp *reading.Stamp, accounted bool) fault.Fault {
	w, code := d.in.windows.at(p, stamp.Time)
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
	case !w.Stream.Unit.None():
		e.Unit = w.epoch.Tag(d.kept.Unit)
		if !stamp.Sequenced {
			e.Message = w.readingTag(e, stamp.Timed)
		}
	case !stamp.Sequenced:
		e.Message = w.messageTag(d.message, d.serial, stamp.Index)
	}
	// Without time or seq, equal messages are equal readings only if the sender
	// says that it sends again (MQTT 3.1.1 section 3.3.1.1).
	again := (stamp.Sequenced || stamp.Timed || d.message.Dup) && w.Seen(e)
	if !again && !w.Room(e) {
		return fault.New(fault.Scattered)
	}
	if !w.Stream.Unit.None() {
		if code := w.admit(e); code != fault.None {
			return fault.New(code)
		}
	}
	if again {
		if e.Accounted = false; !w.News(e) {
			return fault.New(fault.Duplicate)
		}
	}
	w.spend(e)
	w.Apply(e)
	w.pending = checkpoint.AppendEntry(w.pending, e)
	if again {
		return fault.New(fault.Duplicate) // to the sensor; another unit's reading had its place
	}
	return fault.Fault{}
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
func (l *large) start(s *sensor, m intake.Message, serial uint64) {
	l.held = m
	l.begin(s, &l.held, serial)
	l.decoder.Begin(m.Payload, s.shape, l.in.clock.at(m.Received), &l.delivery)
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
	l.in.answer(&l.held, l.sensor, l.outcome)
	done = l.held
	l.message, l.sensor, l.held = nil, nil, intake.Message{}
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
