package compile

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/rego"
	"sluice/register"
)

// large is a city of 200 decisions about 50 kinds of sensor in 20 zones.
func large() (bundle.Files, []register.Sensor) {
	files := portalba.Policy()
	for name := range files {
		if strings.HasPrefix(name, "decisions/") {
			delete(files, name)
		}
	}
	var kinds, zones strings.Builder
	kinds.WriteString("kinds:\n")
	var sensors []register.Sensor
	for k := range 50 {
		fmt.Fprintf(&kinds, "  kind-%d:\n    heartbeat: PT5M\n    units: [{field: device, stands_for: device}]\n    "+
			"fields:\n      - {name: device, type: string, class: identifier}\n      - {name: level, type: float, "+
			"class: measurement}\n", k)
		sensors = append(sensors,
			register.Sensor{ID: fmt.Sprint("s", k), Owner: "o", Kind: fmt.Sprint("kind-", k),
				Zone: fmt.Sprint("zone-", k%20)})
	}
	zones.WriteString(`{"type": "FeatureCollection", "features": [`)
	for z := range 20 {
		comma := ""
		if z > 0 {
			comma = ","
		}
		fmt.Fprintf(&zones, `%s{"type": "Feature", "id": "zone-%d", "properties": {}, "geometry": `+
			`{"type": "Polygon", "coordinates": [[[%d,0],[%d,0],[%d,1],[%d,1],[%d,0]]]}}`, comma, z, z, z+1, z+1, z, z)
	}
	zones.WriteString("]}")
	for d := range 200 {
		files[fmt.Sprintf("decisions/d%03d.yaml", d)] = fmt.Appendf(nil, `decision: "d%03d"
title: {en: "Decision %d"}
stream: s%03d
purpose: environment
applies_to: {kinds: [kind-%d], zones: [zone-%d, zone-%d]}
unit: {field: device, stands_for: device}
keep: [device, level]
place: sensor
publish: {every: PT1H, lateness: PT2M, by: [zone],
  measures: [{name: devices, of: "distinct(unit)"}, {name: level, of: "mean(level)", between: [0, 100]}]}
protect: {min_units: 10, epsilon: 0.005, delta: 1e-9, max_contributions: 2}
forget_after: P1D
from: 2026-06-01
until: 2027-05-31
`, d, d, d, d%50, d%50%20, (d+7)%20)
	}
	files["kinds.yaml"], files["zones.geojson"] = []byte(kinds.String()), []byte(zones.String())
	files["charter.yaml"] = []byte(strings.Replace(string(files["charter.yaml"]),
		"kinds_about_people: [wifi-counter, card-reader]", "kinds_about_people: []", 1))
	return files, sensors
}

// BenchmarkCompile is what a gateway does with a new policy: read, compile, ask
// for every sort of sensor. Target: about 5 s on one core.
func BenchmarkCompile(b *testing.B) {
	files, sensors := large()
	for b.Loop() {
		set, err := Files(context.Background(), rego.InProcess(), files)
		if err != nil {
			b.Fatal(err)
		}
		plans := 0
		for i := range sensors {
			p, why, err := set.Plans(context.Background(), &sensors[i])
			if err != nil {
				b.Fatal(err)
			}
			if plans += len(p); len(why) > 0 {
				b.Fatal(why[0])
			}
		}
		b.ReportMetric(float64(plans), "plans")
	}
}
