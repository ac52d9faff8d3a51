package register

import (
	"strings"
	"testing"

	"sluice/configs"
)

func TestExampleRegister(t *testing.T) {
	r, err := Parse("register.yaml", configs.Register)
	if err != nil || len(r.Sensors) != 13 {
		t.Fatalf("%d sensors (%v); want 13", len(r.Sensors), err)
	}
	if topic := r.Sensors[0].UpTopic(); topic != "city/v1/acme/rambla-1/up" {
		t.Errorf("the first publishes to %s", topic)
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

func TestLocate(t *testing.T) {
	z, err := ParseZones("zones.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","id":"ring","geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[3,1],[3,3],[1,3],[1,1]]]},"properties":{}},
{"type":"Feature","properties":{"id":"two"},"geometry":{"type":"MultiPolygon","coordinates":[[[[10,0],[11,0],[11,1],[10,1],[10,0]]],[[[20,0],[21,0],[21,1],[20,1],[20,0]]]]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lat, lon float64
		want     string
	}{{0.5, 0.5, "ring"}, {2, 2, ""}, {0.5, 10.5, "two"}, {0.5, 20.5, "two"}, {0.5, 15, ""}, {-1, 0, ""}, {91, 400, ""}} {
		if got, ok := z.Locate(c.lat, c.lon); got != c.want || ok != (c.want != "") {
			t.Errorf("(%v, %v) is in %q; want %q", c.lat, c.lon, got, c.want)
		}
	}
}

func FuzzZones(f *testing.F) {
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":{"type":"Polygon","coordinates":[]},"properties":null}]}`), 1.0, 1.0)
	f.Fuzz(func(_ *testing.T, raw []byte, lat, lon float64) {
		if z, err := ParseZones("x", raw); err == nil {
			_, _ = z.Locate(lat, lon)
		}
	})
}

func FuzzRegister(f *testing.F) {
	f.Add(configs.Register)
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if r, err := Parse("x.yaml", raw); err == nil {
			for i := range r.Sensors {
				_ = r.Sensors[i].UpTopic()
			}
		}
	})
}
