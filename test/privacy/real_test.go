package privacy

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/replay"
	"sluice/test/harness"
)

// realData is the folder of real readings, beside the checkout. It is no part of
// the project, so a test that needs it is skipped where it is not there.
func realData(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real readings of %s are not at hand", name)
	}
	return path
}

func rows(t *testing.T, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, record := range all[1:] {
		m := make(map[string]string)
		for i, name := range all[0] {
			m[name] = strings.TrimSpace(record[i])
		}
		out = append(out, m)
	}
	return out
}

// charterFor is a charter for one test's decisions.
func charterFor(timezone, rest string) string {
	return `city: {id: test, name: Test, timezone: ` + timezone + `, languages: [en]}
purposes: [test]
min_units: 3
epsilon_per_day: {person: 160}
delta_per_day: 0.01
max_contributions: 160
sunset_max: P3Y
` + rest
}

// replay runs firmware-sim over a file and waits until all is stored.
func replayed(c *harness.City, file string, args ...string) {
	c.T.Helper()
	cmd := exec.Command(harness.Firmware,
		append([]string{"replay", file, "--broker", "tcp://" + c.Mqtt, "--clock", harness.ClockTopic}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.T.Fatalf("firmware-sim replay: %v\n%s", err, harness.Tail(string(out)))
	}
	c.Stored()
}

func TestBarcelonaAir(t *testing.T) {
	t.Parallel()
	path := realData(t, "barcelona_opendata/air_quality_Nov2017.csv")
	type key struct {
		station string
		hour    int64
		what    string
	}
	sum, n := map[key]float64{}, map[key]float64{}
	stations := map[string]bool{}
	for _, r := range rows(t, path) {
		epoch, err := strconv.ParseInt(r["Date Time"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		stations[replay.Slug(r["Station"])] = true
		for _, what := range []string{"NO2", "O3", "PM10"} {
			if v, err := strconv.ParseFloat(r[what+" Value"], 64); err == nil {
				k := key{replay.Slug(r["Station"]), epoch / 3600 * 3600, strings.ToLower(what)}
				sum[k] += v
				n[k]++
			}
		}
	}
	var names []string
	register := "sensors:\n"
	for s := range stations {
		names = append(names, s)
		register += fmt.Sprintf("  - {id: %s, owner: replay, kind: air, zone: %[1]s, registered: 2018-01-01}\n", s)
	}
	c := harness.Found(t, map[string]string{
		"policy/charter.yaml":  charterFor("Europe/Madrid", ""),
		"policy/zones.geojson": harness.Squares(names),
		"policy/kinds.yaml": `kinds:
  air:
    fields:
      - {name: no2, type: float, unit: ug/m3, class: measurement}
      - {name: o3, type: float, unit: ug/m3, class: measurement}
      - {name: pm10, type: float, unit: ug/m3, class: measurement}
`,
		"policy/decisions/air.yaml": `decision: "1"
title: {en: Air}
stream: air
purpose: test
applies_to: {kinds: [air], zones: [` + strings.Join(names, ", ") + `]}
unit: {none: "air is about nobody"}
keep: [no2, o3, pm10]
publish:
  every: PT1H
  lateness: PT2M
  by: [zone]
  measures:
    - {name: no2, of: mean(no2), between: [0, 1000]}
    - {name: o3, of: mean(o3), between: [0, 1000]}
    - {name: pm10, of: mean(pm10), between: [0, 1000]}
from: 2018-10-01
until: 2018-12-31
`,
		"register.yaml": register,
	})
	c.Run()
	c.Serve()
	replayed(c, path, "--map",
		"ts=Date Time,sensor=Station,field.no2=NO2 Value,field.o3=O3 Value,field.pm10=PM10 Value",
		"--layout", "unix")
	checked := 0
	for _, i := range c.Items("air", time.Date(2018, 10, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2018, 12, 31, 0, 0, 0, 0, time.UTC)) {
		k := key{i.Cell, i.Start.Unix(), i.Measure}
		switch {
		case n[k] == 0 && i.Status != "no_data":
			t.Fatalf("%v is %s; the file has nothing", k, i.Status)
		case n[k] == 0:
		case i.Value == nil || math.Abs(*i.Value-sum[k]/n[k]) > 0.005+1e-9: // told in hundredths
			t.Fatalf("%v is %v (%s); the file's mean is %v", k, i.Value, i.Status, sum[k]/n[k])
		default:
			checked++
		}
	}
	if checked != len(n) || checked < 5000 {
		t.Errorf("%d hourly means are right; the file has %d", checked, len(n))
	}
}

func TestMelbourneCounts(t *testing.T) {
	t.Parallel()
	path := realData(t, "melbourne_pedestrian/may_2nd_2019.csv")
	register := "sensors:\n"
	seen := map[string]bool{}
	for _, r := range rows(t, path) {
		if id := r["sensor_id"]; !seen[id] {
			seen[id] = true
			register += fmt.Sprintf("  - {id: %q, owner: replay, kind: counter, zone: cbd, registered: 2018-01-01}\n",
				id)
		}
	}
	c := harness.Found(t, map[string]string{
		"policy/charter.yaml":  charterFor("Australia/Melbourne", ""),
		"policy/zones.geojson": harness.Squares([]string{"cbd"}),
		"policy/kinds.yaml":    "kinds:\n  counter:\n    fields: [{name: count, type: int, class: measurement}]\n",
		"policy/decisions/c.yaml": `decision: "1"
title: {en: Pedestrians}
stream: pedestrians
purpose: test
applies_to: {kinds: [counter], zones: [cbd]}
unit: {none: "counted by the hour before it is sent; this test's charter allows it"}
keep: [count]
publish:
  every: PT1H
  measures: [{name: people, of: sum(count)}]
from: 2019-01-01
until: 2019-12-31
`,
		"register.yaml": register,
	})
	c.Run()
	c.Serve()
	replayed(c, path, "--map", "ts=date_time+time,sensor=sensor_id,field.count=hourly_counts", "--layout",
		"1/2/2006 15",
		"--timezone", "Australia/Melbourne")
	total, hours := 0.0, 0
	from := time.Date(2019, 5, 1, 14, 0, 0, 0, time.UTC) // midnight in Melbourne
	for _, i := range c.Items("pedestrians", from, from.Add(24*time.Hour)) {
		total += *i.Value
		hours++
	}
	if total != 765_930 || hours != 24 {
		t.Errorf("2 May 2019 has %v people in %d hours; want 765930 in 24", total, hours)
	}
}
