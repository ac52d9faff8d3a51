package register

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

// star is a ring of n corners around a point, none of which its edges pass twice.
func star(t *rapid.T, x, y, size float64) orb.Ring {
	n := rapid.IntRange(3, 40).Draw(t, "corners")
	angles := make([]float64, n)
	for i := range angles {
		angles[i] = (float64(i) + rapid.Float64Range(0, 0.9).Draw(t, "angle")) * 2 * math.Pi / float64(n)
	}
	var r orb.Ring
	for _, a := range angles {
		s, c := math.Sincos(a)
		far := size * rapid.Float64Range(0.3, 1).Draw(t, "distance")
		r = append(r, orb.Point{x + far*c, y + far*s})
	}
	return append(r, r[0])
}

// TestLocateIsExact compares with the library on areas that are sound by their making.
func TestLocateIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Float64Range(-100, 100).Draw(t, "x"), rapid.Float64Range(-60, 60).Draw(t, "y")
		size := math.Pow(10, rapid.Float64Range(-3, 1).Draw(t, "size"))
		outer := star(t, x, y, size)
		area := orb.MultiPolygon{{outer}}
		if rapid.Bool().Draw(t, "hole") {
			small := make(orb.Ring, len(outer))
			for i, p := range outer {
				small[i] = orb.Point{x + (p[0]-x)*0.5, y + (p[1]-y)*0.5}
			}
			if rapid.Bool().Draw(t, "turn") {
				slices.Reverse(small)
			}
			area[0] = append(area[0], small)
		}
		if rapid.Bool().Draw(t, "part") {
			area = append(area, orb.Polygon{star(t, x+3*size, y, size)})
		}
		raw, err := geojson.NewGeometry(area).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		z, err := ParseZones("z",
			[]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":`+string(raw)+`}]}`))
		if len(outer) < 5 && err != nil {
			t.Skip("a triangle around nothing")
		}
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		for range 50 {
			p := orb.Point{x + size*rapid.Float64Range(-1.2, 4.2).Draw(t, "px"),
				y + size*rapid.Float64Range(-1.2, 1.2).Draw(t, "py")}
			if planar.DistanceFrom(borders(area), p) < 1e-9 {
				continue // the library rounds
			}
			if _, in := z.Locate(p[1], p[0]); in != planar.MultiPolygonContains(area, p) {
				t.Fatalf("%v: %v", p, in)
			}
		}
		for _, polygon := range area {
			for _, ring := range polygon {
				for _, p := range ring {
					if _, in := z.Locate(p[1], p[0]); !in {
						t.Fatalf("the corner %v is outside", p)
					}
				}
			}
		}
	})
}

func borders(area orb.MultiPolygon) (lines orb.MultiLineString) {
	for _, polygon := range area {
		for _, ring := range polygon {
			lines = append(lines, orb.LineString(ring))
		}
	}
	return lines
}

// TestBorders: a point on a border, or in two zones, is the first's by id.
func TestBorders(t *testing.T) {
	z := zonesOf(t, featureAt("c", "["+square(0, 0, 2)+","+square(0.5, 0.5, 1)+"]"),
		featureAt("b", "["+square(2, 0, 2)+"]"), featureAt("a", "["+square(0.5, 0.5, 1)+"]"),
		featureAt("d", "["+square(3, 0, 2)+"]"))
	for _, c := range []struct {
		lat, lon float64
		want     string
	}{{1, 2, "b"}, {0, 2, "b"}, {2, 2, "b"}, {0.5, 1, "a"}, {0.25, 0.5, "c"}, {0, 0, "c"}, {1, 3.5, "b"}, {1, 4.5, "d"},
		{1, 4, "b"}, {1, 5, "d"}, {math.NaN(), 1, ""}, {1, math.Inf(1), ""}, {1, math.NaN(), ""}} {
		if got, _ := z.Locate(c.lat, c.lon); got != c.want {
			t.Errorf("(%v, %v) is in %q; want %q", c.lat, c.lon, got, c.want)
		}
	}
	// A point on a slanted border that floating point would miss.
	z = zonesOf(t, featureAt("a", "[[[0,0],[0.3,0.1],[0,0.1],[0,0]]]"))
	third := orb.Point{0.3 / 2, 0.1 / 2}
	if _, in := z.Locate(third[1], third[0]); !in {
		t.Error("half-way along a border is outside")
	}
}

func TestLocate(t *testing.T) {
	z, err := ParseZones("zones.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","id":"ring",
 "geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]],
 [[1,1],[3,1],[3,3],[1,3],[1,1]]]},"properties":{}},
{"type":"Feature","properties":{"id":"two"},
 "geometry":{"type":"MultiPolygon","coordinates":[[[[10,0],[11,0],[11,1],[10,1],[10,0]]],
 [[[20,0],[21,0],[21,1],[20,1],[20,0]]]]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lat, lon float64
		want     string
	}{{0.5, 0.5, "ring"}, {2, 2, ""}, {0.5, 10.5, "two"}, {0.5, 20.5, "two"}, {0.5, 15, ""}, {-1, 0, ""},
		{91, 400, ""}} {
		if got, ok := z.Locate(c.lat, c.lon); got != c.want || ok != (c.want != "") {
			t.Errorf("(%v, %v) is in %q; want %q", c.lat, c.lon, got, c.want)
		}
	}
}

func TestLocateAllocatesNothing(t *testing.T) {
	z := zonesOf(t, featureAt("a", "["+ringOf(round(5000, 2, 41, 1))+"]"),
		featureAt("b", "[[[0,0],[0.3,0.1],[0,0.1],[0,0]]]"))
	if n := testing.AllocsPerRun(100, func() { _, _ = z.Locate(41.2, 2.3); _, _ = z.Locate(0.1/2, 0.3/2) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLocate(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, f := range map[string]string{
		"round":   featureAt("a", "["+ringOf(round(9_999, 2, 41, 1))+"]"),
		"comb":    featureAt("a", "["+comb(9_900, 0)+"]"),
		"leaning": featureAt("a", "["+comb(900, 20)+"]"),
		"square":  featureAt("a", "["+square(2, 41, 1)+"]"),
	} {
		z := zonesOf(b, f)
		points := make([]orb.Point, 1024)
		for i := range points {
			for axis := range 2 {
				points[i][axis] = z.bound.Min[axis] + rnd.Float64()*(z.bound.Max[axis]-z.bound.Min[axis])
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				p := points[i%1024]
				_, _ = z.Locate(p[1], p[0])
			}
		})
	}
}
