package ingest

import (
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/reading"
	"sluice/register"
	"sluice/register/preset"
)

// refusals takes the faults of readings that are refused.
type refusals struct {
	format.Sink
	got []fault.Fault
}

func (r *refusals) Reading(reading.Reading) {}
func (r *refusals) Refused(f fault.Fault)   { r.got = append(r.got, f) }

// TestWordsInEnvelopes: who sends in a preset's envelope is told where the preset, the profile and the map look, and
// never of a map, a key or a format that it has not; the words are those of acknowledgements, feedback and watch alike.
func TestWordsInEnvelopes(t *testing.T) {
	kind := register.Kind{Fields: []register.Field{{Name: "level", Type: "float"}, {Name: "count", Type: "int"},
		{Name: "open", Type: "bool"}, {Name: "pump", Type: "bool"}, {Name: "plate", Type: "string", Format: "plate"},
		{Name: "moved", Type: "bool"}, {Name: "grown", Type: "bool"}}}
	profile, err := preset.ParseProfile("p.yaml", []byte("profile: p\nfields: {level: {pointer: /value}, "+
		"count: {pointer: /n}, open: {pointer: /open}, plate: {pointer: /plate}, pump: {pointer: /pump, "+
		"words: {\"RUN\": true, \"STOP\": false}}, moved: {pointer: /moved, change: true}, "+
		"grown: {pointer: /grown, scale: 2}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ preset, payload, want string }{
		{"sentilo", `{"observations":[{"value":"1","timestamp":"27/11/2026T08:33:00GMT+1"}]}`,
			"E300 /timestamp: this preset reads the time as DD/MM/YYYYThh:mm:ss"},
		{"sentilo", `{"sensors":[]}`, "E102 /observations: the preset looks for a list of readings there"},
		{"sentilo", `{"observations":{}}`, "E101 /observations: the preset looks for a list there"},
		{"sentilo", `[]`, "E102 /observations: the preset looks for a list of readings there"},
		{"tasmota", `[]`, "E102 /*: the preset looks for a list of readings there"},
		{"sentilo-provider", `{"sensors":[{"sensor":"x","observations":7}]}`,
			"E101 /observations: the preset looks for a list there"},
		{"sentilo-provider", `{"sensors":7}`, "E101 /sensors: the preset looks for a list there"},
		{"smart-citizen", `{"data":[{"sensors":{"id":1}}]}`, "E101 /sensors: the preset looks for a list there"},
		{"sentilo", `{"observations":[{"value":{}}]}`, "E101 /value: send a number there, or the text of one"},
		{"tasmota", `{"value":"7"}`, "E101 /value: send a number there; where the device sends it as a text, number: text"},
		{"tasmota", `{"moved":{},"value":1}`, "E101 /moved: send a state there"},
		{"tasmota", `{"grown":1,"value":1}`, "E101 /grown: nothing that is sent fits: the profile cannot fill this field"},
		{"sentilo", `{"observations":[{"value":"61,5"}]}`, "E200 /value: send finite numbers, written as in 61.5"},
		{"sentilo", `{"observations":[{"value":"1","n":"1.5"}]}`, "E200 /n: send whole numbers"},
		{"sentilo", `{"observations":[{"value":"1","open":"yes"}]}`, "E101 /open: send the type that the kind names: true"},
		{"sentilo", `{"observations":[{"value":"1","pump":"run"}]}`, "E202 /pump: send one of the words that the profile " +
			"has: RUN, STOP"},
		{"sentilo", `{"observations":[{"value":"1","plate":"~"}]}`, "E203 /plate: send the identifier as plate"},
		{"sentilo", `{"observations":[{"value":"1","value":"2"}]}`, "E104 /value: send each key once"},
		{"sentilo", "\ufeff" + `{"observations":[]}`, "E100 /*: send one message in JSON, with no bytes before it"},
		{"tasmota", `{"Time":"1970-01-01T00:00:12","value":1}`, "E300 /Time: set the device's clock"},
		{"tasmota", `{"Time":"1970.01.01 00:00:12","value":1}`, "E300 /Time: set the device's clock"},
		{"tasmota", `{"Time":"now","value":1}`, "E300 /Time: this preset reads the time as rfc3339 or YYYY.MM.DD hh:mm:ss"},
		{"wmbusmeters", `{"timestamp":"1111-11-11T11:11:11Z","value":1}`, "E300 /timestamp: set the device's clock"},
		{"ttn-v3", `{"uplink_message":{"f_cnt":1}}`, "E102 /uplink_message/decoded_payload: none of the kind's fields is " +
			"where the map, the profile or the preset looks for it"},
		{"ttn-v3", `{"uplink_message":{"f_cnt":"x"}}`, "E101 /uplink_message/f_cnt: send a whole number"},
		{"chirpstack-v4", "\x0a\x02", "E100 /*: send one message in JSON"},
	} {
		s := &sensor{entry: &register.Sensor{Preset: c.preset, Profile: "p"}}
		p := preset.Builtin().Presets.Of(c.preset)
		s.system = &system{preset: p, envelope: format.NewEnvelope(p, madrid),
			profiles: preset.Shelf[preset.Profile]{"p": func() *preset.Profile { return profile }}}
		sent := shapeOf(kind, s)
		got, d := &refusals{}, format.NewDecoder()
		for more := d.BeginWrapped([]byte(c.payload), format.Wrapped{Envelope: s.system.envelope, Shape: sent.shape}, 0,
			got) == preset.Reading; more; {
			more = d.Next(1)
		}
		if len(got.got) != 1 {
			t.Errorf("%s: %d refusals", c.payload, len(got.got))
			continue
		}
		pointer, _, fix := sent.words.of(got.got[0])
		if text := got.got[0].Code.String() + " " + pointer + ": " + fix; !strings.HasPrefix(text, c.want) ||
			p.Advice != "" && strings.HasPrefix(c.want, "E10") && !strings.Contains(c.want, "f_cnt") &&
				!strings.HasSuffix(text, p.Advice) {
			t.Errorf("%s: %s; want %s", c.payload, text, c.want)
		}
	}
	all := preset.Builtin().Presets
	json, spark := words{preset: all.Of("sentilo")}, words{preset: all.Of("sparkplug-b")}
	_, _, a := json.of(fault.New(fault.NotJSON))
	_, _, b := spark.of(fault.New(fault.NotJSON))
	_, _, unborn := spark.of(fault.New(fault.NotMapped))
	if strings.Contains(a, "protobuf") || !strings.Contains(b, "protobuf") || !strings.Contains(unborn, "birth") {
		t.Error(a, b, unborn)
	}
}
