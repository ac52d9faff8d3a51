package streets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/opendata/zonemap"
)

func one(properties, geometry string) string {
	return fmt.Sprintf(`{"type":"Feature","properties":%s,"geometry":%s}`, properties, geometry)
}

func file(features ...string) []byte {
	return []byte(`{"name":"x","type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`)
}

const (
	square = `{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":{"name":"A"},"geometry":` +
		`{"type":"Polygon","coordinates":[[[2,41],[2.01,41],[2.01,41.01],[2,41.01],[2,41]]]}},{"type":"Feature","id":` +
		`"b","properties":{},"geometry":{"type":"Polygon","coordinates":[[[2.01,41],[2.02,41],[2.02,41.01],` +
		`[2.01,41.01],[2.01,41]]]}}]}`
	across = `{"type":"LineString","coordinates":[[2.002,41.005],[2.018,41.005]]}`
)

func zones(t testing.TB, raw []byte) zonemap.Map {
	t.Helper()
	m, err := zonemap.Draw(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestExample draws the example city's ground, and knows in which zones its streets are.
func TestExample(t *testing.T) {
	g, err := Parse(portalba.Streets)
	if err != nil || g.Left() != 0 {
		t.Fatalf("%v; %d features are left out", err, g.Left())
	}
	m := zones(t, portalba.Policy()["zones.geojson"])
	var drawn []Kind
	for _, p := range g.Draw(m, 50_000) {
		drawn = append(drawn, p.Kind)
	}
	if !slices.Equal(drawn, kinds) {
		t.Errorf("it draws %v", drawn)
	}
	in := map[string][]string{}
	for _, p := range g.Places(m) {
		in[p.Name("en")] = p.Zones
	}
	for name, want := range map[string][]string{"La Rambla": {"estacio", "mercat", "rambla"},
		"River Merla": {"estacio", "mercat", "port", "raval"}, "Main Square": {"rambla"}} {
		if got := slices.Sorted(slices.Values(in[name])); !slices.Equal(got, want) {
			t.Errorf("%s is in %v; want %v", name, got, want)
		}
	}
}

// TestLeftOut: what is of no kind or no shape is left out and counted, and takes nothing with it.
func TestLeftOut(t *testing.T) {
	good := one(`{"kind":"street","name":"Carrer  de\u0007 Dalt","name:es":"Calle <b>"}`, across)
	bad := []string{
		`null`, `7`, `{}`, `[]`, one(`{}`, across), one(`{"kind":"home"}`, across), one(`{"kind":7}`, across),
		one(`{"kind":"street"}`, `null`), one(`{"kind":"street"}`, `{"type":"Point","coordinates":[2,41]}`),
		one(`{"kind":"street"}`, `{"type":"LineString","coordinates":[[2,41]]}`),
		one(`{"kind":"street"}`, `{"type":"LineString","coordinates":[[2,41],[200,41]]}`),
		one(`{"kind":"street"}`, `{"type":"LineString","coordinates":[[2],[2,41]]}`),
		one(`{"kind":"street"}`, `{"type":"LineString","coordinates":"x"}`),
		one(`{"kind":"park"}`, `{"type":"Polygon","coordinates":[[[2,41],[2.1,41],[2,41]]]}`),
		one(`{"kind":"park"}`, `{"type":"GeometryCollection","geometries":[]}`),
	}
	g, err := Parse(file(append(bad, good)...))
	if err != nil || g.Len() != 1 || g.Left() != len(bad) {
		t.Fatalf("%v; %d are there and %d left out; want 1 and %d", err, g.Len(), g.Left(), len(bad))
	}
	places := g.Places(zones(t, []byte(square)))
	if len(places) != 1 || places[0].Name("ca") != "Carrer de Dalt" || places[0].Name("es") != "Calle <b>" ||
		!slices.Equal(places[0].Zones, []string{"a", "b"}) {
		t.Errorf("the places are %+v", places)
	}
}

// TestRefused: what is no such file is refused with what to do.
func TestRefused(t *testing.T) {
	for raw, want := range map[string]string{
		``: "FeatureCollection", `[]`: "FeatureCollection", `{"features":7}`: "FeatureCollection",
		`{"type":"FeatureCollection"}`: "FeatureCollection", `{"type"`: "FeatureCollection",
		string(file()): `property "kind"`, string(file(one(`{}`, across))): `property "kind"`,
		`{"features":[{]`: "feature 1 is no JSON", string(make([]byte, MaxBytes+1)): "larger than 20 MB",
	} {
		if _, err := Parse([]byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v; want %q", raw, err, want)
		}
	}
	g := (*File)(nil).Ground()
	if g != nil || g.Draw(zones(t, []byte(square)), 1000) != nil || g.Places(zonemap.Map{}) != nil {
		t.Error("no file has a ground")
	}
}

// large is a file of n streets with 50 corners each.
func large(n int) []byte {
	var list []string
	for i := range n {
		var b strings.Builder
		for k := range 50 {
			fmt.Fprintf(&b, "[%.6f,%.6f],", 2+0.02*float64(k)/49,
				41+0.01*float64(i)/float64(n)+0.001*math.Sin(float64(k*(i%7+1))))
		}
		list = append(list, one(fmt.Sprintf(`{"kind":"street","name":"Street %d"}`, i),
			`{"type":"LineString","coordinates":[`+strings.TrimSuffix(b.String(), ",")+`]}`))
	}
	return file(list...)
}

// TestLarge draws a city of 10 MB within its bounds of bytes.
func TestLarge(t *testing.T) {
	raw := large(10_000)
	began := time.Now()
	g, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	m := zones(t, []byte(square))
	for _, most := range []int{0, 1000, 40_000} {
		n := 0
		for _, p := range g.Draw(m, most) {
			n += len(p.D)
		}
		if n > most || most > 1000 && n < most/2 {
			t.Errorf("of %d bytes at most it draws %d", most, n)
		}
	}
	t.Logf("%d bytes in %v", len(raw), time.Since(began))
}

// TestChange reads a file again that has changed, and stays with what it was where it is broken.
func TestChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "streets.geojson")
	write := func(raw []byte, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, raw, 0o644), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	if _, err := Open(path, quiet); err == nil || !strings.Contains(err.Error(), "leave streets out") {
		t.Errorf("a file that is not there: %v", err)
	}
	street := one(`{"kind":"street"}`, across)
	at := time.Now().Add(-time.Hour)
	write(file(street), at)
	f, err := Open(path, quiet)
	if err != nil || f.Ground().Len() != 1 {
		t.Fatal(err)
	}
	write(file(street, street), at.Add(time.Second))
	if f.look(); f.Ground().Len() != 2 {
		t.Error("a change is not seen")
	}
	write([]byte("{"), at.Add(2*time.Second))
	if f.look(); f.Ground().Len() != 2 {
		t.Error("a broken file takes the streets away")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.Watch(ctx)
}

// FuzzStreets draws whatever comes without a panic, within its bounds, and as nothing but numbers.
func FuzzStreets(f *testing.F) {
	f.Add(file(one(`{"kind":"street","name":"A"}`, across)))
	f.Add(file(one(`{"kind":"water"}`, `{"type":"Polygon","coordinates":[[[2,41],[3,41],[3,42],[2,41]],[]]}`), `null`))
	f.Add(file(one(`{"kind":"park"}`, `{"type":"MultiPolygon","coordinates":[[[[1e300,1],[0,0]]],[]]}`)))
	m := zones(f, []byte(square))
	f.Fuzz(func(t *testing.T, raw []byte) {
		g, err := Parse(raw)
		if err != nil {
			return
		}
		n := 0
		for _, p := range g.Draw(m, 5000) {
			if n += len(p.D); n > 5000 || strings.Trim(p.D, "Mlz -0123456789") != "" || !p.Kind.known() {
				t.Errorf("%s is drawn by %.80s", p.Kind, p.D)
			}
		}
		for _, p := range g.Places(m) {
			if name := p.Name("en"); name == "" || strings.ContainsAny(name, "\n\x00\u202e") || len(name) > 6*maxName {
				t.Errorf("a place is called %q", name)
			}
		}
	})
}

// TestCutShort: a file that was cut short, or has something behind its end, is not taken, so that
// what it said before stays.
func TestCutShort(t *testing.T) {
	const f = `{"type":"Feature","properties":{"kind":"street","name":"A"},"geometry":{"type":"LineString",` +
		`"coordinates":[[2,41],[2.1,41]]}}`
	if _, err := Parse([]byte(`{"type":"FeatureCollection","features":[` + f + `]}`)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"features":[` + f, `{"features":[` + f + `}`, `{"features":[` + f + `] rubbish`,
		`{"features":[` + f + `,`, `{"features":[` + f + `,]}`, `{"features":[` + f + `]`,
		`{"features":[` + f + `]}}`} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s is taken", text[len(text)-12:])
		}
	}
}
