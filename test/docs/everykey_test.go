package docs

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// keyCharter has a value of its own for each key that bounds decisions.
const keyCharter = `city: {id: keytown, name: "Town of Keys", timezone: Pacific/Auckland, languages: [en, ca, es]}
purposes: [test, quiet]
forbidden_classes: [credential, quasi-identifier]
kinds_about_people: [wifi-counter, turnstile]
kinds_not_about_people: [plate-free]
min_units: 7
floors: [exact]
epsilon_per_day: {device: 2, vehicle: 1}
delta_per_day: 1e-5
max_contributions: 2
sunset_max: P100D
blackout_max: P2D
quorums: {enact: 4, weaken: 5, charter: 5, roster: 5, suspend: 2}
`

const keyKinds = `kinds:
  people-gate:
    fields:
      - {name: passed, type: int, class: measurement}
      - {name: speed, type: float, unit: km/h, class: measurement}
      - {name: age, type: float, class: measurement}
  turnstile:
    fields: [{name: passed, type: int, class: measurement}]
  plate-free:
    units: [{field: plate, stands_for: vehicle}]
    fields: [{name: plate, type: string, class: identifier, format: plate}]
  wifi-counter:
    units: [{field: device, stands_for: device}]
    fields:
      - {name: device, type: string, class: identifier}
      - {name: band, type: int, class: quasi-identifier}
`

// keyDecision is within that charter; each case breaks one thing of it.
const keyDecision = `decision: "ID"
title: {en: Devices}
stream: ID
purpose: test
applies_to: {kinds: [wifi-counter], zones: [square]}
unit: {field: device, stands_for: device}
keep: [device]
publish: {every: PT1H, lateness: PT2M, by: [zone], measures: [{name: devices, of: distinct(unit)}]}
protect: {min_units: 7, epsilon: 0.1, delta: 1e-8, max_contributions: 2}
from: 2026-03-01
until: 2026-05-01
`

// keyBreaks are edits of keyDecision that one key of the charter refuses.
var keyBreaks = []struct{ rule, old, now string }{
	{"", "", ""},
	{"S01", "", ""}, // suspended.yaml
	{"C01", "purpose: test", "purpose: curiosity"},
	{"C04", "kinds: [wifi-counter]", "kinds: [turnstile]"}, // and the unit, below
	{"C05", "min_units: 7", "min_units: 6"},
	{"C06", "epsilon: 0.1, delta: 1e-8", "epsilon: 1.5, delta: 1e-4"}, // and C07; of a vehicle, below
	{"C08", "max_contributions: 2", "max_contributions: 3"},
	{"C09", "until: 2026-05-01", "until: 2026-07-01"},
	{"C10", "keep: [device]", "keep: [device, band]"},
	{"C12", "until: 2026-05-01\n", "until: 2026-05-01\nblackouts: [{zones: [square], from: 2026-03-05T00:00:00Z, " +
		"until: 2026-03-08T00:00:00Z, reason: \"a fair\"}]\n"},
	{"C15", "protect: {", "protect: {floor: noisy, "},
}

// keyGates is about nobody and has the keys that no other story sets.
const keyGates = `decision: "gates"
title: {en: Gates, ca: Portes, es: Puertas}
stream: gates
purpose: quiet
legal_basis: "by-law 77"
applies_to: {kinds: [people-gate], zones: [square, harbour]}
unit: {none: "a turnstile counts turns"}
keep: [passed, speed, age]
generalise: [{field: age, to: [0, 18, 65]}]
publish:
  every: PT1H
  lateness: PT2M
  measures:
    - {name: passed, of: sum(passed)}
    - {name: speeds, of: histogram(speed), edges: [0, 30, 50]}
    - {name: speed, of: mean(speed)}
    - {name: age, of: mean(age)}
retain: P7Y
from: 2026-03-01
until: 2026-05-01
review: 2026-04-02
blackouts: [{zones: [square], from: 2026-03-02T12:00:00Z, until: 2026-03-02T13:00:00Z, reason: "the fair of March"}]
`

const keyZones = `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"square","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]},"properties":{"name":"Old Square"}},
{"type":"Feature","id":"harbour","geometry":{"type":"Polygon","coordinates":[[[1,0],[2,0],[2,1],[1,1],[1,0]]]},"properties":{"gateway":"other-1"}}]}`

const keyRegister = `sensors:
  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, contact: gates@key.example, purpose: {en: "How many pass", ca: "Quants passen", es: "Cuántos pasan"}}
  - {id: gate-2, owner: acme, kind: people-gate, zone: harbour, registered: 2026-01-01}
  - {id: free-1, owner: acme, kind: plate-free, zone: square, registered: 2026-01-01}
`

// TestEveryKey sets each key that no other story sets to a value that is not its
// default, in one running city, and sees what it does.
func TestEveryKey(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"policy/charter.yaml": keyCharter, "policy/kinds.yaml": keyKinds, "policy/zones.geojson": keyZones,
		"policy/decisions/gates.yaml": keyGates, "register.yaml": keyRegister,
		"policy/suspended.yaml": "suspended: [{decision: xs01, since: 2026-02-03, reason: \"the fair has moved\"}]\n",
		"policy/decisions/free.yaml": strings.NewReplacer("ID", "free", "wifi-counter", "plate-free",
			"{field: device, stands_for: device}", `{none: "no plate is kept"}`,
			"keep: [device]", "keep: []", "{name: devices, of: distinct(unit)}",
			"{name: cars, of: count()}").Replace(keyDecision),
	}
	for _, b := range keyBreaks {
		id := "x" + strings.ToLower(b.rule)
		text := strings.Replace(keyDecision, b.old, b.now, 1)
		if b.rule == "C04" {
			text = strings.NewReplacer("{field: device, stands_for: device}", `{none: "it counts nobody"}`,
				"keep: [device]", "keep: [passed]", "distinct(unit)", "count()").Replace(text)
		}
		if b.rule == "C06" {
			text = strings.NewReplacer("wifi-counter", "plate-free", "field: device, stands_for: device",
				"field: plate, stands_for: vehicle", "keep: [device]", "keep: [plate]").Replace(text)
		}
		files["policy/decisions/"+id+".yaml"] = strings.ReplaceAll(text, "ID", id)
	}
	c := harness.Found(t, files)
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path, harness.Read(t, path)+"log: {level: debug}\n")
	path = filepath.Join(c.Dir, "opendata.yaml")
	admin, web := harness.FreeAddr(t), harness.FreeAddr(t)
	harness.Write(t, path, strings.Replace(harness.Read(t, path), "http: 127.0.0.1:0", "http: "+web, 1)+"admin: "+admin+
		"\nurl: https://data.key.example\nrate: {per_second: 1000}\nconnections: {per_address: 2}\nlog: {level: "+
		"error}\n")
	c.Run()
	p := harness.Start(t, harness.Sluice, "opendata", "-c", path)
	harness.Await(t, 20*time.Second, "health on the address of its own", func() bool {
		resp, err := http.Get("http://" + admin + "/healthz")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
	c.Opendata = "http://" + web
	c.Connect()
	c.Tick(harness.Ten)
	for seq, v := range []string{`"passed":2,"speed":20,"age":17.9`, `"passed":3,"speed":45,"age":64`,
		`"passed":4,"speed":90,"age":90`} {
		c.Send("gate-1", fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{%s}}`, harness.Ten.Format(time.RFC3339), seq, v))
	}
	c.Send("free-1", fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"plate":"1234 BCD"}}`, harness.Ten.Format(time.RFC3339)))
	// another gateway's
	c.Send("gate-2", fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"passed":1000}}`, harness.Ten.Format(time.RFC3339)))
	c.Tick(harness.Ten.Add(4 * time.Hour))
	c.Stored()
	keyNumbers(c)
	if n := c.Metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings of another gateway's zone were refused; want one", n)
	}
	keyRefusals(c)
	keyPages(c)
	keyCrowd(t, web)
	if text := c.Gateway.Err.String(); !strings.Contains(text, "level=DEBUG") {
		t.Errorf("with level debug the log has no such line\n%s", harness.Tail(text))
	}
	if text := p.Err.String(); strings.Contains(text, "level=INFO") {
		t.Errorf("with level error the log says\n%s", text)
	}
}

// keyNumbers looks at what was measured.
func keyNumbers(c *harness.City) {
	t := c.T
	t.Helper()
	list := c.Items("gates", harness.Ten, harness.Ten.Add(time.Hour))
	for measure, want := range map[string]float64{"passed": 9, "speeds_0_30": 1, "speeds_30_50": 2,
		"age": (0. + 18 + 65) / 3} {
		if got := harness.Value(t, list, harness.Ten, measure); got-want > 1e-6 || want-got > 1e-6 {
			t.Errorf("%s is %v; want %v", measure, got, want)
		}
	}
	if got := c.FirstHour("free", "cars"); got != 1 {
		t.Errorf("%v cars; want one", got)
	}
	noon := harness.Ten.Add(2 * time.Hour)
	for _, i := range c.Some("gates", noon, noon.Add(time.Hour)) {
		if i.Status != "withheld" || !strings.Contains(i.Reason, "fair of March") {
			t.Errorf("in the blackout %s is %s, for %q", i.Measure, i.Status, i.Reason)
		}
	}
	_, _, csv := harness.Get(t, c.Opendata+"/api/v1/streams/gates/observations?format=csv&limit=1000")
	if !bytes.Contains(csv, []byte("2026-03-02T23:00:00+13:00")) || !bytes.Contains(csv, []byte(",km/h,")) {
		t.Errorf("ten is not 23 h of Auckland, or a speed is not in km/h, in\n%s", csv)
	}
}

// keyRefusals: each key of the charter keeps the one decision from running that is
// below it, and no other.
func keyRefusals(c *harness.City) {
	t := c.T
	t.Helper()
	for _, b := range keyBreaks {
		id := "x" + strings.ToLower(b.rule)
		var answer struct {
			Decisions []struct{ Problems []string }
		}
		harness.GetJSON(t, c.Opendata+"/api/v1/decisions/"+id, &answer)
		if len(answer.Decisions) != 1 {
			t.Fatalf("decision %s is there %d times", id, len(answer.Decisions))
		}
		if b.rule == "S01" {
			harness.Want(t, strings.Join(answer.Decisions[0].Problems, " "), "since 2026-02-03: the fair has moved")
		}
		var rules []string
		for _, p := range answer.Decisions[0].Problems {
			rule, _, _ := strings.Cut(p, ":")
			rules = append(rules, rule)
		}
		want := b.rule
		if want == "C06" {
			want = "C06 C07"
		}
		slices.Sort(rules)
		if got := strings.Join(rules, " "); got != want {
			t.Errorf("decision %s breaks %q; want %q", id, got, want)
		}
	}
}

// keyPages looks at what residents read.
func keyPages(c *harness.City) {
	t := c.T
	t.Helper()
	for path, words := range map[string][]string{
		"/decisions/gates":         {"by-law 77", "7 years", "2 April 2026", "Gates"},
		"/decisions/gates?lang=ca": {"Portes", "7 anys"},
		"/decisions/gates?lang=es": {"Puertas", "7 años"},
		"/sensors/gate-1":          {"How many pass", "gates@key.example", "Old Square"},
		"/sensors/gate-1?lang=ca":  {"Quants passen"},
		"/sensors/gate-1?lang=es":  {"Cuántos pasan"},
		"/":                        {"Town of Keys"},
		"/catalog.jsonld":          {"https://data.key.example/"},
	} {
		status, header, page := harness.Get(t, c.Opendata+path)
		for _, w := range words {
			if !strings.Contains(string(page), w) {
				t.Errorf("%s (%d) does not say %q", path, status, w)
			}
		}
		if policy := header.Get("RateLimit-Policy"); policy != `"client";q=5000;w=5` {
			t.Errorf("%s: the rate is said as %q", path, policy)
		}
	}
}

// keyCrowd: of one address there are two connections at most.
func keyCrowd(t *testing.T, addr string) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	ended := make(chan bool, 3)
	for range 3 {
		conn, err := dialer.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() {
			_ = conn.SetReadDeadline(time.Now().Add(4 * time.Second))
			_, err := conn.Read(make([]byte, 1))
			ended <- err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
		}()
	}
	if n := 0; true {
		for range 3 {
			if <-ended {
				n++
			}
		}
		if n != 1 {
			t.Errorf("of three connections of one address %d were ended; want one", n)
		}
	}
}
