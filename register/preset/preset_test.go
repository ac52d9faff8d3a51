package preset

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestBuiltin reads every file of the program.
func TestBuiltin(t *testing.T) {
	l := Builtin()
	for _, id := range []string{"ttn-v3", "chirpstack-v4", "smart-citizen", "sensor-community", "sentilo",
		"sensorthings-mqtt", "senml-json", "senml-cbor", "native-cbor", "sparkplug-b", "zigbee2mqtt", "tasmota",
		"esphome", "paxcounter", "openmqttgateway", "frigate-lpr", "anpr2mqtt", "wmbusmeters", "dsmr"} {
		if p, err := l.Preset(id); err != nil || p.About == "" {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, id := range []string{"milesight-people", "milesight-ws302", "bosch-tps110", "cesva-ta120"} {
		if _, err := l.Profile(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	if _, err := Builtin().Preset("ttn-v4"); err == nil || !strings.Contains(err.Error(), "did you mean ttn-v3?") {
		t.Error(err)
	}
	if _, err := Builtin().Profile("nobody"); err == nil || !strings.Contains(err.Error(), "known are ") {
		t.Error(err)
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, topic, device, field, filter string }{
		{"application/{app}/device/{device}/event/up", "application/a/device/d1/event/up", "d1", "",
			"application/+/device/+/event/up"},
		{"spBv1.0/{device}/DDATA/{device}/{device}", "spBv1.0/My City/DDATA/edge 1/d", "My City/edge 1/d", "",
			"spBv1.0/+/DDATA/+/+"},
		{"zigbee2mqtt/{device#}", "zigbee2mqtt/hall/door", "hall/door", "", "zigbee2mqtt/#"},
		{"{device}/sensor/{field}/state", "n1/sensor/level/state", "n1", "level", "+/sensor/+/state"},
		{"tele/{device}/#", "tele/x", "x", "", "tele/+/#"},
		{"tele/{device}/#", "tele/x/y/z", "x", "", "tele/+/#"},
		{"tele/{device}/+", "tele/x", "-", "", "tele/+/+"},
		{"tele/{device}/STATE", "tele/x/STATE/y", "-", "", "tele/+/STATE"},
		{"tele/{device}", "stat/x", "-", "", "tele/+"},
		{"zigbee2mqtt/{device#}", "zigbee2mqtt/", "-", "", "zigbee2mqtt/#"},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatalf("%s: %v", c.pattern, err)
		}
		var got Captured
		device := "-"
		if p.Match(c.topic, &got) {
			device = string(p.DeviceOf(&got))
			if f := p.FieldOf(&got); f != c.field {
				t.Errorf("%s of %s has the field %q", c.pattern, c.topic, f)
			}
		}
		if device != c.device || p.Filter() != c.filter {
			t.Errorf("%s of %s is %q, and its filter %q", c.pattern, c.topic, device, p.Filter())
		}
	}
	for _, bad := range []string{"", "$SYS/x", "a/#/b", "a/{device#}/b", "a+/b", "a/{Device}", "a/{}", "a/{x}/{x}",
		"a/{device", "a\x00b", strings.Repeat("{a}/", 9), strings.Repeat("a/", 40)} {
		if _, err := ParsePattern(bad); err == nil {
			t.Errorf("%q is taken for a pattern", bad)
		}
	}
}

// FuzzPattern: no pattern and no topic panics.
func FuzzPattern(f *testing.F) {
	f.Add("application/{app}/device/{device}/event/up", "application/a/device/d1/event/up")
	f.Add("zigbee2mqtt/{device#}", "zigbee2mqtt/a/b")
	f.Fuzz(func(t *testing.T, pattern, topic string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		var c Captured
		if p.Match(topic, &c) {
			p.DeviceOf(&c)
			p.FieldOf(&c)
		}
		if p.Filter() == "" {
			t.Error("no filter")
		}
	})
}

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		from, to string
		in, out  float64
	}{
		{"degF", "Cel", 212, 100}, {"Cel", "degF", 100, 212}, {"K", "Cel", 273.15, 0}, {"Pa", "hPa", 101325, 1013.25},
		{"mg/m3", "ug/m3", 0.025, 25}, {"kWh", "Wh", 1.5, 1500}, {"°C", "Cel", 21.5, 21.5}, {"m/s", "km/h", 10, 36},
		{"L", "m3", 1500, 1.5}, {"", "Cel", 5, 5}, {"Cel", "", 5, 5}, {"widgets", "widgets", 7, 7},
		{"mph", "km/h", 10, 16.09344},
	} {
		scale, offset, ok := Convert(c.from, c.to)
		if got := c.in*scale + offset; !ok || math.Abs(got-c.out) > 1e-9*math.Max(1, math.Abs(c.out)) {
			t.Errorf("%v %s is %v %s; want %v", c.in, c.from, got, c.to, c.out)
		}
	}
	for _, c := range [][2]string{{"Cel", "hPa"}, {"Cel", "widgets"}, {"dB(A)", "dB"}} {
		if _, _, ok := Convert(c[0], c[1]); ok {
			t.Errorf("%s is converted to %s", c[0], c[1])
		}
	}
	for spelled, code := range spellings {
		if _, known := units[code]; !known {
			t.Errorf("%s stands for %s, which is no unit", spelled, code)
		}
	}
}

// located is a mistake with its file and place, and the line that it is on.
var located = regexp.MustCompile(`^[xy]\.yaml: \[\d+:\d+\] (?s:.*\S.*)\n>  \d+ \| `)

// TestMistakes: what a person gets wrong is said, with the key and its line.
func TestMistakes(t *testing.T) {
	const good = "preset: x\ntopics: [{pattern: \"a/{device}\", type: reading}]\nformat: json\n"
	packs := strings.NewReplacer("json", "senml", "{device}", "x").Replace(good)
	bytes := strings.Replace(good, "json", "bytes", 1)
	if _, err := ParsePreset("x.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ yaml, want string }{
		{good + "sequence: /a\n", `unknown field "sequence"`},
		{good + "each: /a\neach: /b\n", "is there twice"},
		{good + "each:\n", "there is no value here"},
		{good + "type: {pointer: /t, reading: [a], ignore: }\n", "there is no value here"},
		{good + "seq: {}\n", "it is a JSON pointer such as /fCnt"},
		{good + "seq: {absent: 0}\n", "it is a JSON pointer such as /fCnt"},
		{good + "seq: \"\"\n", "there is no value here"},
		{good + "root: \"\"\n", "there is no value here"},
		{good + "lowercase: yes\n", "true or false is wanted"},
		{good + "every: PT5M\n", "no message is one: give a topic type: heartbeat"},
		{good + "every: 5\n", "not an ISO 8601 duration"},
		{strings.Replace(good, "type: reading}", "type: reading}, {pattern: \"b/{device}\", type: heartbeat}", 1) +
			"every: PT5S\n", "every is how often a heartbeat comes, from PT1M to P1D"},
		{strings.Replace(good, "reading}", "reading, every: PT5M}", 1), "when and every are of a heartbeat"},
		{strings.Replace(good, "reading}", "reading, when: {is: [a]}}", 1), "when and every are of a heartbeat"},
		{strings.Replace(good, "reading}", "heartbeat, every: P2D}", 1), "from PT1M to P1D"},
		{strings.Replace(good, "reading}", "heartbeat, when: {pointer: /a}}", 1), "when: is lists what"},
		{strings.Replace(good, "reading}", "heartbeat, when: {pointer: a, is: [b]}}", 1), "when: pointer: needs a"},
		{strings.Replace(good, "reading}", "heartbeat, when: {is: [true]}}", 1), "text is wanted here"},
		{strings.Replace(good, "reading}", "heartbeat}", 1), "topics: none is of type reading"},
		{strings.Replace(good, "}]", "}, {pattern: \"a/b\", type: ignore}]", 1), "all its messages are of a/{device}"},
		{strings.Replace(good, "a/{device}", "a/{device}/{field}", 1), "{field} is the name of a bare value"},
		{good + "device: /id\n", "each topic says by {device} whose a message is"},
		{good + "ts: [{pointer: /t, as: s}, {pointer: /t, as: s}]\n", "is there twice"},
		{good + "pairs: {list: /a, name: x, value: y}\nroot: /a\n", "pairs stand in place of root"},
		{strings.Replace(good, "json", "senml", 1) + "ts: [{pointer: /t, as: s}]\n", "ts: SenML says itself"},
		{strings.Replace(good, "json", "senml", 1) + "number: text\n", "number: SenML says itself"},
		{strings.Replace(good, "json", "value", 1) + "ts: [{pointer: /t, as: s}]\n", "ts: a message that is one bare"},
		{strings.Replace(good, "json", "value", 1) + "root: /a\n", "root: a message that is one bare"},
		{bytes + "bytes: {}\nseq: /a\n", "seq: a message that is bytes"},
		{good + "seq: fCnt\n", "seq: needs a JSON pointer"},
		{good + "seq: {pointer: /a, abcent: 0}\n", `unknown field "abcent"`},
		{good + "ts: [{pointer: /t, as: epoch}]\n", "ts: /t: as is rfc3339, s, ms"},
		{good + "ts: [{pointer: /t, as: s, zone: UTC}]\n", "zone goes with dates"},
		{good + "ts: [{pointer: t, as: s}]\n", "ts: needs a JSON pointer"},
		{good + "each: [/a, /b, /c]\n", "each has at most 2 lists"},
		{good + "root: a\n", "root: needs a JSON pointer"},
		{good + "type: {pointer: /t, ignore: [a]}\n", "type: reading lists"},
		{good + "type: {pointer: /t, reading: [a], ignore: [a]}\n", "each word stands once"},
		{good + "pairs: {list: /a, name: x, value: x}\n", "pairs: name and value"},
		{good + "columns: {names: components, rows: /dataArray}\neach: /dataArray\n",
			"columns: names and rows are JSON"},
		{good + "columns: {names: /a, rows: /a}\neach: /a\n", "columns: names and rows are two lists"},
		{good + "columns: {names: /a, rows: /b}\n", "columns: each row is a reading: write each: /b"},
		{good + "columns: {names: /a, rows: /b, by: c}\neach: /b\n", `unknown field "by"`},
		{strings.Replace(good, "json", "senml", 1) + "columns: {names: /a, rows: /b}\neach: /b\n",
			"columns: a table is in"},
		{good + "senml: {device: bn}\n", "senml: it is of messages whose format is senml"},
		{packs + "senml: {device: n}\n", "senml: it is {device: bn}, or {split"},
		{packs + "senml: {device: bn, split: /}\n", "senml: it is {device: bn}, or {split"},
		{packs + "senml: {split: /}\ndevice: /x\n", "senml: it says whose a record is, and so does device"},
		{strings.Replace(good, "json", "senml", 1) + "senml: {split: /}\n", "and so does {device} of a/{device}"},
		{good + "bytes: {pointer: data}\n", "bytes: pointer: needs a JSON pointer"},
		{good + "bytes: {pointer: /a, port: b}\n", "bytes: port: needs a JSON pointer"},
		{good + "bytes: {pointer: /a, as: base32}\n", "bytes: as is base64 or hex"},
		{good + "bytes: {pointer: /a, skip: -1}\n", "bytes: skip is how many"},
		{bytes, "bytes: a message that is bytes needs bytes: {}"},
		{bytes + "bytes: {pointer: /a}\n", "bytes: the message itself is the bytes"},
		{bytes + "bytes: {port: /2, skip: 2}\n", "bytes: port is one of the bytes that skip"},
		{bytes + "bytes: {port: /up, skip: 2}\n", "bytes: port is one of the bytes that skip"},
		{bytes + "bytes: {}\neach: /a\n", "each: a message that is bytes has no pointers in it"},
		{strings.Replace(good, "json", "value", 1) + "bytes: {pointer: /a}\n", "bytes are in a message whose format"},
		{good + "seq: {pointer: /a, absent: -1}\n", "seq: absent is the whole number"},
		{strings.Replace(good, "json", "xml", 1), "format is one of json, cbor"},
		{strings.Replace(good, "{device}", "x", 1), "captures no {device}"},
		{strings.NewReplacer("{device}", "x", "type: reading", "type: heartbeat").Replace(good) + "device: /id\n",
			"a heartbeat says by {device} whose it is"},
		{strings.Replace(good, "reading", "birth", 1), "birth and death are Sparkplug's"},
		{strings.Replace(good, "reading", "data", 1), "type is reading, heartbeat or ignore"},
		{strings.Replace(good, "preset: x", "preset: X Y", 1), "preset needs a name"},
	} {
		if _, err := ParsePreset("x.yaml", []byte(c.yaml)); err == nil || !strings.Contains(err.Error(), c.want) ||
			!located.MatchString(err.Error()) {
			t.Errorf("%s\nis told: %v\nwant: %s", c.yaml, err, c.want)
		}
	}
	for _, c := range []struct{ field, want string }{
		{"{}", "needs either pointer"},
		{"{pointer: /a, capture: b}", "needs either pointer"},
		{"{pointer: a}", "needs a JSON pointer"},
		{"{pointer: /a, number: real}", "number is text"},
		{"{pointer: /a, words: {x: 1}, scale: 2}", "words stand for values as they are"},
		{"{pointer: /a, counter: {}, offset: 1}", "a counter has no words"},
		{"{pointer: /a, counter: {wrap: -1}}", "wrap is how many"},
		{"{pointer: /a, ignore: true, change: true}", "what is ignored is not read"},
		{"{pointer: /a, ignore: true, scale: 2}", "what is ignored is not read"},
		{"{capture: a, ignore: true}", "a level of the topic that no field names is ignored"},
		{"{capture: a, number: text}", "a level of the topic is a text as it is"},
		{"{capture: a, words: {a: 1}}", "a level of the topic is a text as it is"},
		{"{capture: a, counter: {}}", "a level of the topic is a text as it is"},
		{"{pointer: /a, change: true, words: {a: true}}", "a change is whether what is there is another"},
		{"{pointer: /a, change: true, scale: 2}", "a change is whether what is there is another"},
		{"{pointer: /a, words: {a: true}, fraction: true}", "words stand for values as they are"},
		{"{pointer: /a, words: {}}", "words has one to 64"},
		{"{pointer: /a, scale: 0}", "scale is what a number is multiplied by"},
		{"{pointer: /a, counter: }", "there is no value here"},
		{"{pointer: /a, change: }", "there is no value here"},
		{"{pointer: /a, unit: }", "there is no value here"},
		{"{pointer: /a, words: {a: }}", "there is no value here"},
		{"{pointer: /a, counter: true}", "keys with values are wanted here"},
		{"{pointer: /a, counter: {warp: 3}}", `unknown field "warp"`},
		{"{pointer: /a, pointer: /b}", "is there twice"},
		{"{pointer: [a]}", ""},
		{"{pointer: /a, words: {a: [1]}}", "a word stands for a text, a number, true or false"},
		{"{pointer: /a, scale: 1,5}", "a number with a comma is two values"},
		{"{pointer: /a, at: 1.5}", "a whole number"},
		{"{pointer: /a, scale: .inf}", ""},
		{"{pointer: /a, unit: {pointer: /u}}", "f: unit is one, as in Cel, or where"},
		{"{pointer: /a, unit: {words: {C: Cel}}}", "f: unit is one, as in Cel, or where"},
		{"{pointer: /a, unit: {pointer: /u, words: {C: Cel, X: widgets}}}", `f: unit: the word "X" stands for no unit`},
		{"{pointer: /a, unit: {pointer: u, words: {C: Cel}}}", "f: unit: needs a JSON pointer"},
		{"{pointer: /a, unit: {pointer: /u, wrods: {C: Cel}}}", `unknown field "wrods"`},
		{"{pointer: /a, at: 0}", "needs either pointer"},
		{"{pointer: /a, as: u8}", "it goes with at"},
		{"{at: 0, as: u8}", "say how many there are: bytes: {sizes: [4]}"},
		{"{at: 0}}\nbytes: {sizes: [4]", "f: as is one of f32be, f32le, i16be"},
		{"{at: -1, as: u8}}\nbytes: {sizes: [4]", "f: at is a place in bytes"},
		{"{at: 0, as: u8, number: text}}\nbytes: {sizes: [4]", "a place in bytes is a number"},
		{"{at: 0, as: f32be, change: true}}\nbytes: {sizes: [4]", "f32be is none"},
		{"{at: 3, as: u16be}}\nbytes: {sizes: [5, 4]", "f: u16be at 3 does not end within 4 bytes"},
		{"{at: 5, as: u8}}\nbytes: {sizes: [4, 5]", "f: at 5 is behind the last byte"},
		{"{at: 0, as: u8}}\nbytes: {port: 1", "bytes: sizes lists how many"},
		{"{at: 0, as: u8}}\nbytes: {sizes: [0]", "bytes: sizes lists how many"},
		{"{at: 0, as: u8}}\nbytes: {port: 256, sizes: [1]", "bytes: port is a number"},
		{"{pointer: /a}}\nbytes: {sizes: [4]", "bytes: no field is in them"},
	} {
		_, err := ParseProfile("y.yaml", []byte("profile: y\nfields: {f: "+c.field+"}\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) || !located.MatchString(err.Error()) {
			t.Errorf("%s is told: %v; want %s", c.field, err, c.want)
		}
	}
}

// TestOwnFiles: each of the program's own files holds what its name says.
func TestOwnFiles(t *testing.T) {
	l := Builtin()
	for id, one := range l.Presets {
		if one().ID != id {
			t.Errorf("preset %s is in %s.yaml", one().ID, id)
		}
	}
	for id, one := range l.Profiles {
		if one().ID != id {
			t.Errorf("profile %s is in profile/%s.yaml", one().ID, id)
		}
	}
	if files, err := fs.Glob(own, "*/*"); err != nil || len(files) != len(l.Profiles) {
		t.Errorf("%d profiles are in %d files: %v", len(l.Profiles), len(files), err)
	}
}

// TestLoad: a city's own files are added to the program's, and cannot take their names.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if l, err := Load(filepath.Join(dir, "none"), os.ReadFile); err != nil || len(l.Presets) != len(Builtin().Presets) {
		t.Fatal(err)
	}
	write("mine.yaml", "# ours\npreset: mine\ntopics: [{pattern: \"m/{device}\", type: reading}]\nformat: json\n")
	write("meter.yaml", "# ours\nprofile: meter\nfields: {level: {pointer: /l}}\n")
	write("notes.txt", "no preset")
	l, err := Load(dir, os.ReadFile)
	if err != nil || l.Presets.Of("mine") == nil || l.Profiles.Of("meter") == nil ||
		Builtin().Presets.Of("mine") != nil {
		t.Fatal(err, slices.Sorted(maps.Keys(l.Presets)))
	}
	for _, c := range []struct{ name, text, want string }{
		{"other.yaml", "preset: mine2\nformat: json\n", "is called mine2.yaml"},
		{"ttn-v3.yaml", "preset: ttn-v3\nformat: json\n", "there is a preset ttn-v3 already"},
		{"big.yaml", strings.Repeat("#", maxSize+1), "no plain file"},
	} {
		write(c.name, c.text)
		if _, err := Load(dir, os.ReadFile); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := os.Remove(filepath.Join(dir, c.name)); err != nil {
			t.Fatal(err)
		}
	}
	broken := errors.New("no")
	if _, err := Load(dir, func(string) ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	for n := range maxFiles {
		write(fmt.Sprintf("p%d.yaml", n), fmt.Sprintf("preset: p%d\nformat: json\n", n))
	}
	if _, err := Load(dir, os.ReadFile); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
}

// FuzzPreset: no file makes the readers panic.
func FuzzPreset(f *testing.F) {
	f.Add([]byte("preset: x\ntopics: [{pattern: \"a/{device}\", type: reading}]\nformat: json\nseq: {pointer: /a}\n"))
	f.Add([]byte("profile: y\nfields: {f: {pointer: /a, words: {on: true}}}\n"))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		_, _ = ParsePreset("x.yaml", raw)
		_, _ = ParseProfile("x.yaml", raw)
	})
}

// TestLike: a preset that is like another has its keys, and topics of its own only.
func TestLike(t *testing.T) {
	of := Builtin().Presets.Of("tasmota")
	p, err := ParsePreset("x.yaml", []byte("preset: x\nlike: tasmota\ntopics:\n"+
		"  - {pattern: \"{device}/tele/SENSOR\", type: reading}\n"+
		"  - {pattern: \"{device}/tele/STATE\", type: heartbeat}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != "x" || len(p.Topics) != 2 || p.Format != of.Format || p.Every != of.Every || len(p.TS) != len(of.TS) ||
		len(of.Topics) != 4 || of.ID != "tasmota" {
		t.Errorf("%+v", p)
	}
	const topics = "topics: [{pattern: \"{device}/a\", type: reading}]\n"
	for text, want := range map[string]string{
		"like: tasmoda\n" + topics:                                      "no preset of the program",
		"like: ../x\n" + topics:                                         "no preset of the program",
		"like: tasmota\nseq: /n\n" + topics:                             "and nothing else",
		"like: tasmota\n" + strings.Replace(topics, "{device}/", "", 1): "captures no {device}",
	} {
		_, err := ParsePreset("x.yaml", []byte("preset: x\n"+text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
