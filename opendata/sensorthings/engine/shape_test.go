package engine

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"sluice/opendata/sensorthings/odata"
)

func wkt(t *testing.T, text string) orb.Geometry {
	t.Helper()
	g, ok := odata.Geometry(text)
	if !ok {
		t.Fatalf("%s is none", text)
	}
	return g
}

const (
	square = "POLYGON((0 0,10 0,10 10,0 10,0 0))"
	ring   = "POLYGON((0 0,10 0,10 10,0 10,0 0),(4 4,6 4,6 6,4 6,4 4))"
)

// TestRelations: each relation holds of what the standard draws, and no other does that
// excludes it.
func TestRelations(t *testing.T) {
	equal := []string{"st_equals", "st_within", "st_contains", "st_intersects"}
	within := []string{"st_within", "st_intersects"}
	for _, c := range []struct {
		a, b string
		hold []string
	}{
		{square, square, equal},
		{square, "POLYGON((0 0,0 10,10 10,10 0))", equal},
		{"POLYGON((1 1,2 1,2 2,1 2,1 1))", square, within},
		{square, "POLYGON((1 1,2 1,2 2,1 2,1 1))", []string{"st_contains", "st_intersects"}},
		{"POLYGON((0 0,5 0,5 5,0 5,0 0))", square, within},
		{square, "POLYGON((5 5,15 5,15 15,5 15,5 5))", []string{"st_overlaps", "st_intersects"}},
		{square, "POLYGON((10 0,20 0,20 10,10 10,10 0))", []string{"st_touches", "st_intersects"}},
		{square, "POLYGON((10 10,20 10,20 20,10 20,10 10))", []string{"st_touches", "st_intersects"}},
		{square, "POLYGON((11 0,20 0,20 10,11 10,11 0))", []string{"st_disjoint"}},
		{"POLYGON((4.5 4.5,5.5 4.5,5.5 5.5,4.5 5.5,4.5 4.5))", ring, []string{"st_disjoint"}},
		{"POLYGON((4 4,6 4,6 6,4 6,4 4))", ring, []string{"st_touches", "st_intersects"}},
		{"MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0)),((8 8,9 8,9 9,8 9,8 8)))", square, within},
		{"POINT(5 5)", square, within},
		{"POINT(0 5)", square, []string{"st_touches", "st_intersects"}},
		{"POINT(5 5)", ring, []string{"st_disjoint"}},
		{"POINT(1 1)", "POINT(1 1)", equal},
		{"MULTIPOINT((1 1),(20 20))", square, []string{"st_crosses", "st_intersects"}},
		{"LINESTRING(1 1,9 9)", square, within},
		{"LINESTRING(-5 5,15 5)", square, []string{"st_crosses", "st_intersects"}},
		{square, "LINESTRING(-5 5,15 5)", []string{"st_crosses", "st_intersects"}},
		{"LINESTRING(0 0,10 0)", square, []string{"st_touches", "st_intersects"}},
		{"LINESTRING(0 0,2 2)", "LINESTRING(0 2,2 0)", []string{"st_crosses", "st_intersects"}},
		{"LINESTRING(0 0,2 0)", "LINESTRING(1 0,3 0)", []string{"st_overlaps", "st_intersects"}},
		{"LINESTRING(0 0,2 0)", "LINESTRING(2 0,3 0)", []string{"st_touches", "st_intersects"}},
		{"LINESTRING(0 0,2 0)", "LINESTRING(2 0,1 0,0 0)", equal},
		{"POINT(1 0)", "LINESTRING(0 0,2 0)", within},
		{"POINT(2 0)", "LINESTRING(0 0,2 0)", []string{"st_touches", "st_intersects"}},
	} {
		want := make(map[string]bool)
		for _, name := range c.hold {
			want[name] = true
		}
		for _, name := range []string{"st_equals", "st_disjoint", "st_touches", "st_within", "st_contains",
			"st_overlaps", "st_crosses", "st_intersects"} {
			if got := functions[name].do(nil, []any{wkt(t, c.a), wkt(t, c.b)}); got != want[name] {
				t.Errorf("%s of %s and %s is %v: %v", name, c.a, c.b, got, relate(wkt(t, c.a), wkt(t, c.b)))
			}
		}
	}
}

// TestShapes: what one says of two is what it says of them turned round, in places that are no
// whole numbers.
func TestShapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		box := func(name string) orb.Polygon {
			x, y := rapid.Float64Range(-3, 3).Draw(t, name+"x"), rapid.Float64Range(-3, 3).Draw(t, name+"y")
			w, h := rapid.Float64Range(0.01, 3).Draw(t, name+"w"), rapid.Float64Range(0.01, 3).Draw(t, name+"h")
			return orb.Bound{Min: orb.Point{x, y}, Max: orb.Point{x + w, y + h}}.ToPolygon()
		}
		a, b := box("a"), box("b")
		m, turned := relate(a, b), relate(b, a)
		for i := range 3 {
			for j := range 3 {
				if m[i][j] != turned[j][i] {
					t.Fatalf("%v and %v: %v, %v", a, b, m, turned)
				}
			}
		}
		x, y := a.Bound(), b.Bound()
		apart := max(x.Min[0]-y.Max[0], y.Min[0]-x.Max[0], x.Min[1]-y.Max[1], y.Min[1]-x.Max[1])
		if math.Abs(apart) > 1e-6 && m.is("FF*FF****") != (apart > 0) {
			t.Fatalf("%v and %v are apart by %v: %v", a, b, apart, m)
		}
		if d, ok := distance(a, b).(float64); !ok || apart > 1e-6 && d < apart-1e-9 || apart < -1e-6 && d != 0 {
			t.Fatalf("%v and %v are apart by %v, and it says %v", a, b, apart, d)
		}
	})
}
