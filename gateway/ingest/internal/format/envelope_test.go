package format

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
	"sluice/register/preset"
)

const pattern = "topics: [{pattern: \"a/{device}\", type: reading}]\n"

// finder knows devices by name, and writes down whom it was asked for and does not know.
type finder struct {
	*notes
	known map[string]*Shape
}

func (f *finder) Find(id []byte) *Shape {
	s := f.known[string(id)]
	if s == nil {
		f.out = append(f.out, "nobody")
	}
	return s
}

func (f *finder) Nobody(why fault.Code) *Shape {
	f.Refused(fault.New(why))
	return nil
}

// wrapped is a preset with a shape, as ingest puts them together.
type wrapped struct {
	t        testing.TB
	preset   *preset.Preset
	envelope *Envelope
	shape    *Shape
	odd      []int
}

func wrap(t testing.TB, yaml, profile string, mapped map[string]string, units ...string) wrapped {
	t.Helper()
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(yaml, "format:") {
		yaml += "format: json\n"
	}
	if !strings.Contains(yaml, "topics:") {
		yaml += pattern
	}
	p, err := preset.ParsePreset("x.yaml", []byte("preset: x\n"+yaml))
	if err != nil {
		t.Fatal(err)
	}
	var of *preset.Profile
	if profile != "" {
		if of, err = preset.ParseProfile("y.yaml", []byte("profile: y\nfields:\n"+profile)); err != nil {
			t.Fatal(err)
		}
	}
	w := wrapped{t: t, preset: p, envelope: NewEnvelope(p, madrid), shape: shape()}
	_, w.odd = w.shape.Wrap(w.envelope, of, mapped, append(units, make([]string, 5)...)[:5])
	return w
}

// decode decodes at once and in parts of one, which must come to the same.
func (w wrapped) decode(topic, payload string) string {
	w.t.Helper()
	var texts []string
	for _, each := range []int{MaxReadings, 1} {
		n := &finder{notes: &notes{shape: w.shape}}
		d := NewDecoder()
		var c preset.Captured
		in := Wrapped{Envelope: w.envelope, Captured: &c, Finder: n}
		for i := range w.preset.Topics {
			if m := w.preset.Topics[i].Matcher(); m.Match(topic, &c) {
				in.Topic = m
				break
			}
		}
		if in.Topic.Identifies() {
			in.Shape = w.shape
		} else {
			n.known = map[string]*Shape{"one": w.shape, "7": w.shape}
		}
		role := d.BeginWrapped([]byte(payload), in, received, n)
		for role == preset.Reading && d.Next(each) {
		}
		if role != preset.Reading && role != "" {
			n.out = append(n.out, string(role))
		}
		texts = append(texts, strings.Join(n.out, "; "))
	}
	if texts[0] != texts[1] {
		w.t.Errorf("%s\nat once %s, and in parts %s", payload, texts[0], texts[1])
	}
	return texts[0]
}

func TestEnvelope(t *testing.T) {
	const lora = "root: /up/object\nseq: {pointer: /up/cnt, absent: 0}\nboot: /up/session\n" +
		"ts: [{pointer: /up/at, as: rfc3339}, {pointer: /at, as: s}]\n"
	const pairs = "each: /data\npairs: {list: /sensors, name: id, value: value}\n" +
		"ts: [{pointer: /recorded_at, as: rfc3339}]\n"
	const warm = "  f: {pointer: /t, unit: {pointer: /u, words: {C: Cel, F: degF}}}\n  n: {pointer: /n}\n"
	const typed = "device: /camera\ntype: {pointer: /type, reading: [lpr], heartbeat: [alive], ignore: [face]}\n" +
		"topics: [{pattern: \"all/updates\", type: reading}]\n"
	for _, c := range []struct {
		about, preset, profile string
		mapped                 map[string]string
		units                  []string
		payload, want          string
	}{
		{"fields below the root by their names", lora, "", nil, nil,
			`{"at":1772445601,"up":{"cnt":7,"object":{"n":1,"f":2.5,"s":"x","b":true,"other":3}}}`,
			"10:00:01 #7 n=1 f=2.5 s=x b=true"},
		{"the first time that is there", lora, "", nil, nil,
			`{"at":1772445601,"up":{"at":"2026-03-02T10:00:02Z","cnt":7,"object":{"n":1}}}`, "10:00:02 #7 n=1"},
		{"the next where the first cannot be read", lora, "", nil, nil,
			`{"at":1772445601,"up":{"at":"yesterday","cnt":7,"object":{"n":1}}}`, "10:00:01 #7 n=1"},
		{"a time that cannot be read is no receipt", lora, "", nil, nil,
			`{"at":"soon","up":{"cnt":7,"object":{"n":1}}}`, "E300/-2"},
		{"no time is receipt, and a count that is left out is 0", lora, "", nil, nil,
			`{"up":{"object":{"n":1}}}`, "10:00:00? #0 n=1"},
		{"no root", lora, "", nil, nil, `{"up":{"cnt":1}}`, "E102/-1"},
		{"a map wins over a profile, and looks everywhere", lora, "  n: {pointer: /n}\n  f: {pointer: /g}\n",
			map[string]string{"n": "/battery", "s": "/up/rx/0/id"}, nil,
			`{"battery":5,"up":{"rx":[{"id":"gw"}],"object":{"n":1,"g":2}}}`, "10:00:00? #0 n=5 f=2 s=gw"},
		{"numbers as texts", "",
			"  n: {pointer: /n, number: text}\n  f: {pointer: /f, number: text}\n  b: {pointer: /b, number: text}\n",
			nil, nil,
			`{"n":" 12 ","f":"2.50","b":"true"}`, "10:00:00? n=12 f=2.5 b=true"},
		{"no number", "", "  n: {pointer: /n, number: text}\n", nil, nil, `{"n":"many"}`, "E200/0"},
		{"an empty text is unknown", "", "  n: {pointer: /n, number: text}\n  f: {pointer: /f, number: text}\n", nil,
			nil,
			`{"n":"","f":"1"}`, "10:00:00? f=1"},
		{"a text is no number where none is said to be", "", "  n: {pointer: /n}\n", nil, nil, `{"n":"1"}`, "E101/0"},
		{"all numbers as texts", "number: text\n", "", map[string]string{"n": "/v"}, nil, `{"v":"3"}`, "10:00:00? n=3"},
		{"a unit beside the value", "root: /o\n", warm, nil, []string{"", "Cel"}, `{"o":{"t":50,"u":"F"},"u":"C"}`,
			"10:00:00? f=10"},
		{"a unit around it", "root: /o\n", warm, nil, []string{"", "Cel"}, `{"o":{"t":50},"u":"C"}`, "10:00:00? f=50"},
		{"a unit that is none", "root: /o\n", warm, nil, []string{"", "Cel"}, `{"o":{"t":50,"u":"K"}}`, "E202/1"},
		{"no unit", "root: /o\n", warm, nil, []string{"", "Cel"}, `{"o":{"t":50}}`, "E202/1"},
		{"no unit and no value", "root: /o\n", warm, nil, []string{"", "Cel"}, `{"o":{"n":1}}`, "10:00:00? n=1"},
		{"a unit around pairs", pairs, "  f: {pointer: /53, unit: {pointer: /u, words: {F: degF}}}\n", nil,
			[]string{"", "Cel"}, `{"u":"F","data":[{"sensors":[{"id":53,"value":50}]}]}`, "10:00:00? f=10"},
		{"scale, offset and unit", "", "  f: {pointer: /t, scale: 0.1, offset: 1, unit: degF}\n", nil,
			[]string{"", "Cel"},
			`{"t":2110}`, "10:00:00? f=100"},
		{"words", "", "  b: {pointer: /st, words: {occupied: true, free: false}}\n  n: {pointer: /c, words: {\"1\": " +
			"10, \"true\": 20}}\n  s: {pointer: /st, words: {occupied: o, free: f}}\n",
			nil, nil, `{"st":"free","c":true}`, "10:00:00? n=20 s=f b=false"},
		{"no such word", "", "  b: {pointer: /st, words: {occupied: true}}\n", nil, nil, `{"st":"odd"}`, "E202/3"},
		{"a word of another type", "", "  b: {pointer: /st, words: {occupied: 1}}\n", nil, nil, `{"st":"occupied"}`,
			"E101/3"},
		{"a capture", "topics: [{pattern: \"a/{mac}/{device}\", type: reading}]\n",
			"  s: {capture: mac}\n  n: {pointer: /n}\n",
			nil, nil, `{"n":1}`, "10:00:00? n=1 s=02:00"},
		{"an id that is a number", "", "  s: {pointer: /id}\n", nil, nil, `{"id":4711}`, "10:00:00? s=4711"},
		{"what is known and no data", "", "  n: {pointer: /n}\n  s: {pointer: /sn, ignore: true}\n", nil, nil,
			`{"sn":"x"}`, "ignored"},
		{"nothing that is known", "", "  n: {pointer: /n}\n  s: {pointer: /sn, ignore: true}\n", nil, nil, `{"x":"x"}`,
			"E102/-1"},
		{"null is absent", "", "  n: {pointer: /n}\n  f: {pointer: /f}\n", nil, nil, `{"n":null,"f":1}`,
			"10:00:00? f=1"},
		{"a list inside", pairs, "  f: {pointer: /53}\n  n: {pointer: /7, scale: 10}\n", nil, nil,
			`{"data":[{"recorded_at":"2026-03-02T10:00:01Z","sensors":[{"id":53,"value":61.5},{"id":7,"value":2},{"id":9,"value":1}]},` +
				`{"recorded_at":"2026-03-02T10:00:02Z","sensors":[{"id":53,"value":62}]}]}`,
			"10:00:01 n=20 f=61.5; 10:00:02 f=62"},
		{"the same pair twice", pairs, "  f: {pointer: /53}\n", nil, nil,
			`{"data":[{"sensors":[{"id":53,"value":61.5},{"id":53,"value":61.5}]}]}`, "10:00:00? f=61.5"},
		{"two values for one name", pairs, "  f: {pointer: /53}\n", nil, nil,
			`{"data":[{"sensors":[{"id":53,"value":61.5},{"id":53,"value":60}]}]}`, "E104/1"},
		{"no list", pairs, "  f: {pointer: /53}\n", nil, nil, `{"sensors":[]}`, "E102/-7"},
		{"something else in place of a list", pairs, "  f: {pointer: /53}\n", nil, nil, `{"data":7}`, "E101/-7"},
		{"an array is a list of readings", "", "", nil, nil, `[{"n":1},{"n":"x"},{"n":3}]`,
			"10:00:00? n=1; E101/0; 10:00:00? n=3"},
		{"one bad element spoils no other", "each: /l\n", "", nil, nil, `{"l":[{"n":1},7,{"n":3}]}`,
			"10:00:00? n=1; E102/-1; 10:00:00? n=3"},
		{"lists inside lists, each of another device",
			"topics: [{pattern: \"p/+\", type: reading}]\ndevice: /sensor\n" +
				"each: [/sensors, /obs]\nts: [{pointer: /ts, as: \"DD/MM/YYYYThh:mm:ss\"}]\nseq: /q\n", "", nil, nil,
			`{"sensors":[{"sensor":"one","obs":[{"n":1,"ts":"02/03/2026T10:00:01"},{"n":2}]},` +
				`{"sensor":"other","obs":[{"n":3}]},{"obs":[{"n":4}]},{"sensor":7,"q":9,"obs":[{"n":5}]}]}`,
			"10:00:01 n=1; 10:00:00? n=2; nobody; E108/-1; 10:00:00? #9 n=5"},
		{"a type that is a reading", typed, "", nil, nil, `{"type":"lpr","camera":"one","s":"x"}`, "10:00:00? s=x"},
		{"a type that is known and none", typed, "", nil, nil, `{"type":"face","camera":"one","s":"x"}`, "ignore"},
		{"a heartbeat", typed, "", nil, nil, `{"type":"alive","camera":"one"}`, "heartbeat"},
		{"a type that nobody knows", typed, "", nil, nil, `{"type":"speech","camera":"one","s":"x"}`,
			"E107/-1; ignore"},
		{"no type", typed, "", nil, nil, `{"camera":"one","s":"x"}`, "E107/-1; ignore"},
		{"a device that nobody knows", typed, "", nil, nil, `{"type":"lpr","camera":"two","s":"x"}`, "nobody"},
		{"no device", typed, "", nil, nil, `{"type":"lpr","s":"x"}`, "E108/-1"},
		{"a bare number", "format: value\n", "", map[string]string{"n": "/value"}, nil, "12\n", "10:00:00? n=12"},
		{"a bare word", "format: value\n", "  b: {pointer: /value, words: {\"ON\": true, \"OFF\": false}}\n", nil, nil,
			"ON",
			"10:00:00? b=true"},
		{"a bare truth", "format: value\n", "", map[string]string{"b": "/value"}, nil, "true", "10:00:00? b=true"},
		{"a bare object", "format: value\n", "", map[string]string{"b": "/value"}, nil, "{}", "E100/-1"},
		{"a bare nothing", "format: value\n", "", map[string]string{"n": "/value"}, nil, "", "E101/0"},
		{"a bare long text", "format: value\n", "", map[string]string{"n": "/value"}, nil, strings.Repeat("x", 300),
			"E201/-1"},
		{"a bare value of a field that the topic names",
			"format: value\ntopics: [{pattern: \"a/{field}/{device}\", type: reading}]\n",
			"  n: {pointer: \"/02:00\"}\n", nil, nil, "5", "10:00:00? n=5"},
		{"SenML", "format: senml\n", "  f: {pointer: /temp, unit: degF}\n  n: {pointer: /hum}\n", nil,
			[]string{"", "Cel"},
			`[{"bt":1772445601,"n":"temp","v":212},{"n":"hum","v":40},{"n":"x","v":1}]`, "-E103; 10:00:01 n=40 f=100"},
		{"no SenML", "format: senml\n", "", nil, nil, `{"n":1}`, "E106/-1"},
		{"no JSON", "", "", nil, nil, `{"n":`, "E100/-1; ignore"},
		{"too large", "", "", nil, nil, `{"n":1,"x":"` + strings.Repeat("x", MaxMessage) + `"}`, "E105/-1; ignore"},
	} {
		w := wrap(t, c.preset, c.profile, c.mapped, c.units...)
		topic := "a/02:00"
		switch {
		case strings.Contains(c.preset, "all/updates"):
			topic = "all/updates"
		case strings.Contains(c.preset, "p/+"):
			topic = "p/x"
		case strings.Contains(c.preset, "{mac}") || strings.Contains(c.preset, "{field}"):
			topic = "a/02:00/dev"
		}
		got := strings.TrimSuffix(w.decode(topic, c.payload), "; ignore")
		if want := strings.TrimSuffix(c.want, "; ignore"); got != want {
			t.Errorf("%s: %.200s\n gives %s\n  want %s", c.about, c.payload, got, want)
		}
	}
}

// TestOddUnits: a field whose unit cannot become the kind's takes nothing, and is named.
func TestOddUnits(t *testing.T) {
	w := wrap(t, "", "  n: {pointer: /n}\n  f: {pointer: /f, unit: hPa}\n", nil, "", "Cel")
	if len(w.odd) != 1 || w.odd[0] != 1 {
		t.Errorf("odd are %v", w.odd)
	}
	if got := w.decode("a/d", `{"n":1,"f":1000}`); got != "10:00:00? n=1" {
		t.Error(got)
	}
}

// TestPlacesTellApart: readings of one message that share its time and count have starts of
// their own, so that none is taken for another; those with times of their own do not.
func TestPlacesTellApart(t *testing.T) {
	boots := func(yaml, payload string) map[uint64]bool {
		w := wrap(t, yaml, "", nil)
		d, seen := NewDecoder(), map[uint64]bool{}
		d.BeginWrapped([]byte(payload), Wrapped{Envelope: w.envelope, Shape: w.shape}, received, &notes{shape: w.shape})
		for more := true; more; {
			more = d.Next(1)
			seen[d.Stamp().Boot] = true
		}
		return seen
	}
	const yaml = "each: /l\nseq: /q\nts: [{pointer: /t, as: s}]\n"
	if got := boots(yaml, `{"q":5,"t":1772445601,"l":[{"n":1},{"n":1},{"n":1}]}`); len(got) != 3 {
		t.Errorf("%d starts", len(got))
	}
	if got := boots(yaml, `{"q":5,"l":[{"n":1,"t":1},{"n":1,"t":2},{"n":1,"t":3}]}`); len(got) != 1 {
		t.Errorf("%d starts where each has a time", len(got))
	}
	if got := boots(yaml, `{"l":[{"n":1,"q":1},{"n":1,"q":2}]}`); len(got) != 1 {
		t.Errorf("%d starts where each has a count", len(got))
	}
}

func TestTooManyElements(t *testing.T) {
	w := wrap(t, "each: [/l, /m]\n", "", nil)
	list := strings.Repeat(`{"n":1},`, MaxReadings/2+10)
	n := &notes{shape: w.shape}
	d := NewDecoder()
	d.BeginWrapped([]byte(`{"l":[{"m":[`+list[:len(list)-1]+`]},{"m":[`+list[:len(list)-1]+`]}]}`),
		Wrapped{Envelope: w.envelope, Shape: w.shape}, received, n)
	for d.Next(1000) {
	}
	if len(n.out) != MaxReadings+20 || strings.Count(strings.Join(n.out, ";"), "E105") != 20 {
		t.Errorf("%d came of it", len(n.out))
	}
}

// uplink is of the size and shape of what a LoRaWAN server sends.
var uplink = `{"end_device_ids":{"device_id":"noise-7","application_ids":{"application_id":"street"},` +
	`"dev_eui":"0011223344556677","join_eui":"0000000000000000","dev_addr":"00BCB929"},` +
	`"correlation_ids":["as:up:01","ns:uplink:01"],"received_at":"2026-03-02T10:00:01.123456789Z",` +
	`"uplink_message":{"session_key_id":"AXA50","f_port":85,"f_cnt":4711,"frm_payload":"gKQDpAOkAw==",` +
	`"decoded_payload":{"LAeq":61.4,"LAF":60.2,"LAFmax":72.9,"battery":96},` +
	`"rx_metadata":[{"gateway_ids":{"gateway_id":"gw-1","eui":"0011223344556699"},"time":"2026-03-02T10:00:01Z",` +
	`"timestamp":2463457000,"rssi":-35,"channel_rssi":-35,"snr":5.2,"location":{"latitude":41.4,"longitude":2.17}}],` +
	`"settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}},"coding_rate":"4/5","frequency":"868300000"},` +
	`"received_at":"2026-03-02T10:00:01.023456789Z","consumed_airtime":"0.056576s"}}`

func wrapUplink(t testing.TB) (wrapped, Wrapped) {
	w := wrap(t, "topics: [{pattern: \"v3/{app}/devices/{device}/up\", type: reading}]\n"+
		"ts: [{pointer: /uplink_message/received_at, as: rfc3339}]\nseq: {pointer: /uplink_message/f_cnt, absent: 0}\n"+
		"boot: /uplink_message/session_key_id\nroot: /uplink_message/decoded_payload\n",
		"  f: {pointer: /LAeq, unit: \"dB(A)\"}\n  n: {pointer: /battery, number: text}\n", nil, "", "dB(A)")
	return w, Wrapped{Envelope: w.envelope, Shape: w.shape}
}

func TestUnwrappingAllocatesNothing(t *testing.T) {
	w, in := wrapUplink(t)
	if got := w.decode("v3/street/devices/noise-7/up", uplink); got != "10:00:01.023456789 #4711 n=96 f=61.4" {
		t.Fatal(got)
	}
	d, raw, sink := NewDecoder(), []byte(uplink), &mute{}
	if n := testing.AllocsPerRun(100, func() {
		d.BeginWrapped(raw, in, received, sink)
		d.Next(1)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzEnvelope: no message makes the decoder panic, whatever envelope it comes in.
func FuzzEnvelope(f *testing.F) {
	var all []Wrapped
	for id := range preset.Builtin().Presets {
		e := NewEnvelope(preset.Builtin().Presets.Of(id), time.UTC)
		s := shape()
		s.Wrap(e, nil, map[string]string{"n": "/a", "f": "/a/b", "s": "/c"}, make([]string, 5))
		all = append(all, Wrapped{Envelope: e, Shape: s})
	}
	f.Add(uint8(0), []byte(uplink))
	f.Add(uint8(3), []byte(`{"data":[{"sensors":[{"id":53,"value":"1"}]}]}`))
	f.Fuzz(func(t *testing.T, n uint8, payload []byte) {
		d, out := NewDecoder(), &notes{shape: all[0].Shape}
		if d.BeginWrapped(payload, all[int(n)%len(all)], received, out) == preset.Reading {
			for d.Next(100) {
			}
		}
		if fmt.Sprint(len(out.out)) == "" {
			t.Fatal()
		}
	})
}

func BenchmarkUnwrap(b *testing.B) {
	_, in := wrapUplink(b)
	raw, sink := []byte(uplink), &mute{}
	b.Run("preset", func(b *testing.B) {
		d := NewDecoder()
		b.ReportAllocs()
		for b.Loop() {
			d.BeginWrapped(raw, in, received, sink)
			d.Next(1)
		}
	})
	b.Run("bare", func(b *testing.B) {
		d := NewDecoder()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.parser.ParseBytes(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// mute looks at nothing.
type mute struct{}

func (*mute) Reading(reading.Reading) {}
func (*mute) Refused(fault.Fault)     {}
func (*mute) Dropped(fault.Fault)     {}
func (*mute) Ignored()                {}
