package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/test/samples"
)

// small is a city with a counter about nobody and one that sees devices.
func small() map[string]string {
	return map[string]string{
		"policy/charter.yaml": samples.Charter,
		"policy/kinds.yaml": `kinds:
  people-gate:
    fields: [{name: passed, type: int, class: measurement}]
  wifi-counter:
    units: [{field: device, stands_for: device}]
    fields:
      - {name: device, type: string, class: identifier}
      - {name: rssi, type: int, unit: dBm, class: measurement}
      - {name: note, type: string, class: free-text}
`,
		"policy/zones.geojson": `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"square","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]},"properties":{}}]}`,
		"policy/decisions/gates.yaml": `decision: "1"
title: {en: Gates}
stream: gates
purpose: test
applies_to: {kinds: [people-gate], zones: [square]}
unit: {none: "a turnstile counts turns"}
keep: [passed]
publish:
  every: PT1H
  lateness: PT2M
  measures:
    - {name: passed, of: sum(passed)}
    - {name: turns, of: count()}
from: 2026-01-01
until: 2026-12-31
review: 2026-06-01
`,
		"policy/decisions/devices.yaml": `decision: "2"
title: {en: Devices}
stream: devices
purpose: test
applies_to: {kinds: [wifi-counter], zones: [square]}
unit: {field: device, stands_for: device}
keep: [device, rssi]
where: [{field: rssi, op: ">=", value: -85}]
publish:
  every: PT1H
  lateness: PT2M
  by: [zone]
  measures:
    - {name: devices, of: distinct(unit)}
protect: {min_units: 5, epsilon: 20, delta: 0.001, max_contributions: 1}
forget_after: P1D
from: 2026-01-01
until: 2026-12-31
review: 2026-06-01
legal_basis: by-law 1
`,
		"register.yaml": `sensors:
  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}
  - {id: wifi-1, owner: acme, kind: wifi-counter, zone: square, registered: 2026-01-01}
  - {id: old-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, until: 2026-02-01}
  - {id: old-2, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}
  - {id: new-2, owner: acme, kind: people-gate, zone: square, registered: 2026-03-01, replaces: old-2}
  - {id: new-3, owner: acme, kind: people-gate, zone: square, registered: 2026-04-01}
`,
	}
}

// ten is the hour that the stories play in.
var ten = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func gate(seq int, at time.Time, passed int) string {
	return fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"passed":%d}}`, at.Format(time.RFC3339Nano), seq, passed)
}

func (c *city) send(sensor, payload string) {
	c.t.Helper()
	c.link.Publish("city/v1/acme/"+sensor+"/up", []byte(payload), false)
	if err := c.link.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

// value finds one published value of an hour.
func value(t *testing.T, list []item, start time.Time, measure string) float64 {
	t.Helper()
	for _, i := range list {
		if i.Start.Equal(start) && i.Measure == measure {
			if i.Value == nil {
				t.Fatalf("%s at %s is %s", measure, start, i.Status)
			}
			return *i.Value
		}
	}
	t.Fatalf("%s at %s is not there", measure, start)
	return 0
}

func TestPublishAndRead(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	for i := range 10 {
		c.send("gate-1", gate(i, ten.Add(time.Duration(i)*30*time.Second), 2))
		c.tick(ten.Add(time.Duration(i+1) * 30 * time.Second))
	}
	c.send("gate-1", "["+gate(100, ten.Add(4*time.Minute), 1)+`,{"ts":"yesterday"},`+
		gate(101, ten.Add(4*time.Minute), 1)+"]")
	for i := range 30 {
		c.send("wifi-1",
			fmt.Sprintf(`[{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:10:00:%02x","rssi":-50,"note":"hello"}}]`,
				ten.Add(4*time.Minute).Format(time.RFC3339), i, i))
	}
	c.send("wifi-1",
		fmt.Sprintf(`[{"bn":"urn:x:","bt":%d,"n":"device","vs":"02:00:5e:10:01:01"},{"n":"rssi","v":-61}]`,
			ten.Add(4*time.Minute).Unix()))
	c.tick(ten.Add(time.Hour + 2*time.Minute))
	c.stored()

	list := c.items("gates", ten, ten.Add(time.Hour))
	if got := value(t, list, ten, "passed"); got != 22 {
		t.Errorf("passed is %v; want 22", got)
	}
	if got := value(t, list, ten, "turns"); got != 12 {
		t.Errorf("turns is %v; want 12", got)
	}
	devices := value(t, c.items("devices", ten, ten.Add(time.Hour)), ten, "devices")
	if devices < 25 || devices > 37 {
		t.Errorf("devices is %v; want 31 give or take noise of scale 0.05", devices)
	}
	c.readAPI()
}

// readAPI looks at the other answers of a city with one closed hour.
func (c *city) readAPI() {
	t := c.t
	var health struct {
		Now             time.Time `json:"now"`
		ReleasedThrough time.Time `json:"released_through"`
	}
	getJSON(t, c.admin+"/healthz", &health)
	if want := ten.Add(time.Hour + 2*time.Minute); !health.Now.Equal(want) || !health.ReleasedThrough.Equal(want) {
		t.Errorf("healthz says %v; want %s twice", health, want)
	}
	var ready struct{ Ready bool }
	getJSON(t, c.admin+"/readyz", &ready)
	if !ready.Ready {
		t.Error("the gateway is not ready")
	}
	_, header, body := get(t, c.opendata+"/api/v1/streams/gates/observations?format=csv&measure=passed")
	want :=
		"start_utc,start_local,every,cell,measure,value,status,low,high,unit,decision,simulation,bounded_share,bounded_share_low,bounded_share_high,gateway\n" +
			"2026-03-02T10:00:00Z,2026-03-02T11:00:00+01:00,PT1H,square,passed,22,published,22,22,,1,true,,,,test-1\n"
	if string(body) != want || header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("CSV is\n%s(%s); want\n%s", body, header.Get("Content-Type"), want)
	}
	for path, want := range map[string]int{
		"/api/v1/streams/none/observations": 404, "/api/v1/streams/gates/observations?limit=0": 400,
		"/api/v1/streams/gates/observations?from=x": 400, "/api/v1/streams/gates/observations?a=b": 400,
		"/api/v1/streams/gates/observations?cursor=zz": 400, "/api/v1/streams/gates/observations?limit=1;a=2": 400,
		"/api/v1/nothing": 404, "/nothing": 404, "/": 200, "/streams/gates": 200, "/streams/devices?cell=square": 200,
		"/sensors": 200, "/sensors/gate-1": 200, "/decisions": 200, "/decisions/1": 200, "/privacy": 200,
		"/api/v1/sensors": 200, "/api/v1/zones": 200, "/api/v1/decisions/1": 200, "/api/v1/ledger?day=2026-03-02": 200,
	} {
		if status, _, body := get(t, c.opendata+path); status != want {
			t.Errorf("GET %s is %d %.200s; want %d", path, status, body, want)
		}
	}
	resp, err := http.Post(c.opendata+"/api/v1/streams", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST is %d; want 405", resp.StatusCode)
	}
}

func TestNothingByDefault(t *testing.T) {
	t.Parallel()
	files := small()
	delete(files, "policy/decisions/gates.yaml")
	c := found(t, files)
	c.begin()
	c.send("gate-1", gate(1, ten, 5))
	c.tick(ten.Add(3 * time.Hour))
	c.stored()
	if n := c.metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused for want of a decision; want 1", n)
	}
	for _, i := range c.some("devices", ten, ten.Add(3*time.Hour)) {
		if i.Status != "withheld" {
			t.Errorf("devices is %s; want withheld", i.Status)
		}
	}
}

func TestRedelivery(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	message := "[" + gate(1, ten, 1) + "," + gate(2, ten, 1) + "," + gate(3, ten.Add(time.Second), 1) + "]"
	noSeq := fmt.Sprintf(`{"ts":%q,"fields":{"passed":1}}`, ten.Format(time.RFC3339))
	noTime := `{"seq":70,"fields":{"passed":1}}`
	for range 3 {
		c.send("gate-1", message)
		c.send("gate-1", noSeq)
		c.send("gate-1", noTime)
	}
	c.tick(ten.Add(10 * time.Second)) // a repetition without ts is received at another time
	c.gateway.kill()
	c.run()
	c.send("gate-1", message)
	c.send("gate-1", noSeq)
	c.send("gate-1", noTime)
	c.send("gate-1", gate(2, ten.Add(5*time.Second), 1)) // equal seq, another time
	c.send("gate-1", `{"ts":"2026-03-02T10:00:00Z","seq":2,"boot":"b","fields":{"passed":1}}`)
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 7 {
		t.Errorf("passed is %v; want 7", got)
	}
	if n := c.metric(`sluice_readings_total{code="E303",state="duplicate"}`); n != 15 {
		t.Errorf("%v readings were duplicates; want 15", n)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.run()
	c.connect()
	c.tick(ten)
	at := ten.Add(30 * time.Second)
	for _, m := range []struct{ sensor, payload string }{
		{"gate-1", gate(1, at, 1)},
		{"gate-1", gate(2, ten.Add(61*time.Second), 1)}, // E301
		{"nobody", gate(1, at, 1)},                      // E001
		{"old-2", gate(1, at, 1)},                       // E002: replaced
		{"new-3", gate(1, at, 1)},                       // E002: not yet
		{"old-1", gate(1, at, 1)},                       // E002
		{"gate-1", `{"ts":`},                            // E100
		{"gate-1", `"text"`},                            // E100
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","fields":{"passed":"7"}}`},                             // E101
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","fields":{}}`},                                         // E102
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","ts":"2026-03-02T10:00:31Z","fields":{"passed":1}}`},   // E104
		{"gate-1", `[{"bver":99,"n":"passed","v":1}]`},                                                  // E106
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","fields":{"passed":1.5}}`},                             // E200
		{"gate-1", `{"ts":"02/03/2026","fields":{"passed":1}}`},                                         // E300
		{"wifi-1", `{"ts":"2026-03-02T10:00:30Z","seq":1,"fields":{"device":"x","rssi":-90}}`},          // E402
		{"wifi-1", `{"ts":"2026-03-02T10:00:30Z","seq":2,"fields":{"rssi":-50}}`},                       // E102
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","seq":9,"other":{},"fields":{"passed":1,"more":"x"}}`}, // counts
		{"gate-1", strings.Repeat("[", 1000)},                                                           // E100
		{"gate-1", "[" + strings.Repeat("{},", 10_000) + "{}]"},                                         // E105
	} {
		c.send(m.sensor, m.payload)
	}
	c.tick(ten.Add(2 * time.Hour))
	c.send("gate-1", gate(3, at, 1)) // E302
	want := map[string]float64{
		`sluice_readings_total{code="",state="counted"}`:       2,
		`sluice_readings_total{code="E302",state="late"}`:      1,
		`sluice_readings_total{code="E001",state="refused"}`:   1,
		`sluice_readings_total{code="E002",state="refused"}`:   3,
		`sluice_readings_total{code="E100",state="refused"}`:   3,
		`sluice_readings_total{code="E101",state="refused"}`:   1,
		`sluice_readings_total{code="E102",state="refused"}`:   10_002,
		`sluice_readings_total{code="E104",state="refused"}`:   1,
		`sluice_readings_total{code="E105",state="refused"}`:   1,
		`sluice_readings_total{code="E106",state="refused"}`:   1,
		`sluice_readings_total{code="E200",state="refused"}`:   1,
		`sluice_readings_total{code="E300",state="refused"}`:   1,
		`sluice_readings_total{code="E301",state="refused"}`:   1,
		`sluice_readings_total{code="E402",state="refused"}`:   1,
		`sluice_received_total`:                                10_020,
		`sluice_readings_total{code="E303",state="duplicate"}`: 0,
		`sluice_readings_total{code="E401",state="refused"}`:   0,
		`sluice_windows_open`:                                  0,
	}
	check := func() {
		t.Helper()
		for name, n := range want {
			if got := c.metric(name); got != n {
				t.Errorf("%s is %v; want %v", name, got, n)
			}
		}
	}
	check()
	c.gateway.kill() // counters are durable
	c.run()
	check()
}

func TestContributionBound(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.run()
	c.serve()
	c.connect()
	for hour := range 3 {
		at := ten.Add(time.Duration(hour) * time.Hour)
		c.tick(at)
		for i := range 40 {
			c.send("wifi-1",
				fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:20:00:%02x","rssi":-50}}`,
					at.Format(time.RFC3339), 100*hour+i, i))
		}
		if hour == 1 {
			c.gateway.kill() // bounds are durable
			c.run()
		}
	}
	c.tick(ten.Add(4 * time.Hour))
	c.stored()
	list := c.items("devices", ten, ten.Add(3*time.Hour))
	if got := value(t, list, ten, "devices"); got < 36 || got > 44 {
		t.Errorf("the first hour has %v devices; want about 40", got)
	}
	for _, i := range list[1:] {
		if i.Status != "withheld" {
			t.Errorf("at %s the devices count again (%s) although one contribution a day is allowed", i.Start, i.Status)
		}
	}
	if n := c.metric(`sluice_readings_total{code="",state="counted"}`); n != 120 {
		t.Errorf("%v readings are counted; want 120, whether or not their unit had reached its bound", n)
	}
}
