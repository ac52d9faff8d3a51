package register

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// example is the register of the example city.
func example(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile("../configs/portalba/register.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestExampleRegister(t *testing.T) {
	r, err := Parse("register.yaml", example(t))
	if err != nil || len(r.Sensors) != 13 {
		t.Fatalf("%d sensors (%v); want 13", len(r.Sensors), err)
	}
	if topic := r.Sensors[0].UpTopic(); topic != "city/v1/acme/rambla-1/up" {
		t.Errorf("the first publishes to %s", topic)
	}
	for _, s := range r.Sensors {
		for _, language := range []string{"ca", "en", "es"} {
			if s.Purpose[language] == "" {
				t.Errorf("%s does not say in %s what it is for", s.ID, language)
			}
		}
	}
}

func TestRefusedRegister(t *testing.T) {
	const good = "id: a, owner: o, kind: k, zone: z, registered: 2026-01-01"
	for entry, want := range map[string]string{
		"id: a/b, owner: o, kind: k, zone: z, registered: 2026-01-01": "id and owner",
		"id: '#', owner: o, kind: k, zone: z, registered: 2026-01-01": "id and owner",
		"id: a, owner: o, zone: z, registered: 2026-01-01":            "kind is missing",
		"id: a, owner: o, kind: k, registered: 2026-01-01":            "zone or lat",
		"id: a, owner: o, kind: k, zone: z":                           "registered is missing",
		good + ", topic: 'a/+'":                                       "wildcards",
		good + ", lat: 1":                                             "lat and lon",
		good + ", lat: 1, lon: 1":                                     "either zone",
		good + ", map: {f: a.b}":                                      "JSON pointer",
		good + ", password: x":                                        "unknown field",
		good + ", preset: tts, device: d":                             `preset "tts": no preset has this name`,
		good + ", preset: ttn-v4, device: d":                          "did you mean ttn-v3?",
		good + ", preset: ttn-v3":                                     "device is missing",
		good + ", device: d":                                          "device and profile go with a preset",
		good + ", preset: ttn-v3, device: 'a/+'":                      "without + and #",
		good + ", preset: ttn-v3, device: d, profile: ws302":          `profile "ws302": no profile has this name`,
		good + ", preset: ttn-v3, device: d, topic: x/y":              "take device out, or topic",
		good + ", preset: ttn-v3, topic: 'x/{field}'":                 "topic can hold {field} where",
		good + ", preset: esphome, topic: 'x/{device}'":               "topic is the sensor's own",
		good + ", preset: esphome, topic: 'x/{a}/y'":                  "topic is the sensor's own",
		good + ", preset: esphome, topic: 'x/#'":                      "topic is the sensor's own",
		good + ", preset: sparkplug-b, device: d":                     "GROUP/NODE/DEVICE",
		good + ", preset: sparkplug-b, device: g/n/d}\n  - {" +
			"id: b, owner: p, kind: k, zone: z, registered: 2026-01-01, preset: sparkplug-b, device: g/n/e": "another",
		good + ", topic: 'x/{field}'": "wildcards",
		good + ", quota: -1":          "quota is how many",
		good + ", preset: ttn-v3, device: d}\n  - {" +
			"id: b, owner: o, kind: k, zone: z, registered: 2026-01-01, preset: ttn-v3, device: d": "device is taken",
		good + ", preset: ttn-v3, device: d}\n  - {" +
			"id: o, owner: p, kind: k, zone: z, registered: 2026-01-01": "that is the id of a sensor",
		good + "}\n  - {" + good: "is taken",
		"id: b, owner: o, kind: k, zone: z, registered: 2026-01-01, x: *y": "register.yaml",
	} {
		_, err := Parse("register.yaml", []byte("sensors:\n  - {"+entry+"}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("{%s} gives %v; want an error with %q", entry, err, want)
		}
	}
}

func FuzzRegister(f *testing.F) {
	f.Add(example(f))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if r, err := Parse("x.yaml", raw); err == nil {
			for i := range r.Sensors {
				_ = r.Sensors[i].UpTopic()
			}
		}
	})
}

// TestSmallLetters: what a network server writes in small letters is found, however a label or a
// spreadsheet has it, and is one device; of other systems letters tell devices apart.
func TestSmallLetters(t *testing.T) {
	entry := func(id, preset, device string) string {
		return "  - {id: " + id + ", owner: o, kind: k, zone: z, registered: 2026-01-01, preset: " + preset +
			", device: \"" + device + "\"}\n"
	}
	load := func(text string) (*Register, error) {
		path := filepath.Join(t.TempDir(), "r.yaml")
		if err := os.WriteFile(path, []byte("sensors:\n"+text), 0o600); err != nil {
			return nil, err
		}
		return Load(path, os.ReadFile)
	}
	reg, err := load(entry("a", "chirpstack-v4", "70B3D57ED0000001") + entry("b", "zigbee2mqtt", "Hall") +
		entry("c", "zigbee2mqtt", "hall"))
	if err != nil || reg.Sensors[0].Device != "70b3d57ed0000001" || reg.Sensors[1].Device != "Hall" {
		t.Fatal(err, reg)
	}
	_, err = load(entry("a", "chirpstack-v4", "70B3D57ED0000001") + entry("b", "chirpstack-v4", "70b3d57ed0000001"))
	if err == nil || !strings.Contains(err.Error(), "r.yaml, line 2; a device") {
		t.Error(err)
	}
}
