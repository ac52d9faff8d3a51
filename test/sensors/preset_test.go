package sensors

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/register"
	"sluice/test/fenced"
	"sluice/test/harness"
)

// lora is lab with devices of two LoRaWAN servers, and a profile of the city's own.
func lora() map[string]string {
	files := lab()
	files["register.yaml"] += `  - {id: n-1, owner: lorawan, kind: lab, zone: square, registered: 2026-01-01, preset: ttn-v3, profile: level, device: node-1}
  - {id: n-2, owner: lorawan, kind: lab, zone: square, registered: 2026-01-01, preset: chirpstack-v4, profile: level, device: "0011223344556677"}
  - {id: n-3, owner: others, kind: lab, zone: square, registered: 2026-01-01, preset: ttn-v3, map: {i: /people}, device: node-3}
`
	files["presets/level.yaml"] = "profile: level\nfields:\n  i: {pointer: /people}\n" +
		"  f: {pointer: /level, number: text, scale: 0.1}\n"
	return files
}

// ttn is an uplink of The Things Stack.
func ttn(count int, at time.Time, payload string) string {
	return fmt.Sprintf(`{"end_device_ids":{"device_id":"x","dev_eui":"0011223344556688"},"received_at":%q,`+
		`"uplink_message":{"session_key_id":"AX","f_port":85,"f_cnt":%d,"frm_payload":"AQ==","decoded_payload":%s}}`,
		at.Format(time.RFC3339Nano), count, payload)
}

// TestPresets: devices of other systems count, through a broker and the listener, each for its own
// sensor; what the preset knows and is no reading is ignored, and whoever sends for another owner's
// devices is refused.
func TestPresets(t *testing.T) {
	t.Parallel()
	broker := harness.NewMosquitto(t, "")
	c := harness.Found(t, lora())
	listen := harness.FreeAddr(t)
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt),
		fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}\nlisten: {mqtt: %q, passwords: passwords}\n", broker.Addr, listen))
	secrets := c.Passwords()
	if secrets["lorawan"] == "" || secrets["others"] == "" {
		t.Fatal("owners of devices have no passwords")
	}
	c.Mqtt = broker.Addr
	c.Run()
	c.Serve()
	c.BrokerUp(true)
	c.Connect()
	c.Tick(harness.Ten)
	lorawan, other := harness.PublisherAs(t, listen, "lorawan", secrets["lorawan"]),
		harness.PublisherAs(t, listen, "others", secrets["others"])
	send := func(by *device.Link, topic, payload string) func() {
		return func() {
			by.Publish(topic, []byte(payload), false)
			if err := by.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	at := harness.Ten.Add(time.Second)
	const up1, up3 = "v3/app/devices/node-1/up", "v3/app/devices/node-3/up"
	const up2 = "application/app/device/0011223344556677/event/up"
	chirp := fmt.Sprintf(`{"deduplicationId":"a","time":%q,"devAddr":"01","fCnt":3,"object":{"people":7,"level":"20"}}`,
		at.Format(time.RFC3339Nano))
	for _, one := range []struct {
		name string
		send func()
		want string
	}{
		{"an uplink through the broker", send(c.Link, up1, ttn(1, at, `{"people":2,"level":"15"}`)), "ok"},
		{"again", send(c.Link, up1, ttn(1, at, `{"people":2,"level":"15"}`)), "E303"},
		{"again, at the listener", send(lorawan, up1, ttn(1, at, `{"people":2,"level":"15"}`)), "E303"},
		{"the next, at the listener", send(lorawan, up1, ttn(2, at, `{"people":3,"level":5}`)), "ok"},
		{"another server's", send(lorawan, up2, chirp), "ok"},
		{"a device that is mapped", send(other, up3, ttn(1, at, `{"people":1000}`)), "ok"},
		{"another owner's device", send(other, up1, ttn(3, at, `{"people":2}`)), "E001"},
		{"a device that nobody knows", send(lorawan, "v3/app/devices/node-9/up", ttn(1, at, `{"people":2}`)), "E001"},
		{"a join", send(lorawan, "v3/app/devices/node-1/join", `{}`), "ok"}, // ignored
		{"no payload", send(lorawan, up1, ttn(4, at, `{"battery":5}`)), "E102"},
		{"no number", send(lorawan, up1, ttn(5, at, `{"people":"x"}`)), "E101"},
	} {
		if got := strings.TrimSpace(outcome(c, 1, one.send)); got != one.want {
			t.Errorf("%s: %s; want %s", one.name, got, one.want)
		}
	}
	documented(t, "What LoRaWAN servers, gateways and vendors' devices send is read by presets, see [the "+
		"register](operations.md#the-register).",
		"Of each message the pointers of the sensor's preset, profile and map are looked at; all else is dropped.",
		"Ignored is what a preset knows and is no reading, such as a device's joining a network.")
	if n := c.Metric(`sluice_readings_total{code="",state="ignored"}`); n != 1 {
		t.Errorf("%v messages were ignored", n)
	}
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.At(harness.Ten.Add(2 * time.Hour)) // the clock comes through the broker
	if got := fmt.Sprint(sums(c, "lab", "n", "i", "f")); got != "[4 1012 4]" {
		t.Errorf("the sums are %s; want [4 1012 4]", got)
	}
	entry := fenced.Take(t, "docs/operations.md", "- {id: noise-7").Read()
	if _, err := register.Parse("register.yaml", []byte("sensors:\n"+entry)); err != nil {
		t.Error(err)
	}
	public := string(harness.Read(t, filepath.Join(c.Dir, "state/public/register.json")))
	if strings.Contains(public, "node-1") || !strings.Contains(public, `"preset":"ttn-v3"`) {
		t.Error("the public register names a device, or no preset")
	}
}

// TestCounters: a counter counts by what it has grown, and a repeated state is no arrival; what has
// nothing to be compared with, or is older, is told.
func TestCounters(t *testing.T) {
	t.Parallel()
	files := lora()
	files["presets/level.yaml"] = "profile: level\nfields:\n  i: {pointer: /total, counter: {wrap: 65536}}\n" +
		"  b: {pointer: /state, change: true}\n  f: {pointer: /one}\n"
	files["policy/decisions/lab.yaml"] = strings.Replace(files["policy/decisions/lab.yaml"], "keep: [i, f]",
		"keep: [i, f, b]\nwhere: [{field: b, op: \"==\", value: true}]", 1)
	c := harness.Found(t, files)
	c.Begin()
	at := harness.Ten
	for n, one := range []struct{ total, state, want string }{
		{"65500", `"free"`, "E402"}, // the first: no truth whether it has changed
		{"65530", `"occupied"`, "ok"},
		{"4", `"occupied"`, "E402"}, // the heartbeat that repeats the state
		{"10", `"free"`, "ok"},
	} {
		at = at.Add(time.Second)
		if n == 2 { // what was acknowledged is compared with, whatever happened to the gateway
			c.Gateway.Kill()
			c.Run()
			c.Connect()
			c.Tick(harness.Ten.Add(time.Minute))
		}
		payload := ttn(n, at, fmt.Sprintf(`{"total":%s,"state":%s,"one":1}`, one.total, one.state))
		if got := strings.TrimSpace(outcome(c, 1, func() {
			publish(c, "v3/app/devices/node-1/up", payload)
		})); got != one.want {
			t.Errorf("message %d: %s; want %s", n, got, one.want)
		}
	}
	if got := fmt.Sprint(sums(c, "lab", "n", "i", "f")); got != "[2 36 2]" {
		t.Errorf("the sums are %s; want [2 36 2]", got)
	}
	documented(t, "| E307 | refused | a counter or a state of a profile has no earlier value to be compared with |")
}

// TestPresetAtRunTime: a preset is a file, and a running gateway takes it with the sensors that use it.
// A broken one changes nothing.
func TestPresetAtRunTime(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, lab())
	c.Begin()
	const file = "preset: mine\ntopics: [{pattern: \"mine/{device}/v\", type: reading}]\nformat: value\n"
	harness.Write(t, filepath.Join(c.Dir, "presets/mine.yaml"), strings.Replace(file, "format", "fromat", 1))
	harness.Await(t, 30*time.Second, "a word about the broken preset", func() bool {
		return strings.Contains(c.Gateway.Err.String(), "mine.yaml")
	})
	becomes(c, "lab-1", `{"ts":"2026-03-02T10:00:00Z","fields":{"i":1}}`, "ok")
	harness.Write(t, filepath.Join(c.Dir, "presets/mine.yaml"), file)
	path := filepath.Join(c.Dir, "register.yaml")
	if err := os.WriteFile(path, []byte(harness.Read(t, path)+"  - {id: mine-1, owner: acme, kind: lab, zone: square, "+
		"registered: 2026-01-01, preset: mine, map: {i: /value}, device: d1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 1
	harness.Await(t, 60*time.Second, "the new sensor", func() bool {
		n++
		return strings.TrimSpace(outcome(c, 1, func() { publish(c, "mine/d1/v", fmt.Sprint(n)) })) == "ok"
	})
}

// TestQuotas: what is beyond a sensor's quota in a minute is refused; other minutes and others are not.
func TestQuotas(t *testing.T) {
	t.Parallel()
	files := lab()
	files["policy/kinds.yaml"] = strings.Replace(files["policy/kinds.yaml"], "  lab:\n", "  lab:\n    quota: 3\n", 1)
	files["register.yaml"] = strings.Replace(files["register.yaml"], "{id: lab-2, ", "{id: lab-2, quota: 2, ", 1)
	c := harness.Found(t, files)
	c.Begin()
	c.Tick(harness.Ten.Add(5 * time.Minute))
	reading := func(minute, seq int, fields string) string {
		return fmt.Sprintf(`{"ts":%q,"seq":%d,%s}`,
			harness.Ten.Add(time.Duration(minute)*time.Minute).Format(time.RFC3339),
			seq, fields)
	}
	for n, want := range []string{"ok", "ok", "ok", "E408", "E408"} {
		becomes(c, "lab-1", reading(1, n, `"fields":{"i":1}`), want)
	}
	becomes(c, "lab-1", reading(1, 0, `"fields":{"i":1}`), "E303") // what was counted is known all the same
	becomes(c, "lab-1", reading(2, 9, `"fields":{"i":1}`), "ok")
	for n, want := range []string{"ok", "ok", "E408"} {
		becomes(c, "lab-2", reading(1, n, `"data":[{"rssi@1m":1}]`), want)
	}
	documented(t, "| E408 | refused | the sensor has sent more readings of a minute than its quota |")
}
