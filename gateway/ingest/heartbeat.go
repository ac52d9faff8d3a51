package ingest

import (
	"cmp"
	"encoding/json"
	"errors"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/intake"
	"sluice/internal/civil"
	"sluice/register/preset"
)

// maxBeat is how many bytes a heartbeat may have.
const maxBeat = 1024

// beatTime is a time in the years of those of readings, which nanoseconds reach: one of
// before would become one far ahead.
type beatTime struct{ time.Time }

func (t *beatTime) UnmarshalJSON(b []byte) error {
	err := t.Time.UnmarshalJSON(b)
	if year := t.UTC().Year(); err == nil && (year < 1970 || year > 2261) {
		err = errors.New("the year is out of reach")
	}
	return err
}

// parseHeartbeat reads {"ts": T, "every": "PT60S", "seq": n}; ts is nil where it has
// none. Faults say what of it cannot be read.
func parseHeartbeat(payload []byte) (ts *beatTime, every time.Duration, faults []fault.Fault) {
	var hb struct {
		TS    json.RawMessage `json:"ts"`
		Every json.RawMessage `json:"every"`
		Seq   json.RawMessage `json:"seq"`
	}
	if len(payload) > maxBeat || json.Unmarshal(payload, &hb) != nil {
		return nil, 0, []fault.Fault{fault.New(fault.NotBeat)}
	}
	var period civil.Period
	var seq *uint64
	for _, part := range []struct {
		raw  json.RawMessage
		into any
		or   fault.Fault
	}{
		{hb.TS, &ts, fault.AtKey(fault.BadTime, fault.KeyTime)},
		{hb.Every, &period, fault.AtKey(fault.WrongType, fault.KeyEvery)},
		{hb.Seq, &seq, fault.AtKey(fault.WrongType, fault.KeySeq)},
	} {
		if part.raw != nil && json.Unmarshal(part.raw, part.into) != nil {
			faults = append(faults, part.or)
		}
	}
	if every = min(period.Nominal(), time.Hour); every <= 0 {
		every = time.Minute
	}
	return ts, every, faults
}

// heartbeat notes that the sensor lives from ts for three times every.
func (r *reception) heartbeat(s *sensor, m *intake.Message) {
	ts, every, faults := parseHeartbeat(m.Payload)
	for _, f := range faults {
		r.feedback.add(s, f, nil)
	}
	if len(faults) > 0 {
		r.answer(m, outcome{why: faults[0], of: s})
		return
	}
	at := time.Unix(0, r.clock.at(m.Received)).UTC()
	if ts == nil && m.Retained {
		return // nobody knows when it was
	}
	if ts != nil {
		if r.clock.known() && ts.After(at.Add(r.cfg.Future)) {
			r.feedback.add(s, fault.New(fault.Future), nil)
			r.answer(m, outcome{why: fault.New(fault.Future), of: s})
			return
		}
		at = ts.UTC()
	}
	r.lives(s, at, every)
}

// beat is what of a preset's messages on a topic are heartbeats, and how often they come; 0 where the kind says it.
type beat struct {
	every time.Duration
	when  *format.Condition
}

func newBeat(p *preset.Preset, t *preset.Topic) *beat {
	if t.Role != preset.Heartbeat {
		return nil
	}
	return &beat{cmp.Or(t.Every.Nominal(), p.Every.Nominal()), format.NewCondition(p.Format, t.When)}
}

// is reports whether a message there is a heartbeat.
func (b *beat) is(d *format.Decoder, payload []byte) bool { return d.Meets(payload, b.when) }

// wrappedHeartbeat notes that a sensor lives of which a system says so: from receipt on for three
// times as long as the preset, or else the kind, says that it takes.
func (r *reception) wrappedHeartbeat(s *sensor, m *intake.Message, every time.Duration) {
	if m.Retained {
		return // nobody knows when it was
	}
	if every <= 0 {
		every = s.beat
	}
	r.lives(s, time.Unix(0, r.clock.at(m.Received)).UTC(), min(max(every, time.Minute), 24*time.Hour))
}

// lives notes that the sensor lives from at for three times every.
func (r *reception) lives(s *sensor, at time.Time, every time.Duration) {
	r.liveness.note(s.number)
	s.pulse.Store(true)
	until := at.Add(3 * every)
	s.silentAfter = max(s.silentAfter, until.UnixNano())
	for n := range s.routes {
		r.counting.markAlive(&s.routes[n], s.number, at, until)
	}
}
