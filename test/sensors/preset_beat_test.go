package sensors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestPresetHeartbeats: a state is a heartbeat where it says what the preset is told, and for as long as its topic
// says; what else comes there is ignored, and so is what cannot be read.
func TestPresetHeartbeats(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	files["policy/kinds.yaml"] += `  pulsing:
    heartbeat: PT5M
    units: [{field: device, stands_for: device}]
    fields: [{name: device, type: string, class: identifier}]
`
	files["policy/decisions/pulsing.yaml"] = strings.NewReplacer(`"2"`, `"7"`, "Devices", "Pulses", "stream: devices",
		"stream: pulses", "[wifi-counter]", "[pulsing]", "keep: [device, rssi]", "keep: [device]",
		"where: [{field: rssi, op: \">=\", value: -85}]\n", "").Replace(files["policy/decisions/devices.yaml"])
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "{device: 20}", "{device: 40}", 1)
	files["register.yaml"] += "  - {id: pulse-1, owner: acme, kind: pulsing, zone: square, registered: 2026-01-01, " +
		"preset: pulse, device: p1}\n"
	files["presets/pulse.yaml"] = `preset: pulse
topics:
  - {pattern: "pulse/{device}/up", type: reading}
  - {pattern: "pulse/{device}/state", type: heartbeat, every: PT20M, when: {pointer: /state, is: [online]}}
  - {pattern: "pulse/{device}/lwt", type: heartbeat, when: {is: [Online]}}
every: PT10H
format: json
`
	c := harness.Found(t, files)
	c.Begin()
	hour := func(n int) time.Time { return harness.Ten.Add(time.Duration(n) * time.Hour) }
	say := func(what, payload string) {
		publish(c, "pulse/p1/"+what, payload)
		harness.NoError(t, c.Link.Flush())
	}
	c.Tick(hour(0).Add(5 * time.Minute))
	for _, other := range []string{`{"state":"offline"}`, `{"state":"online","state":"offline"}`, `{"status":"online"}`,
		`online`, `{`, ``} {
		say("state", other)
	}
	say("lwt", "Offline")
	c.Tick(hour(1).Add(5 * time.Minute))
	say("state", `{"state":"online"}`) // until 12:05
	for _, n := range []int{2, 3, 4} {
		c.Tick(hour(n).Add(10 * time.Minute))
	}
	say("lwt", `Online`) // for three times ten hours
	for n := 5; n < 9; n++ {
		c.Tick(hour(n).Add(10 * time.Minute))
	}
	c.Stored()
	var got []string
	for _, i := range c.Items("pulses", harness.Ten, hour(7)) {
		got = append(got, i.Status)
	}
	const want = "no_data withheld withheld no_data withheld withheld withheld"
	if got := strings.Join(got, " "); got != want {
		t.Errorf("the hours are %s; want %s", got, want)
	}
	if n := c.Metric(`sluice_readings_total{code="",state="ignored"}`); n != 7 {
		t.Errorf("%v messages were ignored", n)
	}
}

// TestSiblings: where a message has several devices and the register names one of them, the others are ignored; a
// message that names none of the register's is unknown.
func TestSiblings(t *testing.T) {
	t.Parallel()
	files := lab()
	files["presets/parts.yaml"] = "preset: parts\ntopics: [{pattern: \"parts/{from}\", type: reading}]\n" +
		"format: json\ndevice: /name\neach: /parts\n"
	files["register.yaml"] += "  - {id: part-1, owner: acme, kind: lab, zone: square, registered: 2026-01-01, " +
		"preset: parts, device: a, map: {i: /v}}\n"
	c := harness.Found(t, files)
	c.Begin()
	ignored := func() float64 { return c.Metric(`sluice_readings_total{code="",state="ignored"}`) }
	for _, one := range []struct {
		parts string
		n     float64
		want  string
		more  float64
	}{
		{`{"name":"b","v":1},{"name":"a","v":2},{"name":"b","v":3},{"name":"c"}`, 4, "ok×4", 3},
		{`{"name":"b","v":1},{"name":"c","v":2}`, 2, "E001×2", 0},
		{`{"name":"b","v":1},{"v":2}`, 2, "E001 E108", 0},
	} {
		before := ignored()
		got := outcome(c, one.n, func() { publish(c, "parts/x", `{"parts":[`+one.parts+`]}`) })
		if got := strings.Join(strings.Fields(got), " "); !strings.Contains(got, one.want) {
			t.Errorf("%s: %s; want %s", one.parts, got, one.want)
		}
		if more := ignored() - before; more != one.more {
			t.Errorf("%s: %v are ignored; want %v", one.parts, more, one.more)
		}
	}
	documented(t, "So is what devices send that the register does not name, in a message of one that it names.")
}

// TestUnitsOfSenML: what SenML says a number is in counts, and becomes the kind's.
func TestUnitsOfSenML(t *testing.T) {
	t.Parallel()
	files := lab()
	files["policy/kinds.yaml"] = strings.NewReplacer("{name: i, type: int,", "{name: i, type: int, unit: hPa,",
		"{name: f, type: float,", "{name: f, type: float, unit: Cel,").Replace(files["policy/kinds.yaml"])
	c := harness.Found(t, files)
	c.Begin()
	at := harness.Ten.Unix()
	becomes(c, "lab-1", fmt.Sprintf(`[{"bt":%d,"n":"f","v":300.15,"u":"K"},{"n":"i","v":101300,"u":"Pa"}]`, at), "ok")
	becomes(c, "lab-1", fmt.Sprintf(`[{"bt":%d,"bu":"Cel","n":"f","v":3}]`, at+1), "ok")
	becomes(c, "lab-1", fmt.Sprintf(`[{"bt":%d,"n":"f","v":3,"u":"Pa"}]`, at+2), "E202")
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.At(harness.Ten.Add(2 * time.Hour))
	if got := fmt.Sprint(sums(c, "lab", "n", "i", "f")); got != "[2 1013 30]" {
		t.Errorf("the sums are %s; want [2 1013 30]", got)
	}
	documented(t, "A unit, `u` of a record or `bu` of the pack, is converted to the kind's (`K` to `Cel`, `Pa` to "+
		"`hPa`, `/` to `%`); one that cannot be refuses its reading (E202).")
}
