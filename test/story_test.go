package test

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// small is a city with a counter about nobody and one that sees devices.
func small() map[string]string {
	return map[string]string{
		"policy/charter.yaml": `city: {id: smallville, name: Smallville, timezone: Europe/Madrid, languages: [en]}
purposes: [test]
forbidden_classes: [credential]
kinds_about_people: [wifi-counter]
min_units: 3
epsilon_per_day: {device: 20}
delta_per_day: 0.01
max_contributions: 10
sunset_max: P2Y
`,
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
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
	for i := range 10 {
		c.send("gate-1", gate(i, ten.Add(time.Duration(i)*30*time.Second), 2))
		c.tick(ten.Add(time.Duration(i+1) * 30 * time.Second))
	}
	c.send("gate-1", "["+gate(100, ten.Add(4*time.Minute), 1)+`,{"ts":"yesterday"},`+gate(101, ten.Add(4*time.Minute), 1)+"]")
	for i := range 30 {
		c.send("wifi-1", fmt.Sprintf(`[{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:10:00:%02x","rssi":-50,"note":"hello"}}]`, ten.Add(4*time.Minute).Format(time.RFC3339), i, i))
	}
	c.send("wifi-1", fmt.Sprintf(`[{"bn":"urn:x:","bt":%d,"n":"device","vs":"02:00:5e:10:01:01"},{"n":"rssi","v":-61}]`, ten.Add(4*time.Minute).Unix()))
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
	want := "start_utc,start_local,every,cell,measure,value,status,low,high,unit,decision,simulation\n" +
		"2026-03-02T10:00:00Z,2026-03-02T11:00:00+01:00,PT1H,square,passed,22,published,22,22,,1,true\n"
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
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
	c.send("gate-1", gate(1, ten, 5))
	c.tick(ten.Add(3 * time.Hour))
	c.stored()
	if n := c.metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused for want of a decision; want 1", n)
	}
	for _, i := range c.items("devices", ten, ten.Add(3*time.Hour)) {
		if i.Status != "withheld" {
			t.Errorf("devices is %s; want withheld", i.Status)
		}
	}
}

func TestRedelivery(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
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
		`sluice_readings_total{code="E102",state="refused"}`:   2,
		`sluice_readings_total{code="E104",state="refused"}`:   1,
		`sluice_readings_total{code="E105",state="refused"}`:   1,
		`sluice_readings_total{code="E106",state="refused"}`:   1,
		`sluice_readings_total{code="E200",state="refused"}`:   1,
		`sluice_readings_total{code="E300",state="refused"}`:   1,
		`sluice_readings_total{code="E301",state="refused"}`:   1,
		`sluice_readings_total{code="E402",state="refused"}`:   1,
		`sluice_received_total`:                                20,
		`sluice_readings_total{code="E303",state="duplicate"}`: 0,
		`sluice_readings_total{code="E405",state="bounded"}`:   0,
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
			c.send("wifi-1", fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:20:00:%02x","rssi":-50}}`, at.Format(time.RFC3339), 100*hour+i, i))
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
	if n := c.metric(`sluice_readings_total{code="E405",state="bounded"}`); n != 80 {
		t.Errorf("%v readings were bounded; want 80", n)
	}
}

// TestKill kills the gateway again and again while readings come and windows
// close. What was acknowledged counts exactly once, and no window ever has two
// values.
func TestKill(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.run()
	c.serve()
	link := c.connect()
	const hours, perHour = 4, 300
	c.tick(ten)
	kills := make(chan struct{})
	go func() {
		defer close(kills)
		for range 6 {
			time.Sleep(250 * time.Millisecond)
			c.gateway.kill()
			c.run()
		}
	}()
	for n := range hours * perHour {
		at := ten.Add(time.Duration(n) * time.Hour / perHour)
		if n%5 == 0 {
			if err := link.Tick(clockTopic, at); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		link.Publish("city/v1/acme/gate-1/up", []byte(gate(n, at, 1)), false)
	}
	if err := link.Flush(); err != nil {
		t.Fatal(err)
	}
	<-kills
	c.tick(ten.Add((hours + 1) * time.Hour))
	c.stored()
	first := c.items("gates", ten, ten.Add(hours*time.Hour))
	if len(first) != 2*hours {
		t.Fatalf("%d observations; want %d", len(first), 2*hours)
	}
	for h := range hours {
		if got := value(t, first, ten.Add(time.Duration(h)*time.Hour), "passed"); got != perHour {
			t.Errorf("hour %d has %v; want %d", h, got, perHour)
		}
	}
	if n := c.metric(`sluice_readings_total{code="",state="counted"}`); n != hours*perHour {
		t.Errorf("%v readings were counted; want %d", n, hours*perHour)
	}
	c.gateway.kill()
	c.run()
	c.stored()
	again := c.items("gates", ten, ten.Add(hours*time.Hour))
	if fmt.Sprint(deref(first)) != fmt.Sprint(deref(again)) {
		t.Error("a value changed after it was published")
	}
}

func deref(list []item) (out []string) {
	for _, i := range list {
		v := "-"
		if i.Value != nil {
			v = fmt.Sprint(*i.Value)
		}
		out = append(out, fmt.Sprint(i.Start, i.Cell, i.Measure, i.Status, v))
	}
	return out
}

func TestStopAndContinue(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
	c.send("gate-1", gate(1, ten, 3))
	if code := c.gateway.stop(5 * time.Second); code != 0 {
		t.Errorf("SIGINT gave exit code %d; want 0", code)
	}
	c.run()
	c.send("gate-1", gate(2, ten, 4))
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 7 {
		t.Errorf("passed is %v; want 7", got)
	}
}

// TestLostKeys loses the keys, as a reboot does: what was open becomes a gap and
// nobody counts twice in the epoch.
func TestLostKeys(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
	c.send("gate-1", gate(1, ten, 3))
	c.send("wifi-1", fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"device":"02:00:5e:30:00:01","rssi":-50}}`, ten.Format(time.RFC3339)))
	c.gateway.kill()
	removeAll(t, c.keys)
	c.run()
	c.tick(ten.Add(time.Minute))
	for i := range 40 {
		c.send("wifi-1", fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:30:01:%02x","rssi":-50}}`, ten.Add(time.Minute).Format(time.RFC3339), 10+i, i))
	}
	c.tick(ten.Add(2 * time.Hour))
	c.send("gate-1", gate(2, ten.Add(time.Hour+30*time.Minute), 4))
	c.tick(ten.Add(3 * time.Hour))
	c.stored()
	for _, i := range append(c.items("gates", ten, ten.Add(time.Hour)), c.items("devices", ten, ten.Add(2*time.Hour))...) {
		if i.Status != "no_data" {
			t.Errorf("%s at %s is %s; want no_data", i.Measure, i.Start, i.Status)
		}
	}
	if got := value(t, c.items("gates", ten, ten.Add(2*time.Hour)), ten.Add(time.Hour), "passed"); got != 4 {
		t.Errorf("the hour after has %v; want 4", got)
	}
	await(t, 10*time.Second, "gaps.jsonl to speak of the lost keys", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"keys_lost"`)
	})
}

// TestWallClock lets real time pass: windows of two seconds close by themselves,
// readings without a time get the gateway's, and the time in which the gateway
// was down is a gap.
func TestWallClock(t *testing.T) {
	t.Parallel()
	files := small()
	for name, old := range map[string]string{"policy/decisions/gates.yaml": "lateness: PT2M", "policy/decisions/devices.yaml": "lateness: PT2M"} {
		files[name] = strings.Replace(strings.Replace(files[name], old, "lateness: PT1S", 1), "every: PT1H", "every: PT2S", 1)
		files[name] = strings.NewReplacer("2026-01-01", time.Now().AddDate(0, 0, -2).Format(time.DateOnly), "2026-12-31", time.Now().AddDate(0, 1, 0).Format(time.DateOnly)).Replace(files[name])
	}
	c := found(t, files)
	config := filepath.Join(c.dir, "gateway.yaml")
	write(t, config, strings.Replace(read(t, config), "time: {topic: city/v1/clock}", "time: wall", 1))
	c.run()
	c.serve()
	c.connect()
	total := func() (sum float64) {
		for _, i := range readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.Value != nil {
				sum += *i.Value
			}
		}
		return sum
	}
	for n := range 20 {
		c.send("gate-1", fmt.Sprintf(`{"seq":%d,"fields":{"passed":1}}`, n))
		time.Sleep(100 * time.Millisecond)
	}
	await(t, 20*time.Second, "twenty readings to be published", func() bool { return total() == 20 })
	c.send("gate-1", `{"ts":"`+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`","seq":99,"fields":{"passed":1}}`)
	if n := c.metric(`sluice_readings_total{code="E302",state="late"}`); n != 1 {
		t.Errorf("%v readings were late; want 1", n)
	}
	c.gateway.stop(5 * time.Second)
	time.Sleep(5 * time.Second)
	c.run()
	await(t, 20*time.Second, "a gap", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"gateway_down"`)
	})
}

// TestPolicyEditedInMidWindow changes the stream's cells while a window is open,
// and kills the gateway around it: the open window ends under the old policy, the
// next runs under the new one.
func TestPolicyEditedInMidWindow(t *testing.T) {
	t.Parallel()
	files := small()
	files["policy/zones.geojson"] = squares([]string{"square", "park"})
	c := found(t, files)
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
	c.send("gate-1", gate(1, ten, 3))
	edit := func(old, new string) {
		path := filepath.Join(c.dir, "policy/decisions/gates.yaml")
		write(t, path, strings.Replace(read(t, path), old, new, 1))
	}
	version := c.metric("sluice_policy_version")
	edit("zones: [square]", "zones: [park, square]")
	await(t, 20*time.Second, "the new policy", func() bool { return c.metric("sluice_policy_version") == version+1 })
	c.send("gate-1", gate(2, ten.Add(30*time.Second), 4))
	c.gateway.kill()
	edit("passed, of: sum", "through, of: sum") // while it is down
	c.run()
	c.send("gate-1", gate(2, ten.Add(30*time.Second), 4))
	await(t, 20*time.Second, "the third policy", func() bool { return c.metric("sluice_policy_version") == version+2 })
	c.send("gate-1", gate(3, ten.Add(40*time.Second), 5))
	c.tick(ten.Add(time.Hour + 30*time.Minute))
	c.send("gate-1", gate(4, ten.Add(time.Hour+30*time.Minute), 6))
	c.gateway.kill()
	c.run()
	c.tick(ten.Add(3 * time.Hour))
	c.stored()
	var got []string
	for _, i := range c.items("gates", ten, ten.Add(2*time.Hour)) {
		if i.Measure == "passed" || i.Measure == "through" {
			got = append(got, fmt.Sprint(i.Start.Hour(), " ", i.Cell, " ", i.Measure, " ", i.Status))
			if i.Value != nil {
				got = append(got, fmt.Sprint(*i.Value))
			}
		}
	}
	want := "[10 square passed published 12 11 park through no_data 11 square through published 6]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

// TestCategoriesHomesAndMeans uses what the other stories do not: categories,
// generalised fields, homes, and sums and means about units.
func TestCategoriesHomesAndMeans(t *testing.T) {
	t.Parallel()
	files := small()
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "{device: 20}", "{device: 20, home: 90}", 1)
	files["policy/kinds.yaml"] += `  road-counter:
    fields:
      - {name: vehicle, type: string, class: measurement}
      - {name: speed, type: float, unit: km/h, class: measurement}
  home-meter:
    units: [{sensor: true, stands_for: home}]
    fields:
      - {name: power, type: float, unit: W, class: measurement}
`
	files["policy/decisions/traffic.yaml"] = `decision: "3"
title: {en: Traffic}
stream: traffic
purpose: test
applies_to: {kinds: [road-counter], zones: [square]}
unit: {none: "a loop in the road counts axles"}
keep: [vehicle, speed]
generalise: [{field: speed, step: 10}]
publish:
  every: PT1H
  by: [zone, {field: vehicle, values: [car, bike]}]
  measures:
    - {name: passages, of: count()}
    - {name: speed, of: mean(speed), between: [0, 120]}
from: 2026-01-01
until: 2026-12-31
`
	files["policy/decisions/power.yaml"] = `decision: "4"
title: {en: Power}
stream: power
purpose: test
applies_to: {kinds: [home-meter], zones: [square]}
unit: {sensor: home}
keep: [power]
publish:
  every: PT1H
  measures:
    - {name: homes, of: distinct(unit)}
    - {name: mean-power, of: mean(power), between: [0, 10000]}
    - {name: energy, of: sum(power), between: [0, 10000]}
protect: {min_units: 3, epsilon: 90, delta: 0.001, max_contributions: 1}
from: 2026-01-01
until: 2026-12-31
`
	files["register.yaml"] += "  - {id: road-1, owner: acme, kind: road-counter, zone: square, registered: 2026-01-01}\n"
	const homes = 40
	for i := range homes {
		files["register.yaml"] += fmt.Sprintf("  - {id: home-%d, owner: acme, kind: home-meter, zone: square, registered: 2026-01-01}\n", i)
	}
	c := found(t, files)
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
	at := ten.Format(time.RFC3339)
	for i, v := range []struct {
		vehicle string
		speed   float64
	}{{"car", 47}, {"car", 39.5}, {"bike", 18}, {"tank", 5}} {
		c.send("road-1", fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"vehicle":%q,"speed":%v}}`, at, i, v.vehicle, v.speed))
	}
	for i := range homes {
		// The last reading counts for the mean, both for the sum, and 10 kW is the most.
		c.send(fmt.Sprintf("home-%d", i), fmt.Sprintf(`[{"ts":%q,"seq":2,"fields":{"power":300}},{"ts":%[1]q,"seq":1,"fields":{"power":100}}]`, at))
	}
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	got := map[string]item{}
	for _, i := range append(c.items("traffic", ten, ten.Add(time.Hour)), c.items("power", ten, ten.Add(time.Hour))...) {
		got[i.Cell+" "+i.Measure] = i
	}
	for name, want := range map[string]float64{
		"square/car passages": 2, "square/car speed": 35, "square/bike passages": 1, "square/bike speed": 10,
	} {
		if i := got[name]; i.Value == nil || *i.Value != want {
			t.Errorf("%s is %v (%s); want %v", name, i.Value, i.Status, want)
		}
	}
	// Twenty scales are crossed with a probability of about 10^-9; the mean's noise
	// is its sum's over about forty.
	for name, want := range map[string]float64{"square homes": homes, "square mean-power": 300, "square energy": homes * 400} {
		i := got[name]
		most := max(1, 20*i.Scale)
		if strings.Contains(name, "mean") {
			most /= homes - 5
		}
		if i.Value == nil || math.Abs(*i.Value-want) > most || *i.Low > *i.Value || *i.High < *i.Value {
			t.Errorf("%s is not published within %v of %v: %+v", name, most, want, i)
		}
	}
	if n := c.metric(`sluice_readings_total{code="E404",state="refused"}`); n != 1 {
		t.Errorf("%v readings had no category; want 1", n)
	}
	if _, _, body := get(t, c.opendata+"/api/v1/sensors"); strings.Contains(string(body), "home-1") || !strings.Contains(string(body), "road-1") {
		t.Error("sensors that stand for homes are listed singly, or the others are not")
	}
}
