package ingest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/register"
)

// TestFeedbackNamesTheFirst: feedback names the seq of the first reading that something
// was wrong with, of that sensor's own, and says what the likeliest mistake is.
func TestFeedbackNamesTheFirst(t *testing.T) {
	i := still(t, footfall(t, 2))
	say := func(payload string) { i.decode([]byte(payload), 0) }
	say(`{"fields":{"device":7}}`)
	say(`{"seq":"0","fields":{"device":7}}`)
	say(`{"seq":41,"fields":{"device":7}}`)
	say(`{"seq":42,"fields":{"device":7}}`)
	say(`{"seq":43,"device":"x"}`)
	say(`{"fields":{"device":7},"more":1,"seq":44}`)
	say(`{"seq":44,`)
	l := message{words: &i.sensor().words, kind: "k", faults: i.feedback.tally[i.sensor()]}
	raw, err := l.body()
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Codes []struct {
			Code, Pointer, Rule, Fix string
			Seq                      *uint64
		}
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{"E100 /*": 0, "E101 /seq": 0, "E101 /fields/device": 41, "E102 /*": 43, "E103 /*": 44}
	if len(body.Codes) != len(want) {
		t.Errorf("feedback is %s", raw)
	}
	for _, c := range body.Codes {
		if n, known := want[c.Code+" "+c.Pointer]; !known || n == 0 && c.Seq != nil ||
			n > 0 && (c.Seq == nil || *c.Seq != n) {
			t.Errorf("%s names seq %v; want %d", c.Code, c.Seq, n)
		}
		if c.Code == "E102" &&
			(c.Rule != "wire format" || c.Fix != `put what is measured under fields: {"fields": {"NAME": VALUE}}`) {
			t.Errorf("who leaves fields out is told %q, %q", c.Rule, c.Fix)
		}
	}
}

// TestHeartbeatsThatCannotBeRead: who sends one is told which of its keys, and what to send
// there; so is who sends a key of a reading wrongly.
func TestHeartbeatsThatCannotBeRead(t *testing.T) {
	i := still(t, footfall(t, 2))
	const every, seq = "E101 /every: wire format: send every as a duration of ISO 8601, such as PT60S",
		"E101 /seq: wire format: send seq as a whole number from 0"
	const ts = "E300 /ts: RFC 3339: send ts as 2026-11-23T10:00:00Z, or leave it out"
	beat := i.beat
	reading := func(payload string) { i.decode([]byte(payload), 0) }
	for payload, want := range map[string]struct {
		send func(string)
		told []string
	}{
		`{"every":"60"}`:                         {beat, []string{every}},
		`{"every":60}`:                           {beat, []string{every}},
		`{"ts":"10:00","every":"PT60S"}`:         {beat, []string{ts}},
		`{"ts":"1600-01-01T00:00:00Z"}`:          {beat, []string{ts}}, // in nanoseconds it would be in 2184
		`{"ts":"9999-01-01T00:00:00+01:00"}`:     {beat, []string{ts}},
		`{"ts":1772445600,"every":{},"seq":"5"}`: {beat, []string{every, seq, ts}},
		`[{"every":"PT60S"}]`: {beat,
			[]string{`E100 /*: wire format: send a heartbeat as one JSON object of at most 1,024 bytes: {"ts": "2026-11-23T10:00:00Z", "every": "PT60S"}`}},
		`{"ts":null,"every":null}`:         {beat, nil},
		`{"ts":7,"fields":{"device":"x"}}`: {reading, []string{ts}},
		`{"boot":{},"fields":{"device":"x"}}`: {reading,
			[]string{"E101 /boot: wire format: send boot as a whole number or a text"}},
		`{"fields":["x"]}`: {reading,
			[]string{`E101 /fields: wire format: send fields as an object: {"fields": {"NAME": VALUE}}`}},
	} {
		clear(i.feedback.tally)
		want.send(payload)
		l := message{words: &i.sensor().words, kind: "k",
			faults: i.feedback.tally[i.sensor()]}
		var told []string
		for f := range l.faults {
			n := l.note(f)
			told = append(told, n.Code+" "+n.Pointer+": "+n.Rule+": "+n.Fix)
			if l.faults[f].count != 1 {
				t.Errorf("%s is told %s %d times", payload, n.Code, l.faults[f].count)
			}
		}
		slices.Sort(told)
		if !slices.Equal(told, want.told) {
			t.Errorf("%s is told %q; want %q", payload, told, want.told)
		}
	}
}

// TestWhatIsLackingIsNamed: of a field that is known feedback has the pointer that the vendor
// sends it at, and of several that would do it names none.
func TestWhatIsLackingIsNamed(t *testing.T) {
	kind := register.Kind{Fields: []register.Field{{Name: "level", Type: "float", Class: "measurement"},
		{Name: "peak", Type: "float", Class: "measurement"}}}
	one := register.Kind{Fields: kind.Fields[:1]}
	mean := func(fields ...string) (list []plan.Measure) {
		for _, f := range fields {
			list = append(list, plan.Measure{Name: "m" + f, Of: plan.Mean, Field: f})
		}
		return list
	}
	for name, c := range map[string]struct {
		kind     register.Kind
		mapped   string
		measures []plan.Measure
		payload  string
		want     string
	}{
		"the measured one":           {kind, "", mean("level"), `{"fields":{"peak":1}}`, "E102 /fields/level"},
		"the kind's one":             {one, "", mean("level"), `{"fields":{}}`, "E102 /fields/level"},
		"any of two":                 {kind, "", mean("level", "peak"), `{"fields":{}}`, "E102 /*"},
		"the mapped one, measured":   {kind, "level: /a~1b/0", mean("level"), `{"fields":{"peak":1}}`, "E102 /a~1b/0"},
		"the mapped one, and no one": {kind, "level: /a~1b/0", mean("level"), `{"a/b":[]}`, "E102 /a~1b/0"},
		"any of two that are mapped": {kind, "level: /a, peak: /b", mean("level", "peak"), `{"c":1}`, "E102 /*"},
		"the mapped one's type":      {kind, "level: /a", mean("level"), `{"a":"loud"}`, "E101 /a"},
		"the other's type": {kind, "level: /a", mean("level"), `{"a":1,"fields":{"peak":"x"}}`,
			"E101 /fields/peak"},
		"in a pack": {one, "", mean("level"), `[{"n":"other","v":1}]`, "E102 /fields/level"},
	} {
		s := &plan.Stream{
			ID: "s", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"),
			Lateness: civil.MustPeriod("PT2M"), From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0),
			Unit: plan.Unit{StandsFor: "none"}, Zones: []string{"rambla"}, Measures: c.measures,
		}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		reg, err := register.Parse("register.yaml",
			[]byte("sensors: [{id: a, owner: o, kind: k, zone: rambla, registered: 2026-01-01, map: {"+c.mapped+"}}]"))
		if err != nil {
			t.Fatal(err)
		}
		i := still(t, footfall(t, 2))
		i.routing.versions, i.windows.streams = nil, map[string]*stream{}
		i.routing.roster = newRoster(reg)
		if err := i.changes.adopt(Version{Digest: "v", Location: time.UTC, Streams: []*plan.Stream{s},
			Kinds: map[string]register.Kind{"k": c.kind},
			Plans: map[string][]plan.Plan{"a": {{Stream: s, Zone: "rambla"}}}}); err != nil {
			t.Fatal(err)
		}
		i.decode([]byte(c.payload), noon.UnixNano())
		l := message{words: &i.sensor().words, kind: "k",
			faults: i.feedback.tally[i.sensor()]}
		var told []string
		for f := range l.faults {
			if n := l.note(f); n.Code != "E103" {
				told = append(told, n.Code+" "+n.Pointer)
			}
		}
		if len(told) != 1 || told[0] != c.want {
			t.Errorf("%s: %s is told %q; want %s", name, c.payload, told, c.want)
		}
	}
}

// TestNoSeqOutlivesAnEpoch: what is told after an epoch's end is how often, and of no
// reading before it, whether anybody was there in the epoch or not.
func TestNoSeqOutlivesAnEpoch(t *testing.T) {
	for _, crowded := range []bool{true, false} {
		s := footfall(t, 2)
		i := still(t, s)
		add := func(seq uint64) times {
			i.feedback.add(i.sensor(), fault.New(fault.NotJSON), &reading.Stamp{Sequenced: true, Seq: seq})
			return i.feedback.tally[i.sensor()][fault.New(fault.NotJSON)]
		}
		if crowded {
			i.decode([]byte(`{"seq":1,"fields":{"device":"02:00:5e:00:00:01","rssi":-60}}`), noon.UnixNano())
			if len(i.windows.streams[s.ID].epochs) == 0 {
				t.Fatal("nobody is there")
			}
		}
		add(4711)
		_, end := s.Epoch(noon)
		for start, want := range map[time.Time]times{end.Add(-2 * s.Every.Nominal()): {2, 4711, true},
			end.Add(-s.Every.Nominal()): {2, 12, true}} {
			clear(i.feedback.tally)
			add(4711)
			i.closes.shred(closing{Stream: s.ID, Start: start, End: start.Add(s.Every.Nominal())})
			if got := add(12); got != want {
				t.Errorf("after the window from %s it is told %+v; want %+v", start, got, want)
			}
		}
	}
}

// TestFeedbackTellsTheGatewaysTime: with a simulated clock, since and until are of that
// clock, and what is told once follows on what was told before.
func TestFeedbackTellsTheGatewaysTime(t *testing.T) {
	i := still(t, footfall(t, 2))
	i.cfg.Feedback = 5 * time.Minute
	at := func(wall time.Time) { i.cfg.Now = func() time.Time { return wall } }
	told := func() (since, until time.Time) {
		t.Helper()
		i.feedback.add(i.sensor(), fault.New(fault.NotJSON), nil)
		i.feedback.send()
		post := <-i.feedback.out
		return post[0].since, post[0].until
	}
	want := func(from, to time.Time) {
		t.Helper()
		if since, until := told(); !since.Equal(from) || !until.Equal(to) {
			t.Errorf("told from %s to %s; want from %s to %s", since, until, from, to)
		}
	}
	wall := noon.AddDate(1, 0, 0)
	at(wall.Add(7 * time.Minute))
	i.cfg.Clock, i.clock.now = "", wall
	want(wall, wall.Add(5*time.Minute))
	i.cfg.Clock, i.clock.since, i.clock.now = "city/v1/clock", noon, noon.Add(time.Hour)
	want(noon, noon.Add(time.Hour))
	i.clock.now = noon.Add(3 * time.Hour)
	want(noon.Add(time.Hour), noon.Add(3*time.Hour))
	i.clock.now = noon.Add(4 * time.Hour)
	i.feedback.send() // of nothing
	i.clock.now = noon.Add(5 * time.Hour)
	want(noon.Add(4*time.Hour), noon.Add(5*time.Hour))
}
