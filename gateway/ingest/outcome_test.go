package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
)

// answered takes a message of the first sensor, or of who it says, and returns its outcome.
func (i *Ingest) answered(m intake.Message) intake.Outcome {
	m.Received, m.Explains = noon, true
	if m.Topic == "" {
		m.Topic = "city/v1/o/a/up"
	}
	i.sources.queue.Put(context.Background(), m)
	m, _ = i.sources.queue.Take()
	for more := true; more; { // a large one comes in parts
		before := len(i.reception.batch.messages)
		if err := i.handle(context.Background(), wall{}, m); err != nil {
			panic(err)
		}
		if more = len(i.reception.batch.messages) == before; more {
			m, _ = i.sources.queue.Take()
		}
	}
	return i.reception.batch.messages[len(i.reception.batch.messages)-1].Outcome
}

// TestOutcomes: of a message nothing of which counts its sender is told the first thing that it
// can mend, in words of its kind, and otherwise nothing.
func TestOutcomes(t *testing.T) {
	const good = `{"seq":1,"ts":"2026-03-02T12:00:00Z","fields":{"device":"x","rssi":-50}}`
	const quiet = `{"seq":2,"ts":"2026-03-02T12:00:00Z","fields":{"device":"x","rssi":-90}}`
	const loud = `{"fields":{"device":"x","rssi":"secret"}}`
	const rssi = "E101 /fields/rssi: send the type that the kind names: numbers as numbers, not as text"
	const where = "E402 /*: nothing: the decision does not want readings like this"
	large := func(of string) string {
		return "[" + strings.Repeat(of+",", 500) + of + "]" + strings.Repeat(" ", 1<<14)
	}
	for name, x := range map[string]struct {
		m    intake.Message
		want string
	}{
		"it counts":         {intake.Message{Payload: []byte(good)}, ""},
		"one of two counts": {intake.Message{Payload: []byte("[" + loud + "," + good + "]")}, ""},
		"a field is dropped": {intake.Message{Payload: []byte(strings.Replace(good, `"rssi"`, `"secret":1,"rssi"`, 1))},
			""},
		"the wrong type":       {intake.Message{Payload: []byte(loud)}, rssi},
		"unwanted":             {intake.Message{Payload: []byte(quiet)}, where},
		"unwanted, then wrong": {intake.Message{Payload: []byte("[" + quiet + "," + loud + "]")}, rssi},
		"wrong, then otherwise": {intake.Message{Payload: []byte("[" + loud + `,{"ts":"secret"},` + quiet + "]")},
			rssi},
		"a large one that is wrong": {intake.Message{Payload: []byte(large(loud))}, rssi},
		"a large one that counts": {intake.Message{Payload: []byte(large(strings.Replace(good, `"seq":1,`, "", 1)))},
			""},
		"no JSON": {intake.Message{Payload: []byte("secret")},
			"E100 /*: send one JSON object, an array of them, or a SenML pack; or the same in CBOR"},
		"a key of the wire format": {intake.Message{Payload: []byte(`{"seq":"secret","fields":{}}`)},
			"E101 /seq: send seq as a whole number from 0"},
		"ahead of the clock": {intake.Message{Payload: []byte(strings.Replace(good, "12:00", "13:00", 1))},
			"E301 /*: set the sensor's clock: ts is ahead of the gateway's"},
		"before it was registered": {intake.Message{Payload: []byte(strings.Replace(good, "2026-03", "2025-03", 1))},
			"E002 /*: the sensor is not registered yet, expired or replaced at that time; see its register entry"},
		"an unknown topic": {intake.Message{Topic: "city/v1/o/secret/up", Payload: []byte(good)},
			"E001 /*: publish to city/v1/OWNER/SENSOR/up of a registered sensor"},
		"another's topic": {intake.Message{Payload: []byte(good), Checked: true, Sender: "b"},
			"E003 /*: connect with the sensor's own credentials"},
		"a heartbeat": {intake.Message{Topic: "city/v1/o/a/hb", Payload: []byte(`{}`)}, ""},
		"a heartbeat that is none": {intake.Message{Topic: "city/v1/o/a/hb", Payload: []byte(`{"every":"secret"}`)},
			"E101 /every: send every as a duration of ISO 8601, such as PT60S"},
		"a heartbeat ahead of time": {intake.Message{Topic: "city/v1/o/a/hb", Payload: []byte(`{"ts":"2026-03-02T13:00:00Z"}`)},
			"E301 /*: set the sensor's clock: ts is ahead of the gateway's"},
	} {
		i := still(t, footfall(t, 2))
		i.sensor().from = noon.AddDate(0, -1, 0).UnixNano()
		got := i.answered(x.m)
		if got.Why != x.want || got.Code.String() != strings.SplitN(x.want, " ", 2)[0] {
			t.Errorf("%s: %q; want %q", name, got.Why, x.want)
		}
		if strings.Contains(got.Why, "secret") {
			t.Errorf("%s: what was sent is told: %q", name, got.Why)
		}
	}
}

// TestOutcomesTellNoHistory: whether a reading is known already, or finds no room because of
// those before it, is nothing that an acknowledgement tells.
func TestOutcomesTellNoHistory(t *testing.T) {
	i := still(t, footfall(t, 2))
	again := []byte(`{"seq":1,"ts":"2026-03-02T12:00:00Z","fields":{"device":"x","rssi":-50}}`)
	for range 2 {
		if got := i.answered(intake.Message{Payload: again}); got != (intake.Outcome{}) {
			t.Errorf("a reading that is known is answered %+v", got)
		}
	}
	for _, c := range []fault.Code{fault.Duplicate, fault.Scattered, fault.Crowded, fault.First} {
		o := outcome{}
		o.refused(i.sensor(), fault.New(fault.NotJSON))
		o.refused(i.sensor(), fault.New(c))
		m := intake.Message{Explains: true}
		if i.reception.answer(&m, o); m.Outcome != (intake.Outcome{}) {
			t.Errorf("%s is told", c)
		}
	}
}

// TestWhoIsAnswered: a way in that cannot pass it on has nothing made for it, and who may stand
// for a home is told nothing, not of another's topic either.
func TestWhoIsAnswered(t *testing.T) {
	i := still(t, footfall(t, 2))
	for name, x := range map[string]struct {
		m    intake.Message
		s    *sensor
		home bool
		told bool
	}{
		"a sensor":          {intake.Message{Explains: true}, i.sensor(), false, true},
		"nobody knows whom": {intake.Message{Explains: true}, nil, false, true},
		"no way to":         {intake.Message{}, i.sensor(), false, false},
		"a home":            {intake.Message{Explains: true}, i.sensor(), true, false},
		"a home, at an unknown topic": {intake.Message{Explains: true, Checked: true, Sender: "a"},
			nil, true, false},
		"the clock, at an unknown one": {intake.Message{Explains: true, Checked: true, Sender: "clock"},
			nil, true, true},
	} {
		i.sensor().home = x.home
		i.reception.answer(&x.m, outcome{why: fault.New(fault.NotJSON), of: x.s})
		if (x.m.Outcome.Code != fault.None) != x.told {
			t.Errorf("%s: %s", name, fmt.Sprint(x.m.Outcome.Why))
		}
	}
}
