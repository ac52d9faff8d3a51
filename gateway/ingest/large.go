package ingest

import (
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/intake"
)

// part is how many elements of a large message are taken at a time: some hundred
// microseconds of work. Others have their turns between parts, and commits are made.
const part = 250

// large is the message that is taken in parts; intake has one at a time. It is
// acknowledged with the commit that its last part is in. After a kill before that it comes
// again, whole, and what was durable of it is known by seq or time. A reading that has
// neither is known by nothing, if its sender does not say that it sends again: what is left
// of a message with one is taken at once, so that it is durable as a whole or not at all.
type large struct {
	on      bool
	message intake.Message
	at      *sensor
	decoder *format.Decoder // beside the one of small ones, between its parts
	whole   bool
}

// inParts begins the message at hand, and reports whether there is more of it.
func (i *Ingest) inParts() (more bool) {
	l := &i.large
	if l.decoder == nil {
		l.decoder = format.NewDecoder()
	}
	last := len(i.pending) - 1
	l.on, l.message, l.at, l.whole = true, i.pending[last], i.at, false
	i.pending[last] = intake.Message{}
	i.pending = i.pending[:last]
	i.turnTo(&l.message)
	l.decoder.Begin(l.message.Payload, l.at.shape, i.clock(l.message.Received), sink{i})
	return i.goOn()
}

// goOn takes the next part, and reports whether there is more.
func (i *Ingest) goOn() (more bool) {
	l := &i.large
	i.turnTo(&l.message)
	i.at, l.whole = l.at, false
	for more = l.decoder.Next(part); more && l.whole; {
		more = l.decoder.Next(format.MaxReadings)
	}
	if more {
		return true
	}
	i.pending = append(i.pending, l.message)
	i.message, l.on, l.message, l.at = nil, false, intake.Message{}, nil
	return false
}

// finish takes what is left of the message that is begun. In its next turn it is through.
func (i *Ingest) finish() {
	l := &i.large
	if !l.on {
		return
	}
	i.turnTo(&l.message)
	i.at, i.dirty = l.at, true
	for l.decoder.Next(format.MaxReadings) {
	}
}
