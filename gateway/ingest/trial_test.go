package ingest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/register"
	"sluice/register/preset"
	"sluice/test/vendors"
)

var sampled = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func trialOf(f vendors.Folder) ingest.TrialOf {
	return ingest.TrialOf{Kind: f.Kind, Presets: preset.Builtin(), Sensor: register.Sensor{ID: "s", Owner: "o",
		Kind: "k", Zone: "z", Preset: f.Preset, Profile: f.Profile, Map: f.Map, Topic: f.Topic, Device: f.Device,
		Registered: civil.Date{Year: 2020, Month: 1, Day: 1}}}
}

// TestVendorsSamples tries every message that other systems send: of each folder some reading
// counts, of a device that is found, at a place that is there; and of what hostile messages hold
// nothing is said but where it is.
func TestVendorsSamples(t *testing.T) {
	for _, f := range vendors.Folders(t) {
		t.Run(f.Name, func(t *testing.T) {
			trial := ingest.NewTrial(trialOf(f))
			if wrong := trial.Entry(); len(wrong) > 0 {
				t.Errorf("the entry: %+v", wrong)
			}
			counting, found := 0, f.Device == ""
			for _, m := range f.Messages {
				got := trial.Try(m.Topic, m.Body, sampled)
				for _, r := range got.Readings {
					if !r.Counts {
						continue
					}
					counting++
					found = found || r.Device.Value == f.Device
					if r.Instant == nil || r.TimeFrom == "" {
						t.Errorf("%s: reading %d has no time", m.File, r.Number)
					}
					if !slices.ContainsFunc(got.Keys, func(k ingest.TriedKey) bool {
						return k.There && k.Field != ""
					}) {
						t.Errorf("%s: a reading counts and no field is there: %+v", m.File, got.Keys)
					}
				}
				if m.Hostile() {
					quiet(t, f, m.File, got)
				}
			}
			if counting == 0 || !found {
				t.Errorf("%d readings count, and of the device: %v", counting, found)
			}
		})
	}
}

// quiet looks that the words of a report hold none of a message's values; keys, and whose it is,
// are the technician's to see.
func quiet(t *testing.T, f vendors.Folder, file string, got ingest.Tried) {
	t.Helper()
	got.Device.Value, got.Keys = "", nil
	for i := range got.Readings {
		got.Readings[i].Device.Value, got.Readings[i].Seq = "", nil
	}
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Canaries() {
		if strings.Contains(string(raw), c) {
			t.Errorf("%s: the report has %s:\n%s", file, c, raw)
		}
	}
}

func noise() ingest.TrialOf {
	return ingest.TrialOf{Sensor: register.Sensor{ID: "s", Owner: "o", Kind: "noise"}, Presets: preset.Builtin(),
		Kind: register.Kind{Fields: []register.Field{{Name: "laeq", Type: "float", Unit: "dB(A)", Class: "measurement",
			Valid: []float64{20, 140}}, {Name: "who", Type: "string", Class: "identifier"}}}}
}

// TestAllMistakes: each mistake of a reading is found at once, where it is; what is wrong with
// one of an array is not wrong with the others.
func TestAllMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		want    []string // code, pointer, reading and line
		counts  []bool
	}{
		"right": {`{"ts":"2026-11-20T10:00:00Z","seq":0,"boot":1,"fields":{"laeq":61}}`, nil, []bool{true}},
		"texts": {`{"ts":"now","seq":"1","boot":[],"fields":{"laeq":"61","who":7}}`,
			[]string{"E300 /ts 1", "E101 /seq 1", "E101 /boot 1", "E101 /fields/laeq 1", "E101 /fields/who 1"},
			[]bool{false}},
		"array": {`[{"fields":{"laeq":61},"seq":1},{"fields":{"laeq":150},"seq":2},{"seq":3}]`,
			[]string{"E202 /fields/laeq 2", "E102 /* 3"}, []bool{true, false, false}},
		"line":     {"{\"fields\":\n {\"laeq\": 61,}\n}", []string{"E100 /* 0 line 2"}, nil},
		"scalar":   {`5`, []string{"E100 /* 0"}, nil},
		"fields":   {`{"fields":[],"seq":-1}`, []string{"E101 /seq 1", "E101 /fields 1"}, []bool{false}},
		"twice":    {`{"seq":1,"seq":2,"fields":{"laeq":61}}`, []string{"E104 /* 1"}, []bool{false}},
		"ahead":    {`{"ts":"2026-11-27T12:02:00Z","seq":1,"fields":{"laeq":61}}`, []string{"E301 /* 1"}, []bool{false}},
		"no array": {`[5,{"seq":1,"fields":{"laeq":61}}]`, []string{"E101 /* 1"}, []bool{false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ingest.NewTrial(noise()).Try("", []byte(c.payload), sampled)
			var list []string
			for _, f := range got.Findings {
				if f.Code != "" {
					one := f.Code + " " + f.Pointer + " " + string(rune('0'+f.Reading))
					if f.Line > 0 {
						one += " line " + string(rune('0'+f.Line))
					}
					list = append(list, one)
				}
			}
			slices.Sort(list)
			if slices.Sort(c.want); !slices.Equal(list, c.want) {
				t.Errorf("%q; want %q", list, c.want)
			}
			var counts []bool
			for _, r := range got.Readings {
				counts = append(counts, r.Counts)
			}
			if !slices.Equal(counts, c.counts) {
				t.Errorf("they count: %v; want %v", counts, c.counts)
			}
		})
	}
}

// TestFates: what becomes of a field is what the plan's decision says, and a reading counts that
// its rule takes.
func TestFates(t *testing.T) {
	of := noise()
	s := &plan.Stream{ID: "noise", Decision: "7", Timezone: "UTC", Every: civil.MustPeriod("PT1H"),
		Unit: plan.Unit{StandsFor: "none"}, From: sampled.AddDate(0, -1, 0), Until: sampled.AddDate(0, 1, 0),
		Keep: []string{"laeq"}, Zones: []string{"z"},
		Where:      []plan.Condition{{Field: "laeq", Op: ">=", Value: 50.0}},
		Generalise: []plan.Generalise{{Field: "laeq", Step: 5}},
		Measures: []plan.Measure{{Name: "n", Of: plan.Mean, Field: "laeq", Bounded: true, Low: 20, High: 140,
			Unit: "dB(A)"}}}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	of.Judged, of.Plans = true, []plan.Plan{{Stream: s, Zone: "z"}}
	trial := ingest.NewTrial(of)
	for payload, want := range map[string]string{
		`{"seq":1,"boot":1,"fields":{"laeq":61,"who":"x"}}`: "counts",
		`{"seq":1,"boot":1,"fields":{"laeq":41,"who":"x"}}`: "E402",
		`{"seq":1,"boot":1,"fields":{"who":"x"}}`:           "E402",
	} {
		got := trial.Try("city/v1/acme/noise-7/up", []byte(payload), sampled)
		r := got.Readings[0]
		if (want == "counts") != (r.Counts && slices.Equal(r.Decisions, []string{"7"})) || want != "counts" &&
			got.Findings[0].Code != want {
			t.Errorf("%s: %+v", payload, got)
		}
		if r.Device != (ingest.Identity{Value: "noise-7", From: "topic"}) {
			t.Errorf("%s is of %+v", payload, r.Device)
		}
		for _, k := range got.Keys {
			switch {
			case k.Field == "laeq" && (k.Fate != "generalised" || k.Decision != "7"),
				k.Field == "who" && (k.Fate != "dropped" || k.Decision != ""):
				t.Errorf("%s: %+v", payload, k)
			}
		}
	}
	of.Plans = nil
	if got := ingest.NewTrial(of).Try("", []byte(`{"seq":1,"fields":{"laeq":61}}`), sampled); got.Readings[0].Counts ||
		got.Findings[0].Code != "E401" {
		t.Errorf("without a decision: %+v", got)
	}
}

// FuzzTry: whatever a sample is, it is tried in the end.
func FuzzTry(f *testing.F) {
	for _, folder := range vendors.Folders(f) {
		for _, m := range folder.Messages {
			f.Add(folder.Preset, m.Topic, m.Body)
		}
	}
	f.Add("", "", []byte{0x80})
	f.Fuzz(func(t *testing.T, id, topic string, payload []byte) {
		of := noise()
		if preset.Builtin().Presets.Of(id) != nil {
			of.Sensor.Preset = id
		}
		got := ingest.NewTrial(of).Try(topic, payload, sampled)
		if len(got.Readings) == 0 && len(got.Findings) == 0 && got.Role == "reading" {
			t.Errorf("nothing is said of it: %+v", got)
		}
	})
}

// TestRoles: what is no reading is called by its name, and is no mistake.
func TestRoles(t *testing.T) {
	birth, data := "spBv1.0/Town Water/DBIRTH/Pump House/Tank 1", "spBv1.0/Town Water/DDATA/Pump House/Tank 1"
	samples := make(map[string][]byte)
	for _, f := range vendors.Folders(t) {
		for _, m := range f.Messages {
			samples[f.Name+"/"+m.File] = m.Body
		}
	}
	for _, c := range []struct{ preset, topic, payload, role, code, says string }{
		{"", "city/v1/o/s/hb", `{"every":"PT60S"}`, "heartbeat", "", ""},
		{"", "city/v1/o/s/hb", `{"every":"often"}`, "unknown", "E101", "ISO 8601"},
		{"", "city/v1/o/s/down", `{"seq":1,"fields":{"laeq":61}}`, "reading", "E001", "OWNER/SENSOR/up"},
		{"chirpstack-v4", "application/a/device/d/event/status", `{}`, "heartbeat", "", ""},
		{"chirpstack-v4", "application/a/device/d/event/join", `{}`, "ignore", "", ""},
		{"chirpstack-v4", "elsewhere", `{"object":{"laeq":61}}`, "reading", "", "topic of its own"},
		{"sparkplug-b", data, string(samples["sparkplug-b/unborn.hex"]), "unknown", "E102", "the birth first"},
		{"ttn-v3", "", `{"received_at":"now","uplink_message":{"decoded_payload":{"laeq":61}}}`, "reading", "E300",
			"time as rfc3339"},
		{"sparkplug-b", birth, string(samples["sparkplug-b/dbirth.hex"]), "birth", "", ""},
		{"sparkplug-b", "", "", "unknown", "E001", "whether the message is a birth"},
	} {
		of := noise()
		of.Sensor.Preset = c.preset
		got := ingest.NewTrial(of).Try(c.topic, []byte(c.payload), sampled)
		code, says := "", ""
		for _, f := range got.Findings {
			code, says = code+f.Code, says+f.Fix
		}
		if got.Role != c.role || code != c.code || !strings.Contains(says, c.says) {
			t.Errorf("%s of %s: a %s, %q, %s; want a %s, %q, %s", c.topic, c.preset, got.Role, code, says, c.role,
				c.code, c.says)
		}
	}
}
