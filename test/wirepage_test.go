package test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"sluice/firmware-sim/device"
	"sluice/test/fenced"
)

// TestWirePage sends what docs/wire.md shows, as it stands there: a reading counts, a
// SenML pack is two readings, and a heartbeat makes a silent window withheld. TestBanner
// has the page's feedback.
func TestWirePage(t *testing.T) {
	t.Parallel()
	files := small()
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
	c := found(t, files)
	c.run()
	c.serve()
	c.connect()
	c.tick(at)
	c.send("wifi-1", fenced.Take(t, "docs/wire.md", `{"ts":"2026-11-23T10:00:00Z","seq":123`).Read())
	if n := c.metric("sluice_readings_open"); n != 1 {
		t.Errorf("of the page's reading %v is in an open window", n)
	}
	c.send("weather-1", fenced.Take(t, "docs/wire.md", `[{"bn":"urn:dev:mac`).Read())
	c.link.Publish("city/v1/acme/wifi-1/hb",
		[]byte(fenced.Take(t, "docs/wire.md", `{"ts":"2026-11-23T10:00:00Z","every"`).Read()), false)
	c.tick(at.Add(2 * time.Hour))
	c.stored()
	list := c.items("weather", at, at.Add(time.Hour))
	if n, warm := value(t, list, at, "readings"), value(t, list, at, "warm"); n != 2 || warm != 21.55 {
		t.Errorf("the pack is %v readings, %v degrees", n, warm)
	}
	status := map[string]string{}
	for _, i := range c.items("devices", at, at.Add(time.Hour)) {
		status[i.Cell] = i.Status
	}
	if status["square"] != "withheld" || status["market"] != "no_data" {
		t.Errorf("with a heartbeat and without one: %v", status)
	}
}

// feedbackShown makes ten mistakes at the demo's spare sensor: what it hears is what
// docs/wire.md shows, to the letter.
func feedbackShown(t *testing.T, addr string) {
	t.Helper()
	shown := fenced.Take(t, "docs/wire.md", `{"since":"…"`).Read()
	heard := listen(t, addr, "city/v1/demo/yours-counter/feedback")
	link, err := device.Connect("tcp://"+addr, "yours")
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	var list []string
	for seq := range 10 {
		list = append(list, fmt.Sprintf(`{"seq":%d,"fields":{"device":"02:00:5e:00:00:01","rssi":"loud"}}`, 4711+seq))
	}
	link.Publish("city/v1/demo/yours-counter/up", []byte("["+strings.Join(list, ",")+"]"), false)
	await(t, 30*time.Second, "feedback", func() bool { return heard.String() != "" })
	if masked := regexp.MustCompile(`"(since|until)":"[^"]+"`).ReplaceAllString(heard.String(), `"$1":"…"`); masked != shown {
		t.Errorf("what is heard is\n%s, what is shown\n%s", masked, shown)
	}
}

// listen collects what is published on a topic, a message a line.
func listen(t *testing.T, addr, topic string) *output {
	t.Helper()
	heard := &output{}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("listens"))
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	c.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { _, _ = heard.Write(append(m.Payload(), '\n')) }).Wait()
	return heard
}
