package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/samples"
)

// Lived is a city whose gateway has released four hours and has stopped.
func Lived(t *testing.T) (c *City, state string) {
	t.Helper()
	c = Found(t, Small())
	c.Begin()
	c.Hours(0, 4)
	c.BooksHold(8)
	if code := c.Gateway.Stop(20 * time.Second); code != 0 {
		t.Fatal(code)
	}
	return c, filepath.Join(c.Dir, "state")
}

// Checkout copies what docs/operations.md says to run in a checkout, with decisions
// that are in force on any day.
func Checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	Run(t, "sh", "-c", "cd ../.. && for f in *; do case $f in test|bin|city) ;; *) cp -r \"$f\" '"+dir+"';; esac; done")
	for _, p := range []string{"14-footfall", "15-boardings", "16-noise", "17-air"} {
		path := filepath.Join(dir, "configs/portalba/policy/decisions/2026-"+p+".yaml")
		text := Read(t, path)
		for key, day := range map[string]time.Time{"from": time.Now().AddDate(0, 0, -2),
			"until": time.Now().AddDate(0, 6, 0), "review": time.Now().AddDate(0, 3, 0)} {
			text = regexp.MustCompile(`(?m)^`+key+`: .*$`).ReplaceAllString(text, key+": "+day.Format(time.DateOnly))
		}
		Write(t, path, text)
	}
	return dir
}

// Everything is small and one sensor of each sort that goes wrong.
func Everything() map[string]string {
	files := Small()
	files["policy/kinds.yaml"] += `  tracker:
    units: [{field: tag, stands_for: device}]
    fields:
      - {name: tag, type: string, class: identifier}
      - {name: lat, type: float, class: location, valid: [-90, 90]}
      - {name: lon, type: float, class: location}
      - {name: plate, type: string, class: free-text, format: plate}
  road-counter:
    fields: [{name: vehicle, type: string, class: measurement}]
  idle:
    fields: [{name: x, type: int, class: measurement}]
`
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "epsilon_per_day: {device: 20}",
		"epsilon_per_day: {device: 40}", 1)
	files["policy/decisions/tracks.yaml"] = `decision: "5"
title: {en: Tracks}
stream: tracks
purpose: test
applies_to: {kinds: [tracker], zones: [square]}
unit: {field: tag, stands_for: device}
keep: [tag, lat, lon]
place: {lat: lat, lon: lon}
publish: {every: PT1H, lateness: PT2M, by: [zone], measures: [{name: tags, of: distinct(unit)}]}
protect: {min_units: 5, epsilon: 20, delta: 0.001, max_contributions: 1}
forget_after: P1D
from: 2026-01-01
until: 2026-12-31
`
	files["policy/decisions/traffic.yaml"] = `decision: "6"
title: {en: Traffic}
stream: traffic
purpose: test
applies_to: {kinds: [road-counter], zones: [square]}
unit: {none: "a loop in the road counts axles"}
keep: [vehicle]
publish: {every: PT1H, lateness: PT2M, by: [zone, {field: vehicle, values: [car, bike]}], measures: [{name: passages, of: count()}]}
from: 2026-01-01
until: 2026-12-31
`
	files["register.yaml"] += `  - {id: track-1, owner: acme, kind: tracker, zone: square, registered: 2026-01-01}
  - {id: road-1, owner: acme, kind: road-counter, zone: square, registered: 2026-01-01}
  - {id: idle-1, owner: acme, kind: idle, zone: square, registered: 2026-01-01}
  - {id: odd-1, owner: acme, kind: unheard-of, zone: square, registered: 2026-01-01}
`
	return files
}

// Behind is a small city behind a broker, with a cable between them.
func Behind(t *testing.T) (*City, *Mosquitto, *Cable) {
	t.Helper()
	broker := NewMosquitto(t, "")
	wire := NewCable(t, broker.Addr)
	c := Found(t, Small())
	c.Through(wire.Addr())
	c.Run()
	c.Serve()
	c.BrokerUp(true)
	c.Mqtt = broker.Addr // sensors have their own way
	c.Connect()
	c.Tick(Ten)
	return c, broker, wire
}

// OnSmallDisk is a small city whose state directory is a disk of 80 MB.
func OnSmallDisk(t *testing.T) (c *City, state string) {
	t.Helper()
	c = Found(t, Small())
	state = filepath.Join(c.Dir, "state")
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=80m,mode=0755"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { c.Gateway.Kill(); _ = syscall.Unmount(state, syscall.MNT_DETACH) })
	return c, state
}

// Fill writes a file until the disk is full.
func Fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 1; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// twoZones is the small town with a second zone; each zone is one gateway's. Decision 3 is
// about the second alone.
func twoZones() map[string]string {
	files := Small()
	zone := func(id, gateway string, x int) string {
		return fmt.Sprintf(
			`{"type":"Feature","id":%q,"geometry":{"type":"Polygon","coordinates":[[[%[2]d,0],[%[3]d,0],[%[3]d,1],[%[2]d,1],[%[2]d,0]]]},"properties":{"gateway":%[4]q}}`, id, x, x+1, gateway)
	}
	files["policy/zones.geojson"] = `{"type":"FeatureCollection","features":[` + zone("square", "edge-1", 0) + "," +
		zone("park", "edge-2", 2) + "]}"
	for _, name := range []string{"gates", "devices"} {
		path := "policy/decisions/" + name + ".yaml"
		files[path] = strings.Replace(files[path], "zones: [square]", "zones: [square, park]", 1)
	}
	files["policy/decisions/devices.yaml"] = strings.Replace(files["policy/decisions/devices.yaml"], "epsilon: 20",
		"epsilon: 10", 1)
	files["policy/decisions/paths.yaml"] = strings.NewReplacer(`"1"`, `"3"`, "stream: gates", "stream: paths",
		"[square]", "[park]", "Gates", "Paths").Replace(Small()["policy/decisions/gates.yaml"])
	files["register.yaml"] = `sensors:
  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}
  - {id: wifi-1, owner: acme, kind: wifi-counter, zone: square, registered: 2026-01-01}
  - {id: gate-2, owner: acme, kind: people-gate, zone: park, registered: 2026-01-01}
  - {id: wifi-2, owner: acme, kind: wifi-counter, zone: park, registered: 2026-01-01}
`
	return files
}

// Named is a gateway of the town, with a state directory of its own.
func Named(t *testing.T, name string) *City {
	t.Helper()
	c := Found(t, twoZones())
	path := filepath.Join(c.Dir, "gateway.yaml")
	Write(t, path, strings.Replace(Read(t, path), "gateway: test-1", "gateway: "+name, 1))
	return c
}

// HomesTown has meters in homes, each with a contact, a place and a topic of its own,
// beside a gate that is listed.
func HomesTown() map[string]string {
	files := Small()
	delete(files, "policy/decisions/devices.yaml")
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "{device: 20}",
		"{device: 20, home: 90}", 1)
	files["policy/kinds.yaml"] += `  home-meter:
    heartbeat: PT5M
    units: [{sensor: true, stands_for: home}]
    fields: [{name: power, type: float, unit: W, class: measurement}]
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
  measures: [{name: homes, of: distinct(unit)}]
protect: {min_units: 3, epsilon: 90, delta: 0.001, max_contributions: 1}
from: 2026-01-01
until: 2026-12-31
`
	register := "sensors:\n  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, " +
		"replaces: meter-zq0}\n"
	for i := range 5 {
		kind := "home-meter"
		if i == 4 {
			kind = "home-metre" // misspelt
		}
		register += fmt.Sprintf("  - {id: meter-zq%d, owner: acme, kind: %s, topic: flats/zq%[1]d/power, lat: "+
			"0.51234%[1]d, lon: 0.61234%[1]d, registered: 2026-01-01, contact: tenant-zq%[1]d@flats.example, "+
			"purpose: {en: The flat zq%[1]d}}\n", i, kind)
	}
	files["register.yaml"] = register
	return files
}

// marks are what is known of single homes.
var marks = []string{"zq", "flats", "0.51234", "0.61234", "home-metre"}

// Squares are zones in a row, far from each other.
func Squares(names []string) string {
	var features []string
	for i, name := range names {
		features = append(features, Square(name, float64(2*i), 0, 1))
	}
	return Collection(features)
}

// Square is a zone of GeoJSON with a corner at x and y.
func Square(name string, x, y, side float64) string {
	return fmt.Sprintf(
		`{"type":"Feature","id":%q,"properties":{},"geometry":{"type":"Polygon","coordinates":[[[%[2]g,%[3]g],[%[4]g,%[3]g],[%[4]g,%[5]g],[%[2]g,%[5]g],[%[2]g,%[3]g]]]}}`,
		name, x, y, x+side, y+side)
}

// Collection is a FeatureCollection of GeoJSON.
func Collection(features []string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",\n") + "]}"
}

// Small is a city with a counter about nobody and one that sees devices.
func Small() map[string]string {
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

// Ten is the hour that the stories play in.
var Ten = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// Gate is a reading of a gate: how many passed at an instant.
func Gate(seq int, at time.Time, passed int) string {
	return fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"passed":%d}}`, at.Format(time.RFC3339Nano), seq, passed)
}

// Voted is the small city with a gateway that takes signed policies only, in
// wall time.
func Voted(t *testing.T, notice int) (*City, *Assembly, string) {
	t.Helper()
	desk := map[string]string{}
	files := Small()
	for name, text := range files {
		if rest, ok := strings.CutPrefix(name, "policy/"); ok && rest != "council.yaml" {
			if strings.HasPrefix(rest, "decisions/") {
				text = Today(text)
			}
			desk[rest] = text
			delete(files, name)
		}
	}
	desk["charter.yaml"] = regexp.MustCompile(`(?m)^notice_days:.*\n`).ReplaceAllString(desk["charter.yaml"], "")
	desk["charter.yaml"] = regexp.MustCompile(`(?m)^quorums:.*\n`).ReplaceAllString(desk["charter.yaml"], "") +
		fmt.Sprintf("notice_days: %d\nquorums: {enact: 4, weaken: 5, charter: 5, roster: 5, suspend: 2}\n", notice)
	a := Assemble(t, desk)
	c := Found(t, files)
	inbox := filepath.Join(c.Dir, "inbox")
	if err := os.MkdirAll(inbox, 0o755); err != nil {
		t.Fatal(err)
	}
	pin := regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(a.Must(Sluice, "motion", "show"))
	config := filepath.Join(c.Dir, "gateway.yaml")
	text := strings.Replace(Read(t, config), "time: {topic: city/v1/clock}", "time: wall", 1)
	text = regexp.MustCompile(`(?m)^simulation: true\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^policy:.*\n`).ReplaceAllString(text, "")
	Write(t, config, text+fmt.Sprintf("policy: {inbox: inbox, every: PT1S, roster: %q}\nallow_swap: true\n", pin))
	return c, a, inbox
}
