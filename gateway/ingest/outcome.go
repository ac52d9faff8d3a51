package ingest

import (
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
)

// outcome is what its sender is told of a message as a whole, with the acknowledgement:
// success, or why nothing of it counted (decision 38).
type outcome struct {
	// settled says that something of it counts; or that what keeps it from counting depends on
	// more than this message, so that only feedback tells of it, and only in magnitudes.
	settled bool
	why     fault.Fault // the first that the sender can mend; else the first of what nobody wants
	of      *sensor     // of whose readings; nil for nobody known
}

// refused notes a reading of a sensor, nil for nobody known, that does not count.
func (o *outcome) refused(s *sensor, f fault.Fault) {
	switch {
	case remembered(f.Code):
		o.settled = true
	case o.why.Code == fault.None || unwanted(o.why.Code) && !unwanted(f.Code):
		o.why, o.of = f, s
	}
}

// remembered reports whether a fault depends on which readings came before: then whoever sends
// one after the other would learn reading by reading what the gateway remembers of a unit.
func remembered(c fault.Code) bool {
	return c == fault.Duplicate || c == fault.Scattered || c == fault.Crowded || c == fault.First
}

// unwanted reports whether nothing is wrong with a reading but that no decision wants it.
func unwanted(c fault.Code) bool {
	return c == fault.NoDecision || c == fault.Where || c == fault.NoZone || c == fault.NoCategory
}

// answer fills in what a message's sender is told, where the way in can pass it on: nothing that
// feedback would not tell, so nothing to who may stand for a home.
func (r *reception) answer(m *intake.Message, o outcome) {
	if !m.Explains || o.settled || o.why.Code == fault.None {
		return
	}
	var sender *sensor
	if m.Checked {
		sender = r.routing.byID[m.Sender]
	}
	if sender != nil && sender.home || o.of != nil && o.of.home {
		return
	}
	pointer, fix := "/*", o.why.Fix()
	if o.of != nil {
		pointer, _, fix = o.of.words.of(o.why)
	}
	m.Outcome = intake.Outcome{Code: o.why.Code, Why: o.why.Code.String() + " " + pointer + ": " + fix}
}
