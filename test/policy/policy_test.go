package policy

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestWallClock lets real time pass: windows of two seconds close by themselves,
// readings without a time get the gateway's, and the time in which the gateway
// was down is a gap.
func TestWallClock(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	for name, old := range map[string]string{"policy/decisions/gates.yaml": "lateness: PT2M",
		"policy/decisions/devices.yaml": "lateness: PT2M"} {
		files[name] = strings.Replace(strings.Replace(files[name], old, "lateness: PT1S", 1), "every: PT1H",
			"every: PT2S", 1)
		files[name] = strings.NewReplacer("2026-01-01", time.Now().AddDate(0, 0, -2).Format(time.DateOnly),
			"2026-12-31", time.Now().AddDate(0, 1, 0).Format(time.DateOnly)).Replace(files[name])
	}
	c := harness.Found(t, files)
	config := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, config, strings.Replace(harness.Read(t, config), "time: {topic: city/v1/clock}", "time: wall", 1))
	c.Run()
	c.Serve()
	c.Connect()
	total := func() (sum float64) {
		for _, i := range harness.ReadAll(t, c.Opendata,
			"/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.Value != nil {
				sum += *i.Value
			}
		}
		return sum
	}
	for n := range 20 {
		c.Send("gate-1", fmt.Sprintf(`{"seq":%d,"fields":{"passed":1}}`, n))
		time.Sleep(100 * time.Millisecond)
	}
	harness.Await(t, 20*time.Second, "twenty readings to be published", func() bool { return total() == 20 })
	c.Send("gate-1", `{"ts":"`+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+
		`","seq":99,"fields":{"passed":1}}`)
	if n := c.Metric(`sluice_readings_total{code="E302",state="late"}`); n != 1 {
		t.Errorf("%v readings were late; want 1", n)
	}
	c.Gateway.Stop(5 * time.Second)
	time.Sleep(5 * time.Second)
	c.Run()
	harness.Await(t, 20*time.Second, "a gap", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.Dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"gateway_down"`)
	})
}

// TestPolicyEditedInMidWindow changes the stream's cells while a window is open,
// and kills the gateway around it: the open window ends under the old policy, the
// next runs under the new one.
func TestPolicyEditedInMidWindow(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	files["policy/zones.geojson"] = harness.Squares([]string{"square", "park"})
	c := harness.Found(t, files)
	c.Begin()
	c.Send("gate-1", harness.Gate(1, harness.Ten, 3))
	edit := func(old, new string) {
		path := filepath.Join(c.Dir, "policy/decisions/gates.yaml")
		harness.Write(t, path, strings.Replace(harness.Read(t, path), old, new, 1))
	}
	version := c.Metric("sluice_policy_version")
	edit("zones: [square]", "zones: [park, square]")
	harness.Await(t, 20*time.Second, "the new policy", func() bool {
		return c.Metric("sluice_policy_version") == version+1
	})
	c.Send("gate-1", harness.Gate(2, harness.Ten.Add(30*time.Second), 4))
	c.Gateway.Kill()
	edit("passed, of: sum", "through, of: sum") // while it is down
	c.Run()
	c.Send("gate-1", harness.Gate(2, harness.Ten.Add(30*time.Second), 4))
	harness.Await(t, 20*time.Second, "the third policy", func() bool {
		return c.Metric("sluice_policy_version") == version+2
	})
	c.Send("gate-1", harness.Gate(3, harness.Ten.Add(40*time.Second), 5))
	c.Tick(harness.Ten.Add(time.Hour + 30*time.Minute))
	c.Send("gate-1", harness.Gate(4, harness.Ten.Add(time.Hour+30*time.Minute), 6))
	c.Gateway.Kill()
	c.Run()
	c.Tick(harness.Ten.Add(3 * time.Hour))
	c.Stored()
	var got []string
	for _, i := range c.Items("gates", harness.Ten, harness.Ten.Add(2*time.Hour)) {
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
	files := harness.Small()
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "{device: 20}",
		"{device: 20, home: 90}", 1)
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
	files["register.yaml"] += "  - {id: road-1, owner: acme, kind: road-counter, zone: square, registered: " +
		"2026-01-01}\n"
	const homes = 40
	for i := range homes {
		files["register.yaml"] += fmt.Sprintf(
			"  - {id: home-%d, owner: acme, kind: home-meter, zone: square, registered: 2026-01-01}\n", i)
	}
	c := harness.Found(t, files)
	c.Begin()
	at := harness.Ten.Format(time.RFC3339)
	for i, v := range []struct {
		vehicle string
		speed   float64
	}{{"car", 47}, {"car", 39.5}, {"bike", 18}, {"tank", 5}} {
		c.Send("road-1",
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"vehicle":%q,"speed":%v}}`, at, i, v.vehicle, v.speed))
	}
	for i := range homes {
		// The last reading counts for the mean, both for the sum, and 10 kW is the most.
		c.Send(fmt.Sprintf("home-%d", i),
			fmt.Sprintf(`[{"ts":%q,"seq":2,"fields":{"power":300}},{"ts":%[1]q,"seq":1,"fields":{"power":100}}]`, at))
	}
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	got := map[string]harness.Item{}
	for _, i := range append(c.Items("traffic", harness.Ten, harness.Ten.Add(time.Hour)),
		c.Items("power", harness.Ten, harness.Ten.Add(time.Hour))...) {
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
	for name, want := range map[string]float64{"square homes": homes, "square mean-power": 300,
		"square energy": homes * 400} {
		i := got[name]
		most := max(1, 20*i.Scale)
		if strings.Contains(name, "mean") {
			most /= homes - 5
		}
		if i.Value == nil || math.Abs(*i.Value-want) > most || *i.Low > *i.Value || *i.High < *i.Value {
			t.Errorf("%s is not published within %v of %v: %+v", name, most, want, i)
		}
	}
	if n := c.Metric(`sluice_readings_total{code="E404",state="refused"}`); n != 1 {
		t.Errorf("%v readings had no category; want 1", n)
	}
	if _, _, body := harness.Get(t, c.Opendata+"/api/v1/sensors"); strings.Contains(string(body), "home-1") ||
		!strings.Contains(string(body), "road-1") {
		t.Error("sensors that stand for homes are listed singly, or the others are not")
	}
	homesAreANumber(c, homes)
}

// homesAreANumber: no page, book, metric or log names a sensor that stands for
// a home, also where a message of its own was refused.
func homesAreANumber(c *harness.City, n int) {
	t := c.T
	c.Send("home-1", "{")
	var reg struct {
		Homes []struct {
			Kind, Zone string
			Number     int
		}
	}
	harness.GetJSON(t, c.Opendata+"/api/v1/sensors", &reg)
	if len(reg.Homes) != 1 || reg.Homes[0].Number != n || reg.Homes[0].Kind != "home-meter" ||
		reg.Homes[0].Zone != "square" {
		t.Errorf("homes are %+v; want %d meters in the square", reg.Homes, n)
	}
	for _, path := range []string{"/", "/sensors", "/streams/power", "/privacy", "/decisions", "/books/register.json",
		"/books/gaps.jsonl"} {
		if _, _, body := harness.Get(t, c.Opendata+path); strings.Contains(string(body), "home-1") {
			t.Errorf("%s names one home's sensor", path)
		}
	}
	if status, _, _ := harness.Get(t, c.Opendata+"/sensors/home-1"); status != 404 {
		t.Errorf("one home's sensor has a page: %d", status)
	}
	if strings.Contains(c.Metrics(), "home-1") || strings.Contains(c.Gateway.Err.String(), "home-1") {
		t.Error("metrics or log name one home's sensor")
	}
}

// TestTotals reads sums of released values over time and zones.
func TestTotals(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Hours(0, 3)
	var totals struct {
		Items []struct {
			Cell, Measure    string
			Parts, Published int
			Value, Low, High *float64
		}
	}
	span := "&from=" + harness.Ten.Format(time.RFC3339) + "&to=" + harness.Ten.Add(3*time.Hour).Format(time.RFC3339)
	harness.GetJSON(t, c.Opendata+"/api/v1/streams/gates/totals?over=time&measure=passed"+span, &totals)
	if len(totals.Items) != 1 || totals.Items[0].Parts != 3 || *totals.Items[0].Value != 21 ||
		*totals.Items[0].Low != 21 {
		t.Errorf("three hours of 7 are %+v", totals.Items)
	}
	harness.GetJSON(t, c.Opendata+"/api/v1/streams/gates/totals?over=zones&measure=passed"+span, &totals)
	if len(totals.Items) != 3 {
		t.Errorf("three hours are %+v", totals.Items)
	}
	for path, want := range map[string]int{"gates/totals": 400, "devices/totals?over=time": 400,
		"nothing/totals?over=time": 404, "gates/totals?over=time&x=1": 400} {
		if status, _, body := harness.Get(t, c.Opendata+"/api/v1/streams/"+path); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
