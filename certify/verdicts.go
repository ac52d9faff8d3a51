package certify

import (
	"context"
	"time"

	"sluice/certify/bench"
)

const unknownForm = "its messages are in a form whose times and seqs are not read here (JSON, CBOR and SenML are)"

// settle waits until the gateway has said what it dropped.
func (r *run) settle(ctx context.Context) {
	r.pause(ctx, "waiting for the gateway's account", 2*bench.Tell+bench.Tell/2)
}

// beatsCome waits for heartbeats, where the kind asks for them or some have come.
func (r *run) beatsCome(ctx context.Context) {
	every := max(r.bench.Kind.Heartbeat.Nominal(), r.rec.beats.longest)
	if every == 0 {
		return
	}
	r.await(ctx, "waiting for heartbeats", max(r.o.Patience, 3*every),
		func() bool { return r.rec.beats.inTime > 0 || r.rec.beats.late > 0 })
}

// judge judges what takes the whole run.
func (r *run) judge() {
	r.identity()
	r.clock()
	r.heartbeat()
	if r.bench.Preset != nil && len(r.codes("declared")) == 0 {
		r.untried("declared", "of a message in a preset only what the profile or the kind names is looked at; what "+
			"else it has is dropped without a code")
	}
	for name, good := range map[string]string{
		"malformed": "each could be read", "declared": "each had only fields of its kind",
	} {
		if len(r.codes(name)) > 0 {
			r.fail(name, "of %s readings, some did not fit; see the codes", about(r.rec.readings))
		} else {
			r.pass(name, "of %s readings, %s", about(r.rec.readings), good)
		}
	}
}

// clock judges the times of all readings.
func (r *run) clock() {
	switch {
	case len(r.codes("clock")) > 0:
		r.fail("clock", "some of its times could not be read, or were too far from the gateway's clock")
	case r.rec.unread == r.rec.messages:
		r.untried("clock", unknownForm)
	case r.rec.untimed > 0:
		r.fail("clock", "%s", r.says("its readings have no ts; send ts as 2026-11-23T10:00:00Z",
			"its readings have no time where the preset looks for one, so that each counts when it comes"))
	case r.rec.zoned > 0:
		r.fail("clock", "%s", r.says("its times are not written as UTC; send ts with Z at the end",
			"its times do not say their zone, so that an hour is told twice each autumn; have it send UTC or an "+
				"offset"))
	default:
		r.pass("clock", "each reading had a time in UTC, and none was ahead of the gateway's clock or too old")
	}
}

// heartbeat judges the heartbeats.
func (r *run) heartbeat() {
	b, wanted := r.rec.beats, r.bench.Kind.Heartbeat.Nominal()
	switch {
	case b.number == 0 && wanted == 0:
		r.pass("heartbeat", "its kind asks for none, and it sent none")
	case b.number == 0 && r.bench.Preset != nil && !r.bench.Preset.Beats():
		r.untried("heartbeat", "its kind asks for one every %s, and no message of the preset is one", wanted)
	case b.number == 0:
		r.fail("heartbeat", "it sent none; its kind asks for one every %s", wanted)
	case b.unread > 0:
		r.fail("heartbeat", "some could not be read; send {\"ts\": ..., \"every\": \"PT60S\"}")
	case wanted > 0 && b.longest > wanted:
		r.fail("heartbeat", "it says one every %s; its kind asks for one every %s",
			b.longest.Round(time.Second), wanted)
	case b.late > 0:
		r.fail("heartbeat", "some came later than the one before had said, on the same connection")
	case b.inTime == 0:
		r.untried("heartbeat", "no two came on one connection, to be held against each other")
	default:
		r.pass("heartbeat", "they came as they say, every %s", b.longest.Round(time.Second))
	}
}
