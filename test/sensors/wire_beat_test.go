package sensors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestWireHeartbeats: what a sensor's heartbeats say, and do not.
func TestWireHeartbeats(t *testing.T) {
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
	files["register.yaml"] += "  - {id: pulse-1, owner: acme, kind: pulsing, zone: square, registered: 2026-01-01}\n"
	c := harness.Found(t, files)
	c.Begin()
	beat := func(sensor, payload string) { publish(c, "city/v1/acme/"+sensor+"/hb", payload) }
	hour := func(n int) time.Time { return harness.Ten.Add(time.Duration(n) * time.Hour) }
	said := func(n int, every string) string {
		return fmt.Sprintf(`{"ts":%q,"every":%q,"seq":5}`, hour(n).Format(time.RFC3339), every)
	}
	// Hour 0: nobody has sent a heartbeat. Readings make nobody live.
	c.Send("pulse-1",
		fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"device":"02:00:5e:00:00:01"}}`, harness.Ten.Format(time.RFC3339)))
	c.Tick(hour(1).Add(3 * time.Minute)) // which closes hour 0
	beat("wifi-1", said(1, "PT10M"))     // hour 1, and not beyond
	c.Tick(hour(2))
	for n := range 300 { // enough to be shown, where somebody lives
		c.Link.Publish("city/v1/acme/wifi-1/up", fmt.Appendf(nil,
			`{"ts":%q,"seq":%d,"fields":{"device":"crowd-%d","rssi":-50}}`, hour(2).Format(time.RFC3339), 100+n, n), false)
	}
	c.Tick(hour(3))
	beat("wifi-1", said(3, "PT10H")) // hours 3 to 5, and 6 begins with its end
	for n := 4; n < 9; n++ {
		c.Tick(hour(n))
	}
	c.Tick(hour(9).Add(10 * time.Minute))
	c.Stored()
	status := func(stream string) string {
		var out []string
		for _, i := range c.Items(stream, harness.Ten, hour(9)) {
			out = append(out, i.Status)
		}
		return strings.Join(out, " ")
	}
	documented(t, "The sensor is taken to live from `ts` for three times `every`, of which an hour counts at most.",
		"For streams about people this, and not the readings, decides whether a window is `no_data`: where no "+
			"sensor of a zone lives nothing is published of it, however many readings were counted.",
		"A kind may declare `heartbeat:`; then a sensor that never sends one is silent.",
		"Otherwise a sensor counts as living until it has sent its first.")
	if got, want := status("devices"),
		"withheld withheld no_data withheld withheld withheld withheld no_data no_data"; got != want {
		t.Errorf("the devices' hours are %s; want %s", got, want)
	}
	if got := status("pulses"); strings.Contains(got, "withheld") || !strings.Contains(got, "no_data") {
		t.Errorf("the hours of a kind that declares heartbeats are %s", got)
	}
	// The document's own is one.
	documented(t, `{"ts":"2026-11-23T10:00:00Z","every":"PT60S","seq":5}`)
	day := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	c = harness.Found(t, files)
	c.Run()
	c.Serve()
	c.Connect()
	c.Tick(day)
	beat("pulse-1", sentenceThat(t, `{"ts":"2026-11-23T10:00:00Z","every"`))
	c.Tick(day.Add(time.Hour + 5*time.Minute))
	c.Stored()
	for _, i := range c.Some("pulses", day, day.Add(time.Hour)) {
		if i.Status != "withheld" {
			t.Errorf("after the document's heartbeat the hour is %s", i.Status)
		}
	}
}
