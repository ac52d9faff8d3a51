package privacy

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// floorTown has a street with a noisy floor and one with an exact one, and meters in
// homes that everybody may know of: three in one zone, two in another.
func floorTown() map[string]string {
	files := harness.Small()
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "{device: 20}",
		"{device: 40, home: 90}", 1) +
		"quorums: {enact: 2, weaken: 2, charter: 2, roster: 2, suspend: 1}\nfloors: [exact, noisy]\n"
	files["policy/zones.geojson"] = strings.Replace(files["policy/zones.geojson"], `"properties":{}}]}`, `"properties":{}},
{"type":"Feature","id":"lane","geometry":{"type":"Polygon","coordinates":[[[2,0],[3,0],[3,1],[2,1],[2,0]]]},"properties":{}}]}`, 1)
	exact := strings.Replace(files["policy/decisions/devices.yaml"], "min_units: 5", "min_units: 3", 1)
	files["policy/decisions/devices.yaml"] = exact
	files["policy/decisions/noisy.yaml"] = strings.NewReplacer(`decision: "2"`, `decision: "3"`, "stream: devices",
		"stream: noisy", "min_units: 3", "floor: noisy, min_units: 3").Replace(exact)
	files["policy/kinds.yaml"] += `  home-meter:
    units: [{sensor: true, stands_for: home}]
    fields: [{name: energy, type: float, unit: kWh, class: measurement}]
`
	files["policy/decisions/energy.yaml"] = `decision: "4"
title: {en: Energy}
stream: energy
purpose: test
applies_to: {kinds: [home-meter], zones: [square, lane]}
unit: {sensor: home}
keep: [energy]
publish:
  every: PT1H
  lateness: PT2M
  measures: [{name: energy, of: sum(energy), between: [0, 10]}]
protect: {min_units: 3, epsilon: 90, delta: 0.001, max_contributions: 1, membership: public}
from: 2026-01-01
until: 2026-12-31
`
	for i := range 5 {
		zone := "square"
		if i > 2 {
			zone = "lane"
		}
		files["register.yaml"] += fmt.Sprintf(
			"  - {id: meter-%d, owner: acme, kind: home-meter, zone: %s, registered: 2026-01-01}\n", i, zone)
	}
	return files
}

// TestFloorsAndMembership is both over the real gateway. Noise of scale 0.05 and 0.12 is
// further than a half, or two, from nothing with a probability below 1e-4 and 1e-7.
func TestFloorsAndMembership(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, floorTown())
	c.Begin()
	c.Tick(harness.Ten.Add(time.Minute))
	for i := range 3 {
		c.Send("wifi-1",
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:20:00:%02x","rssi":-50}}`,
				harness.Ten.Format(time.RFC3339), i, i))
	}
	// In the first hour one home sends, in the second none.
	c.Send("meter-1", fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"energy":7}}`, harness.Ten.Format(time.RFC3339)))
	c.Tick(harness.Ten.Add(3 * time.Hour))
	c.Stored()
	noisy, exact := c.Items("noisy", harness.Ten, harness.Ten.Add(2*time.Hour)),
		c.Items("devices", harness.Ten, harness.Ten.Add(2*time.Hour))
	if o := noisy[0]; o.Status != "published" || *o.Value != 3 || o.Threshold != 3 {
		t.Errorf("three devices and a noisy floor of three: %+v", o)
	}
	if o := exact[0]; o.Status != "withheld" || o.Threshold <= 3 {
		t.Errorf("three devices and an exact floor of three: %+v", o)
	}
	if noisy[1].Status != "withheld" || exact[1].Status != "withheld" {
		t.Errorf("nobody: %+v, %+v", noisy[1], exact[1])
	}
	for _, o := range c.Some("energy", harness.Ten, harness.Ten.Add(2*time.Hour)) {
		want := 0.0
		if o.Start.Equal(harness.Ten) {
			want = 7
		}
		switch {
		case o.Cell == "lane" && (o.Status != "withheld" || o.Reason != "few"):
			t.Errorf("a zone with two homes: %+v", o)
		case o.Cell == "square" &&
			(o.Status != "published" || math.Abs(*o.Value-want) > 2 || *o.Low > *o.Value || *o.Value > *o.High ||
				*o.High-*o.Low > 4 || o.Threshold != 0 || o.Epsilon != 90):
			t.Errorf("a zone with three homes: %+v; want %v, at most two off, and its interval", o, want)
		}
	}
	for path, want := range map[string]string{
		"/streams/noisy?lang=en":  "may stand for fewer devices",
		"/streams/noisy?lang=ca":  "pot representar menys dispositius",
		"/streams/energy?lang=es": "hogares participan no es ningún secreto",
		"/decisions/3?lang=en":    "it may stand for fewer than that",
		"/decisions/4?lang=en":    "is no secret and is not protected",
		"/api/v1/streams":         `"membership":"public"`,
	} {
		if _, _, body := harness.Get(t, c.Opendata+path); !strings.Contains(string(body), want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	if out, err := exec.Command(harness.Sluice, "verify", c.Opendata).CombinedOutput(); err != nil {
		t.Errorf("sluice verify: %v\n%s", err, out)
	}
	if out, err := exec.Command("python3", "../../docs/verify.py", c.Opendata).CombinedOutput(); err != nil {
		t.Errorf("docs/verify.py: %v\n%s", err, out)
	}
	refusesFloors(c)
}

// refusesFloors takes the charter's floors away: the decision runs no more, and check and
// page say why; and a document that asks for public membership of devices is none.
func refusesFloors(c *harness.City) {
	t := c.T
	t.Helper()
	charter, devices := filepath.Join(c.Dir, "policy/charter.yaml"),
		filepath.Join(c.Dir, "policy/decisions/devices.yaml")
	harness.Write(t, charter, strings.Replace(harness.Read(t, charter), "floors: [exact, noisy]\n", "", 1))
	harness.Await(t, time.Minute, "the decision to end", func() bool {
		return strings.Contains(c.Gateway.Err.String(), "C15")
	})
	if out, err := exec.Command(harness.Sluice, "policy", "check",
		filepath.Join(c.Dir, "policy")).CombinedOutput(); err == nil || !strings.Contains(string(out), "C15") {
		t.Errorf("policy check: %v\n%s", err, out)
	}
	harness.Write(t, devices,
		strings.Replace(harness.Read(t, devices), "min_units: 3", "membership: public, min_units: 3", 1))
	harness.Await(t, time.Minute, "the policy to be refused", func() bool {
		return strings.Contains(c.Gateway.Err.String(), "membership is public of homes only")
	})
}
