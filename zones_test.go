package sluice_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"sluice/opendata/zonemap"
	"sluice/register"
)

// The gateway reads zones.geojson by register, and the open data draw the same
// bytes by zonemap, which may not import it. These hold the two to one reading.

func feature(id, properties, geometry string) string {
	return fmt.Sprintf(`{"type":"Feature"%s,"properties":%s,"geometry":%s}`, id, properties, geometry)
}

func polygon(coordinates string) string {
	return `{"type":"Polygon","coordinates":[` + coordinates + `]}`
}

func zonesFile(features ...string) []byte {
	return []byte(`{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`)
}

// sameZones fails where a file that the gateway accepts is shown otherwise.
func sameZones(t *testing.T, raw []byte) {
	t.Helper()
	z, err := register.ParseZones("zones.geojson", raw)
	if err != nil {
		return
	}
	began := time.Now()
	m, err := zonemap.Draw(raw)
	if err != nil {
		t.Fatalf("accepted, and cannot be drawn: %v", err)
	}
	west, south, east, north, some := zonemap.Bound(raw)
	if took := time.Since(began); took > 20*time.Second {
		t.Fatalf("%d bytes take %v to be drawn", len(raw), took)
	}
	if len(m.Zones) != len(z.IDs()) || some != (len(m.Zones) > 0) {
		t.Fatalf("%d zones are %d on the map", len(z.IDs()), len(m.Zones))
	}
	seen := make(map[string]bool)
	for _, one := range m.Zones {
		if seen[one.ID] || !z.Has(one.ID) || z.Name(one.ID) != one.Name {
			t.Fatalf("%q is %q on the map, and %q in the register", one.ID, one.Name, z.Name(one.ID))
		}
		seen[one.ID] = true
		if strings.Contains(one.Path, "NaN") || strings.Contains(one.Path, "Inf") {
			t.Fatalf("%s is drawn by %s", one.ID, one.Path)
		}
	}
	if some && !(-180 <= west && west < east && east <= 180 && -90 <= south && south < north && north <= 90) {
		t.Fatalf("the box is %v %v %v %v", west, south, east, north)
	}
}

// waves is a ring with n corners, which no simplification takes away.
func waves(n int) string {
	var b strings.Builder
	for i := range n {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		far := 10 + 0.1*float64(i%2)
		fmt.Fprintf(&b, "[%.6f,%.6f],", far*c, far*s)
	}
	return "[" + b.String() + fmt.Sprintf("[%.6f,0.000000]]", 10.0)
}

func corpus(t testing.TB) [][]byte {
	t.Helper()
	example, err := os.ReadFile("configs/portalba/policy/zones.geojson")
	if err != nil {
		t.Fatal(err)
	}
	const square = "[[0,0],[4,0],[4,4],[0,4],[0,0]]"
	var many []string
	for i := range 10 {
		many = append(many, feature(fmt.Sprintf(`,"id":"z%d"`, i), "{}", polygon(waves(3_000))))
	}
	return [][]byte{
		zonesFile(), zonesFile("null"), example,
		zonesFile(feature(`,"id":"a"`, `{"name":"A \u00e0 <b>"}`, polygon(square))),
		zonesFile(feature("", `{"id":"a","gateway":"g"}`, polygon(square)),
			feature(`,"id":null`, `{"id":"b"}`, polygon(square+",[[1,1],[2,1],[2,2],[1,1]]"))),
		zonesFile(feature(`,"id":"a"`, `{"id":"a","name":""}`, polygon("[[0,0,5],[1e-5,0,5],[1e-5,1e-5,5],[0,0,5]]")),
			feature(`,"id":"far"`, "null", polygon("[[179,89],[180,89],[180,90],[179,89]]"))),
		zonesFile(feature(`,"id":"a"`, "{}",
			`{"type":"MultiPolygon","coordinates":[[`+square+`],[[[5,5],[6,5],[6,6],[5,5]]]]}`)),
		zonesFile(feature(`,"id":"a","x":[1,{"y":null}]`, `{"name":null}`, polygon(square))),
		zonesFile(many...), zonesFile(feature(`,"id":"a"`, "{}", polygon(waves(9_998)))),
	}
}

func TestSameZones(t *testing.T) {
	accepted := 0
	for _, raw := range corpus(t) {
		if _, err := register.ParseZones("zones.geojson", raw); err == nil {
			accepted++
		} else {
			t.Logf("%.80s: %v", raw, err)
		}
		began := time.Now()
		sameZones(t, raw)
		t.Logf("%d bytes in %v", len(raw), time.Since(began))
	}
	if accepted != len(corpus(t))-1 {
		t.Errorf("%d files are accepted; want all but the one with null", accepted)
	}
	if raw, err := os.ReadFile("Makefile"); err != nil || !strings.Contains(string(raw), "FuzzSameZones:.") {
		t.Error("the Makefile does not run FuzzSameZones")
	}
}

// FuzzSameZones draws what the gateway accepts.
func FuzzSameZones(f *testing.F) {
	for _, raw := range corpus(f) {
		if len(raw) < 10_000 {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) { sameZones(t, raw) })
}
