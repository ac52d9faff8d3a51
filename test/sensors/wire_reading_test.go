package sensors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// lab has a kind with a field of each type, and a stream that adds up one of them.
func lab() map[string]string {
	files := harness.Small()
	files["policy/kinds.yaml"] += `  lab:
    fields:
      - {name: i, type: int, class: measurement}
      - {name: f, type: float, class: measurement}
      - {name: s, type: string, class: measurement}
      - {name: b, type: bool, class: measurement}
      - {name: t, type: time, class: measurement}
`
	files["policy/decisions/lab.yaml"] = `decision: "9"
title: {en: Lab}
stream: lab
purpose: test
applies_to: {kinds: [lab], zones: [square]}
unit: {none: "a bench in a laboratory"}
keep: [i, f]
publish: {every: PT1H, lateness: PT2M, measures: [{name: n, of: count()}, {name: i, of: sum(i)}, {name: f, of: sum(f)}]}
from: 2026-01-01
until: 2026-12-31
`
	files["register.yaml"] += `  - {id: lab-1, owner: acme, kind: lab, zone: square, registered: 2026-01-01}
  - {id: lab-2, owner: acme, kind: lab, zone: square, registered: 2026-01-01, map: {i: "/data/0/rssi@1m", f: /a~1b/x~0y/1}}
  - {id: lab-3, owner: acme, kind: lab, zone: square, registered: 2026-01-01, topic: vendor/three, map: {i: /seq}}
  - {id: lab-4, owner: acme, kind: lab, zone: square, registered: 2026-01-01, map: {i: /x, nothing: /y}}
  - {id: lab-5, owner: acme, kind: lab, zone: square, registered: 2026-01-01, map: {i: /, f: /deep//ünï}}
`
	return files
}

// sums are what a stream of the lab has published of the hour of ten.
func sums(c *harness.City, stream string, measures ...string) (out []float64) {
	c.T.Helper()
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	list := c.Items(stream, harness.Ten, harness.Ten.Add(time.Hour))
	for _, m := range measures {
		out = append(out, harness.Value(c.T, list, harness.Ten, m))
	}
	c.Adds()
	return out
}

// TestWireReadings sends what docs/wire.md says of a reading's form.
func TestWireReadings(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, lab())
	c.Begin()
	seq := 0
	with := func(fields string) string {
		seq++
		return fmt.Sprintf(`{"ts":"2026-03-02T10:00:00Z","seq":%d,"fields":%s}`, seq, fields)
	}
	const good = `{"i":1,"f":0.5}`

	documented(t, "or an array of up to 10,000 of them, 1 MiB in all.", "One bad element does not spoil the others.")
	many := make([]string, 10_000)
	for n := range many {
		seq++
		many[n] = fmt.Sprintf(`{"seq":%d,"fields":%s}`, seq, good)
	}
	becomes(c, "lab-1", "["+strings.Join(many, ",")+"]", "ok×10000")
	becomes(c, "lab-1", "["+with(good)+`,{"ts":"yesterday"},7,`+with(good)+"]", "E101 E300 ok×2")
	padded := with(good)
	padded += strings.Repeat(" ", 1<<20-len(padded))
	becomes(c, "lab-1", padded, "ok")
	becomes(c, "lab-1", padded+" ", "E105")

	documented(t, "| `ts` | RFC 3339 text, up to nine digits of a second | when it was observed; absent: when the "+
		"gateway received it |")
	becomes(c, "lab-1", `{"ts":"2026-03-02T11:00:00.123456789+01:00","fields":`+good+`}`, "ok")
	becomes(c, "lab-1", `{"ts":"2026-03-02T11:00:00.1234567891+01:00","fields":`+good+`}`, "E300")
	becomes(c, "lab-1", `{"ts":1772445600,"fields":`+good+`}`, "E300")
	becomes(c, "lab-1", `{"ts":"2026-03-02 10:00:00","fields":`+good+`}`, "E300")
	documented(t, "| `seq` | whole number from 0 | counts the sensor's readings |")
	becomes(c, "lab-1", `{"ts":"2026-03-02T10:00:00Z","seq":0,"fields":`+good+`}`, "ok")
	becomes(c, "lab-1", `{"ts":"2026-03-02T10:00:00Z","seq":0,"fields":`+good+`}`, "E303")
	for _, odd := range []string{"-1", "1.5", `"1"`} {
		becomes(c, "lab-1", `{"ts":"2026-03-02T10:00:00Z","seq":`+odd+`,"fields":`+good+`}`, "E101")
	}
	documented(t, "| `boot` | whole number or text of at most 256 bytes | changes when the sensor restarts |")
	for boot, want := range map[string]string{`7`: "ok", `"seven"`: "ok", `"` + strings.Repeat("b", 256) + `"`: "ok",
		`"` + strings.Repeat("b", 257) + `"`: "E201", `1.5`: "E101", `{}`: "E101"} {
		becomes(c, "lab-1", `{"ts":"2026-03-02T10:00:00Z","seq":0,"boot":`+boot+`,"fields":`+good+`}`, want)
	}
	documented(t, "| `fields` | object | what the kind lists, by name |")
	becomes(c, "lab-1", `{"ts":"2026-03-02T10:00:00Z","seq":20001,"fields":[1]}`, "E101")
	becomes(c, "lab-1", `{"ts":"2026-03-02T10:00:00Z","seq":20002,"i":1,"f":1}`, "E102")

	documented(t, "Types are those of `kinds.yaml`: `int` (whole, within ±2⁵³), `float` (finite), `string` (at "+
		"most 256 bytes), `bool`, `time` (RFC 3339).",
		"Numbers as text are refused.", "`null` is the same as absent.")
	for field, want := range map[string]string{
		`"i":9007199254740992`: "ok", `"i":-9007199254740992`: "ok", `"i":9007199254740994`: "E200", `"i":2.0`: "ok",
		`"i":2.5`: "E200", `"i":"2"`: "E101", `"i":null`: "ok", `"i":null,"f":null`: "E102", `"i":true`: "E101",
		`"i":1,"f":1e308`: "ok", `"i":1,"f":1e309`: "E200", `"i":1,"f":"1"`: "E101", `"i":1,"f":null`: "ok",
		`"i":1,"f":[1]`: "E101",
		`"i":1,"s":"` + strings.Repeat("s", 256) + `"`: "ok", `"i":1,"s":"` + strings.Repeat("s", 257) + `"`: "E201",
		`"i":1,"s":7`: "E101", `"i":1,"s":null`: "ok",
		`"i":1,"b":true`: "ok", `"i":1,"b":1`: "E101", `"i":1,"b":"true"`: "E101",
		`"i":1,"t":"2026-03-02T10:00:00Z"`: "ok", `"i":1,"t":"soon"`: "E300", `"i":1,"t":7`: "E101",
	} {
		if !strings.Contains(field, `"f"`) {
			field += `,"f":0.5`
		}
		becomes(c, "lab-1", with("{"+field+"}"), want)
	}

	documented(t, "A field that the kind does not know is dropped and reported; its reading counts.",
		"A key that comes twice refuses the reading.")
	becomes(c, "lab-1", with(`{"i":1,"f":0.5,"more":"x"}`), "ok")
	becomes(c, "lab-1", with(`{"i":1,"f":0.5,"i":1}`), "E104")
	becomes(c, "lab-1", `{"ts":"2026-03-02T10:00:00Z","seq":30000,"seq":30001,"fields":`+good+`}`, "E104")
}

// TestWireExample sends the document's example as it stands there.
func TestWireExample(t *testing.T) {
	t.Parallel()
	const example = `{"ts":"2026-11-23T10:00:00Z","seq":123,"boot":7,"fields":{"device":"02:00:5e:00:00:01","rssi":-61}}`
	documented(t, `{"ts":"2026-11-23T10:00:00Z","seq":123,"boot":7,"fields":{"device":"02:00:5e:00:00:01","rssi":-61}}`)
	c := harness.Found(t, harness.Small())
	c.Run()
	c.Connect()
	c.Tick(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC))
	becomes(c, "wifi-1", example, "ok")
	becomes(c, "wifi-1", example, "E303")
}

// TestWireRepetitions sends again what docs/wire.md calls the same reading, and what it
// does not.
func TestWireRepetitions(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	documented(t, "Same sensor, `boot`, `seq` and `ts`: the same reading, counted once (where units are counted: of "+
		"the same unit).",
		"Equal `seq` with another `ts` is a new reading.")
	first := harness.Gate(1, harness.Ten, 1)
	becomes(c, "gate-1", first, "ok")
	becomes(c, "gate-1", first, "E303")
	becomes(c, "gate-1", harness.Gate(1, harness.Ten, 100), "E303") // whatever it says
	becomes(c, "new-2", first, "ok")
	becomes(c, "gate-1", strings.Replace(first, `"seq"`, `"boot":1,"seq"`, 1), "ok")
	becomes(c, "gate-1", strings.Replace(first, `"seq"`, `"boot":1,"seq"`, 1), "E303")
	becomes(c, "gate-1", harness.Gate(1, harness.Ten.Add(time.Second), 1), "ok")

	documented(t, "Without `ts`, same sensor, `boot` and `seq` within the window are the same reading.")
	becomes(c, "gate-1", `{"seq":5,"fields":{"passed":1}}`, "ok")
	c.Tick(harness.Ten.Add(10 * time.Minute)) // received at another time
	becomes(c, "gate-1", `{"seq":5,"fields":{"passed":1}}`, "E303")
	becomes(c, "gate-1", `{"seq":5,"boot":2,"fields":{"passed":1}}`, "ok")

	documented(t, "Without `seq`, an equal message (topic, payload and place in the array) within the window is the "+
		"same reading (where units are counted: an equal reading of the unit, whatever else is in the message); if "+
		"it has no `ts` either, only when the sender marks it as a duplicate, as MQTT demands of redelivery.")
	const unnumbered = `{"ts":"2026-03-02T10:00:00Z","fields":{"passed":1}}`
	becomes(c, "gate-1", unnumbered, "ok")
	becomes(c, "gate-1", unnumbered, "E303")
	becomes(c, "new-2", unnumbered, "ok")
	becomes(c, "gate-1", unnumbered+" ", "ok")
	becomes(c, "gate-1", "["+unnumbered+","+unnumbered+"]", "ok×2")
	becomes(c, "gate-1", "["+unnumbered+","+unnumbered+"]", "E303×2")
	becomes(c, "gate-1", `{"fields":{"passed":1}}`, "ok")
	becomes(c, "gate-1", `{"fields":{"passed":1}}`, "ok")
	again := harness.DialRaw(t, c.Mqtt, "again")
	marked := harness.MQTTPacket(0x3a, harness.MQTTText("city/v1/acme/gate-1/up"), []byte{0, 9},
		[]byte(`{"fields":{"passed":1}}`))
	if got := outcome(c, 1, func() { _, _ = again.Write(marked) }); strings.TrimSpace(got) != "E303" {
		t.Errorf("what is marked as a duplicate is %s", got)
	}
	if got := sums(c, "gates", "turns"); got[0] != 13 {
		t.Errorf("%v turns are counted; want 13", got)
	}
}

// TestWireUnits: where units are counted, a repetition is one of the same unit.
func TestWireUnits(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	of := func(n int, seq string) string {
		return fmt.Sprintf(`{"ts":"2026-03-02T10:00:00Z",%s"fields":{"device":"02:00:5e:30:00:%02x","rssi":-50}}`, seq,
			n)
	}
	documented(t, "A reading that was taken for a repetition, but is of another unit than the one before, is told "+
		"as a duplicate and counts for its unit.")
	becomes(c, "wifi-1", of(0, `"seq":1,`), "ok")
	for n := 1; n < 40; n++ {
		becomes(c, "wifi-1", of(n, `"seq":1,`), "E303")
	}
	// Without seq: one of the same unit is known in any message.
	becomes(c, "wifi-1", "["+of(40, "")+","+of(41, "")+"]", "ok×2")
	becomes(c, "wifi-1", "["+of(42, "")+","+of(41, "")+"]", "E303 ok")
	if got := sums(c, "devices", "devices"); got[0] < 39 || got[0] > 47 { // noise of scale 0.05: never in a lifetime
		t.Errorf("%v devices are counted; want about 43", got)
	}
}
