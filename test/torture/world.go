package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/test/ports"
	"sluice/test/samples"
)

// world is a gateway with open data beside it over one state directory, the
// sensors that publish to it, and the oracle that knows what is true.
type world struct {
	h    *harness
	rnd  *rand.Rand
	dir  string
	keys string
	mqtt string // where sensors publish
	own  string // where the gateway listens; empty behind a broker
	seen string // file of the points that were reached

	gateway  *process
	opendata *process
	admin    string
	pages    string
	client   *client
	patience time.Duration // for whatever a gateway that works does in one
	backup   snapshot
	homes    bool     // the units are sensors, one for each home
	council  *council // nil where policies are not signed
	strict   bool     // nothing may be missing, not even with a gap

	oracle
}

// base is the hour that worlds begin in; it is the past, so that nothing here
// depends on today.
var base = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

const clockTopic = "city/v1/clock"

var cityFiles = map[string]string{
	"policy/charter.yaml": strings.Replace(samples.Charter, "{device: 20}", "{device: 400}", 1), // four epochs a day
	"policy/kinds.yaml": `kinds:
  people-gate:
    fields: [{name: passed, type: int, class: measurement}]
  heat-meter:
    units: [{field: meter, stands_for: home}]
    fields: [{name: meter, type: string, class: identifier}]
  wifi-counter:
    units: [{field: device, stands_for: device}]
    fields:
      - {name: device, type: string, class: identifier}
      - {name: note, type: string, class: free-text}
`,
	"policy/zones.geojson": `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"park","properties":{},
"geometry":{"type":"Polygon","coordinates":[[[2,0],[3,0],[3,1],[2,1],[2,0]]]}},
{"type":"Feature","id":"square","properties":{},
"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}},
{"type":"Feature","id":"yard","properties":{},
"geometry":{"type":"Polygon","coordinates":[[[4,0],[5,0],[5,1],[4,1],[4,0]]]}}]}`,
	"policy/decisions/gates.yaml": `decision: "1"
title: {en: Gates}
stream: gates
purpose: test
applies_to: {kinds: [people-gate], zones: [square, park, yard]}
unit: {none: "a turnstile counts turns"}
keep: [passed]
publish:
  every: PT1H
  lateness: PT2M
  by: [zone]
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
keep: [device]
publish:
  every: PT1H
  lateness: PT2M
  by: [zone]
  measures:
    - {name: devices, of: distinct(unit)}
protect: {min_units: 5, epsilon: 100, delta: 0.001, max_contributions: 1}
forget_after: PT6H
from: 2026-01-01
until: 2026-12-31
review: 2026-06-01
legal_basis: by-law 1
`,
	"register.yaml": `sensors:
  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}
  - {id: gate-2, owner: acme, kind: people-gate, zone: park, registered: 2026-01-01}
  - {id: rogue-1, owner: acme, kind: people-gate, zone: yard, registered: 2026-01-01}
  - {id: heat-1, owner: acme, kind: heat-meter, zone: yard, registered: 2026-01-01}
  - {id: wifi-1, owner: acme, kind: wifi-counter, zone: square, registered: 2026-01-01}
`,
}

// found makes a world. Settings replace lines of gateway.yaml by their key.
func found(h *harness, seed uint64, broker, store string) (*world, error) {
	dir, err := os.MkdirTemp("", "sluice-torture-")
	if err != nil {
		return nil, err
	}
	keys, err := os.MkdirTemp("/dev/shm", "sluice-torture-")
	if err != nil {
		return nil, err
	}
	w := &world{h: h, rnd: rand.New(rand.NewPCG(seed, 0)), dir: dir, keys: keys, seen: filepath.Join(dir, "seen"),
		strict: true, patience: 90 * time.Second, oracle: newOracle()}
	way := ""
	if broker != "" {
		w.mqtt, way = broker, fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}", broker)
	} else {
		w.own = freeAddr()
		w.mqtt, way = w.own, fmt.Sprintf("listen: {mqtt: %q}", w.own)
	}
	gw, od := "", "store: {sqlite: {path: state/store.db}}\n"
	if store != "" {
		od = fmt.Sprintf("store: {influx: {url: %q, org: city, bucket: city/autogen}}\n", store)
		gw = od
	}
	files := map[string]string{
		"gateway.yaml": fmt.Sprintf("gateway: test-1\ndir: state\nkeys: %q\nsimulation: true\ntime: {topic: "+
			"%s}\nregister: register.yaml\npolicy: {dir: policy}\n%s\nadmin: 127.0.0.1:0\n%s",
			w.keys, clockTopic, way, gw),
		"opendata.yaml": "http: 127.0.0.1:0\nbooks: state/public\n" + od,
	}
	council, err := os.ReadFile(filepath.Join(h.root, "configs/portalba/policy/council.yaml"))
	if err != nil {
		return nil, err
	}
	files["policy/council.yaml"] = string(council)
	for name, text := range cityFiles {
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// settings adds lines to gateway.yaml.
func (w *world) settings(lines string) error {
	path := filepath.Join(w.dir, "gateway.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, lines...), 0o644)
}

func freeAddr() string {
	addr, err := ports.Addr()
	if err != nil {
		panic(err)
	}
	return addr
}

// end stops everything and removes the world.
func (w *world) end() {
	for _, p := range []*process{w.gateway, w.opendata} {
		if p != nil {
			p.kill()
		}
	}
	if w.client != nil {
		w.client.close()
	}
	_ = os.RemoveAll(w.dir)
	_ = os.RemoveAll(w.keys)
}

// kill ends the gateway as a power cut would; it may be over already.
func (w *world) kill() {
	if !w.gateway.ended() {
		w.h.kills.Add(1)
	}
	w.gateway.kill()
}

func (w *world) state() string { return filepath.Join(w.dir, "state") }

// spawn starts the gateway, with faults, and does not wait.
func (w *world) spawn(faults ...string) error {
	env := []string{"SLUICE_TORTURE_SEEN=" + w.seen, "SLUICE_TORTURE_FAULTS=" + strings.Join(faults, ";")}
	p, err := launch(env, w.h.bin, "gateway", "-c", filepath.Join(w.dir, "gateway.yaml"))
	w.gateway, w.admin = p, ""
	return err
}

// up waits until the gateway runs; false when it has ended instead. Slow says
// that it did neither.
func (w *world) up(most time.Duration) (ok, slow bool) {
	if admin := w.gateway.find(`the gateway runs.*admin=(\S+)`, most); admin != "" {
		w.admin = "http://" + admin
		return true, false
	}
	return false, !w.gateway.ended()
}

// serve starts the open data, or starts it anew.
func (w *world) serve() error {
	if w.opendata != nil {
		w.opendata.kill()
	}
	p, err := launch(nil, w.h.bin, "opendata", "-c", filepath.Join(w.dir, "opendata.yaml"))
	if err != nil {
		return err
	}
	w.opendata = p
	if w.pages = p.find(`http=(http://\S+)`, 30*time.Second); w.pages == "" {
		return errors.New("the open data does not start: " + p.last(3))
	}
	return nil
}

// errEnded says that the gateway ended when it should not have.
var errEnded = errors.New("the gateway ended")

// keepUp starts the gateway again when it is not there any more, looks at how it
// ended, and says whether it is there now.
func (w *world) keepUp(allowed func(code int) bool) error {
	if !w.gateway.ended() {
		if w.admin == "" {
			if ok, slow := w.up(5 * time.Second); !ok && slow {
				return nil
			}
		}
		return nil
	}
	w.watch()
	if code := w.gateway.exit(); code != -1 && !allowed(code) {
		return fmt.Errorf("%w with %d: %s", errEnded, code, w.gateway.last(3))
	}
	if err := w.spawn(); err != nil {
		return err
	}
	w.up(30 * time.Second)
	return nil
}

// watch looks for what logs must not hold.
func (w *world) watch() {
	if strings.Contains(w.gateway.said(), canary) {
		w.wrong("the log holds a value of a reading")
	}
}

// until drives the world: it waits for ok and starts the gateway again whenever
// a fault has ended it.
func (w *world) until(most time.Duration, what string, ok func() bool) error {
	refusals := 0
	for deadline := time.Now().Add(most); !ok(); time.Sleep(5 * time.Millisecond) {
		if err := w.keepUp(func(code int) bool {
			refusals++
			return code == 3 && refusals < 4 || code == 0
		}); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s for %s; the gateway said: %s", most, what, w.gateway.last(2))
		}
	}
	return nil
}
