package register

import (
	"os"
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
		"id: a/b, owner: o, kind: k, zone: z, registered: 2026-01-01":      "id and owner",
		"id: '#', owner: o, kind: k, zone: z, registered: 2026-01-01":      "id and owner",
		"id: a, owner: o, zone: z, registered: 2026-01-01":                 "kind is missing",
		"id: a, owner: o, kind: k, registered: 2026-01-01":                 "zone or lat",
		"id: a, owner: o, kind: k, zone: z":                                "registered is missing",
		good + ", topic: 'a/+'":                                            "wildcards",
		good + ", lat: 1":                                                  "lat and lon",
		good + ", lat: 1, lon: 1":                                          "either zone",
		good + ", map: {f: a.b}":                                           "JSON pointer",
		good + ", password: x":                                             "unknown field",
		good + ", preset: tts":                                             "no presets",
		good + "}\n  - {" + good:                                           "is taken",
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
