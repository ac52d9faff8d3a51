package ingest

import (
	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
	"sluice/gateway/ingest/internal/window"
)

// sink is what format hands readings to; nobody outside can.
type sink struct{ *Ingest }

// Refused counts a reading that is dropped.
func (i sink) Refused(f fault.Fault) { i.refuseOf(f, i.decoder.Stamp()) }

// Dropped notes a field that is dropped while its reading goes on.
func (i sink) Dropped(f fault.Fault) { i.feedback.add(i.at, f, i.decoder.Stamp()) }

// Reading leads one reading to every stream that wants it.
func (i sink) Reading(r reading.Reading) { i.lead(r) }

// refuse counts what is refused before anything of it is read.
func (i *Ingest) refuse(f fault.Fault) { i.refuseOf(f, nil) }

// refuseOf counts a reading that is refused.
func (i *Ingest) refuseOf(f fault.Fault, of *reading.Stamp) {
	i.readings++
	i.state.Received++
	switch f.Code {
	case fault.Late:
		i.state.Late++
	case fault.Duplicate:
		i.state.Duplicate++
	default:
		i.state.Refused[f.Code.String()]++
	}
	i.feedback.add(i.at, f, of)
}

func (i *Ingest) lead(r reading.Reading) {
	stamp := r.Stamp()
	i.large.whole = i.large.whole || !stamp.Timed && !stamp.Sequenced
	if i.message.Retained && !stamp.Timed {
		i.refuseOf(fault.New(fault.Retained), stamp) // nobody knows when it was
		return
	}
	if i.knowsTime() && stamp.Time > i.clock(i.message.Received)+int64(i.cfg.Future) {
		i.refuseOf(fault.New(fault.Future), stamp)
		return
	}
	if !i.at.usable(stamp.Time) {
		i.refuseOf(fault.New(fault.NotUsable), stamp)
		return
	}
	best := fault.New(fault.NoDecision)
	counted := false
	for n := range i.at.routes {
		f := i.follow(&i.at.routes[n], r, stamp, !counted)
		if f.Code == fault.None {
			counted = true
		} else if rank(f.Code) > rank(best.Code) {
			best = f
		}
	}
	if !counted {
		i.refuseOf(best, stamp)
		return
	}
	i.readings++
	i.state.Received++
	i.at.lastReading = max(i.at.lastReading, stamp.Time)
}

// follow leads a reading along one plan into its window.
func (i *Ingest) follow(p *route, r reading.Reading, stamp *reading.Stamp, home bool) fault.Fault {
	w, code := i.windowAt(p, stamp.Time)
	if code != fault.None {
		return fault.New(code)
	}
	if f := p.rule.Apply(r, &i.kept); f.Code != fault.None {
		return f
	}
	e := &i.entry
	*e = window.Entry{
		Home: home, Sensor: i.at.number, Sequenced: stamp.Sequenced, Seq: stamp.Seq, Boot: stamp.Boot,
		Time: stamp.Time, Untimed: !stamp.Timed, Cell: i.kept.Cell, Values: i.kept.Values, Has: i.kept.Has, Owner: p.owner,
	}
	switch {
	case !w.Stream.Unit.None():
		e.Unit = w.epoch.Tag(i.kept.Unit)
		if !stamp.Sequenced {
			e.Message = w.readingTag(e, stamp.Timed)
		}
	case !stamp.Sequenced:
		e.Message = w.messageTag(i.message, i.serial, stamp.Index)
	}
	// Without time or seq, equal messages are equal readings only if the sender
	// says that it sends again (MQTT 3.1.1 section 3.3.1.1).
	again := (stamp.Sequenced || stamp.Timed || i.message.Dup) && w.Seen(e)
	if !again && !w.Room(e) {
		return fault.New(fault.Scattered)
	}
	if !w.Stream.Unit.None() {
		if code := w.admit(e); code != fault.None {
			return fault.New(code)
		}
	}
	if again {
		if e.Home = false; !w.News(e) {
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
