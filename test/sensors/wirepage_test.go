package sensors

import (
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestWirePage sends what docs/wire.md shows, as it stands there: a reading counts, a
// SenML pack is two readings, and a heartbeat makes a silent window withheld. TestBanner
// has the page's feedback.
func TestWirePage(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	files["policy/kinds.yaml"] = strings.Replace(files["policy/kinds.yaml"], "  wifi-counter:\n", "  wifi-counter:\n    heartbeat: PT5M\n", 1) + `  weather:
    fields:
      - {name: temperature, type: float, unit: Cel, class: measurement}
      - {name: humidity, type: float, class: measurement}
`
	files["policy/zones.geojson"] = `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"square","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]},"properties":{}},
{"type":"Feature","id":"market","geometry":{"type":"Polygon","coordinates":[[[1,0],[2,0],[2,1],[1,1],[1,0]]]},"properties":{}}]}`
	files["policy/decisions/devices.yaml"] = strings.Replace(files["policy/decisions/devices.yaml"], "zones: [square]",
		"zones: [square, market]", 1)
	files["policy/decisions/weather.yaml"] = `decision: "3"
title: {en: Weather}
stream: weather
purpose: test
applies_to: {kinds: [weather], zones: [square]}
unit: {none: "weather is about nobody"}
keep: [temperature, humidity]
publish: {every: PT1H, lateness: PT2M, measures: [{name: readings, of: count()}, {name: warm, of: mean(temperature)}]}
from: 2026-01-01
until: 2026-12-31
`
	files["register.yaml"] += `  - {id: weather-1, owner: acme, kind: weather, zone: square, registered: 2026-01-01}
  - {id: wifi-2, owner: acme, kind: wifi-counter, zone: market, registered: 2026-01-01}
`
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	c := harness.Found(t, files)
	c.Run()
	c.Serve()
	c.Connect()
	c.Tick(at)
	c.Send("wifi-1", fenced.Take(t, "docs/wire.md", `{"ts":"2026-11-23T10:00:00Z","seq":123`).Read())
	if n := c.Metric("sluice_readings_open"); n != 1 {
		t.Errorf("of the page's reading %v is in an open window", n)
	}
	c.Send("weather-1", fenced.Take(t, "docs/wire.md", `[{"bn":"urn:dev:mac`).Read())
	c.Link.Publish("city/v1/acme/wifi-1/hb",
		[]byte(fenced.Take(t, "docs/wire.md", `{"ts":"2026-11-23T10:00:00Z","every"`).Read()), false)
	c.Tick(at.Add(2 * time.Hour))
	c.Stored()
	list := c.Items("weather", at, at.Add(time.Hour))
	if n, warm := harness.Value(t, list, at, "readings"), harness.Value(t, list, at, "warm"); n != 2 || warm != 21.55 {
		t.Errorf("the pack is %v readings, %v degrees", n, warm)
	}
	status := map[string]string{}
	for _, i := range c.Items("devices", at, at.Add(time.Hour)) {
		status[i.Cell] = i.Status
	}
	if status["square"] != "withheld" || status["market"] != "no_data" {
		t.Errorf("with a heartbeat and without one: %v", status)
	}
}
