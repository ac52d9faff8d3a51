package register

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

// file is a FeatureCollection of features.
func collectionOf(features ...string) []byte {
	return []byte(`{"type":"FeatureCollection","features":[` + strings.Join(features, ",\n") + `]}`)
}

// featureAt is a feature with a Polygon of these coordinates.
func featureAt(id, coordinates string) string {
	return `{"type":"Feature","id":"` + id + `","properties":{},"geometry":{"type":"Polygon","coordinates":` + coordinates + `}}`
}

func multiAt(id, coordinates string) string {
	return strings.Replace(featureAt(id, coordinates), `"Polygon"`, `"MultiPolygon"`, 1)
}

func square(x, y, size float64) string {
	return fmt.Sprintf("[[%[1]v,%[2]v],[%[3]v,%[2]v],[%[3]v,%[4]v],[%[1]v,%[4]v],[%[1]v,%[2]v]]", x, y, x+size, y+size)
}

func ringOf(r orb.Ring) string {
	var b strings.Builder
	for i, p := range r {
		fmt.Fprintf(&b, "%s[%v,%v]", map[bool]string{true: "", false: ","}[i == 0], p[0], p[1])
	}
	return "[" + b.String() + "]"
}

func zonesOf(t testing.TB, features ...string) *Zones {
	t.Helper()
	z, err := ParseZones("zones.geojson", collectionOf(features...))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestZonesHaveOneReading: what two readers could take differently is refused, and
// the error names the feature and the way out.
func TestZonesHaveOneReading(t *testing.T) {
	ok := "[" + square(0, 0, 1) + "]"
	with := func(old, to string) []byte { return collectionOf(strings.Replace(featureAt("a", ok), old, to, 1)) }
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"null feature":        {collectionOf("null"), "feature 1: not a GeoJSON Feature"},
		"number feature":      {collectionOf("7"), "feature 1: not a GeoJSON Feature"},
		"second feature":      {collectionOf(featureAt("a", ok), "[]"), "feature 2"},
		"no JSON":             {[]byte("zones"), "not JSON"},
		"cut":                 {collectionOf(featureAt("a", ok))[:60], "not JSON"},
		"comma":               {[]byte(`{"type":"FeatureCollection","features":[],}`), "not JSON"},
		"tail":                {append(collectionOf(), "{}"...), "behind the end"},
		"a list":              {[]byte("[]"), "not a GeoJSON FeatureCollection"},
		"one feature":         {[]byte(featureAt("a", ok)), "not a GeoJSON FeatureCollection"},
		"no features":         {[]byte(`{"type":"FeatureCollection"}`), "not a GeoJSON FeatureCollection"},
		"null features":       {[]byte(`{"type":"FeatureCollection","features":null}`), "not a GeoJSON FeatureCollection"},
		"bytes":               {with(`"a"`, "\"\xff\""), "UTF-8"},
		"too large":           {append(collectionOf(), make([]byte, 1<<20)...), "larger than 1 MiB"},
		"deep":                {with("{}", `{"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+"}"), "nested more than 32"},
		"deep coordinates":    {with(ok, strings.Repeat("[", 40)+"1,2"+strings.Repeat("]", 40)), "nested more than 32"},
		"key twice":           {with(`"id":"a"`, `"id":"a","id":"b"`), `feature 1: the key "id" is there twice`},
		"key twice, escaped":  {with(`"id":"a"`, `"id":"a","\u0069d":"b"`), "there twice"},
		"property twice":      {with("{}", `{"name":"x","name":"y"}`), "there twice"},
		"other spelling":      {with(`"id":"a"`, `"id":"a","ID":"b"`), "rename it"},
		"long s":              {with(`"geometry"`, `"featureſ":[],"geometry"`), "rename it"},
		"crs":                 {[]byte(`{"type":"FeatureCollection","crs":{"type":"name"},"features":[]}`), "take crs out"},
		"crs inside":          {with(`"id":"a"`, `"id":"a","crs":null`), "take crs out"},
		"two ids":             {with("{}", `{"id":"b"}`), "differ"},
		"an id and a number":  {with("{}", `{"id":7}`), "differ"},
		"number id":           {with(`"id":"a"`, `"id":7`), "in quotes"},
		"number property":     {with(`"id":"a","properties":{}`, `"properties":{"id":7}`), "in quotes"},
		"no id":               {with(`"id":"a",`, ""), "needs an id"},
		"colon":               {with(`"id":"a"`, `"id":"a:b"`), "letters, digits"},
		"long id":             {with(`"id":"a"`, `"id":"`+strings.Repeat("a", 64)+`"`), "1 to 63"},
		"escape in id":        {with(`"id":"a"`, `"id":"a\u001b[2K"`), `"a\x1b[2K"`},
		"twice":               {collectionOf(featureAt("a", ok), featureAt("a", ok)), "feature 2 (a): is there twice"},
		"gateway":             {with("{}", `{"gateway":"edge 1"}`), "feature 1 (a): gateway"},
		"empty gateway":       {with("{}", `{"gateway":""}`), "leave it out"},
		"gateway is a number": {with("{}", `{"gateway":1}`), "in quotes"},
		"name is a number":    {with("{}", `{"name":1}`), "in quotes"},
		"line feed":           {with("{}", `{"name":"a\nb"}`), "invisible"},
		"right to left":       {with("{}", `{"name":"a\u202eb"}`), "invisible"},
		"zero width":          {with("{}", `{"name":"a\u200bb"}`), "invisible"},
		"filler":              {with("{}", `{"name":"a\u3164b"}`), "invisible"},
		"long name":           {with("{}", `{"name":"`+strings.Repeat("a", 201)+`"}`), "longer than 200"},
		"half a pair":         {with("{}", `{"name":"\ud800"}`), "invisible"},
		"properties":          {with("{}", `[]`), "not a GeoJSON Feature"},
		"point":               {with(`"Polygon","coordinates":`+ok, `"Point","coordinates":[1,2]`), "Polygon or MultiPolygon"},
		"no geometry":         {with(`{"type":"Polygon","coordinates":`+ok+`}`, "null"), "Polygon or MultiPolygon"},
		"collection":          {with(`"Polygon","coordinates":`+ok, `"GeometryCollection","geometries":[]`), "Polygon or MultiPolygon"},
		"no coordinates":      {with(`,"coordinates":`+ok, ""), "feature 1"},
		"null coordinates":    {with(ok, "null"), "coordinates are lists"},
		"empty":               {with(ok, "[]"), "coordinates are lists"},
		"empty ring":          {with(ok, "[[]]"), "coordinates are lists"},
		"null position":       {with("[1,0]", "null"), "coordinates are lists"},
		"null number":         {with("[1,0]", "[1,null]"), "coordinates are lists"},
		"text":                {with("[1,0]", `["1",0]`), "coordinates are lists"},
		"one number":          {with("[1,0]", "[1]"), "coordinates are lists"},
		"four numbers":        {with("[1,0]", "[1,0,0,0]"), "coordinates are lists"},
		"flat":                {with(ok, "[[0,0],[1,0],[1,1],[0,0]]"), "feature 1"},
		"infinite":            {with("[1,0]", "[1e999,0]"), "too large"},
		"off earth":           {with("[1,0]", "[181,0]"), "not on earth"},
		"swapped":             {with("[1,0]", "[0,91]"), "not on earth"},
		"not closed":          {with(",[0,0]]]", ",[0,0.5]]]"), "not closed"},
		"three positions":     {with(ok, "[[[0,0],[1,1],[0,0]]]"), "not closed"},
		"two points":          {with(ok, "[[[0,0],[1,1],[0,0],[0,0]]]"), "encloses nothing"},
		"a line":              {with(ok, "[[[0,0],[1,1],[2,2],[0,0]]]"), "encloses nothing"},
	} {
		_, err := ParseZones("zones.geojson", c.raw)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "zones.geojson: ") {
			t.Errorf("%s gives %v; want an error with %q", name, err, c.want)
		}
	}
}

// TestOutlines: which areas can be told from their outlines.
func TestOutlines(t *testing.T) {
	hole := func(rings ...string) string { return featureAt("a", "["+strings.Join(rings, ",")+"]") }
	parts := func(polygons ...string) string { return multiAt("a", "[["+strings.Join(polygons, "],[")+"]]") }
	for name, c := range map[string]struct {
		feature string
		good    bool
	}{
		"square":                     {hole(square(0, 0, 4)), true},
		"turned right":               {hole("[[0,0],[0,4],[4,4],[4,0],[0,0]]"), true},
		"hole":                       {hole(square(0, 0, 4), square(1, 1, 1)), true},
		"two holes":                  {hole(square(0, 0, 4), square(1, 1, 1), square(2.5, 2.5, 1)), true},
		"corner said twice":          {hole("[[0,0],[4,0],[4,0],[4,4],[0,0]]"), true},
		"corner on a straight line":  {hole("[[0,0],[2,0],[4,0],[4,4],[0,0]]"), true},
		"heights":                    {hole("[[0,0,1],[4,0,2],[4,4,3],[0,0,1]]"), true},
		"hole that touches a corner": {hole(square(0, 0, 4), "[[0,0],[2,1],[1,2],[0,0]]"), true},
		"hole along the border":      {hole(square(0, 0, 4), square(0, 1, 1)), true},
		"parts apart":                {parts(square(0, 0, 1), square(2, 2, 1)), true},
		"parts that touch":           {parts(square(0, 0, 1), square(1, 1, 1)), true},
		"parts side by side":         {parts(square(0, 0, 1), square(1, 0, 1)), true},
		"island in a hole":           {multiAt("a", "[["+square(0, 0, 9)+","+square(1, 1, 6)+"],["+square(2, 2, 3)+"]]"), true},
		"hole filled by a part":      {multiAt("a", "[["+square(0, 0, 9)+","+square(1, 1, 6)+"],["+square(1, 1, 6)+"]]"), true},

		"bow-tie":                  {hole("[[0,0],[4,4],[4,0],[0,3],[0,0]]"), false},
		"bow-tie through a corner": {hole("[[0,0],[2,1],[4,0],[4,4],[2,1],[0,4],[0,0]]"), false},
		"touches itself":           {hole("[[0,0],[4,0],[4,4],[2,0],[0,4],[0,0]]"), false},
		"spike outward":            {hole("[[0,0],[4,0],[6,0],[4,0],[4,4],[0,0]]"), false},
		"spike inward":             {hole("[[0,0],[4,0],[4,4],[1,1],[4,4],[0,4],[0,0]]"), false},
		"round twice":              {hole("[[0,0],[4,0],[4,4],[0,4],[0,0],[4,0],[4,4],[0,4],[0,0]]"), false},
		"hole outside":             {hole(square(0, 0, 4), square(5, 5, 1)), false},
		"hole across":              {hole(square(0, 0, 4), square(3, 3, 2)), false},
		"hole is all":              {hole(square(0, 0, 4), square(0, 0, 4)), false},
		"hole in a hole":           {hole(square(0, 0, 9), square(1, 1, 6), square(2, 2, 1)), false},
		"holes that cross":         {hole(square(0, 0, 9), square(1, 1, 3), square(2, 2, 3)), false},
		"hole around":              {hole(square(1, 1, 1), square(0, 0, 4)), false},
		"parts that cross":         {parts(square(0, 0, 2), square(1, 1, 2)), false},
		"parts through corners":    {parts("[[0,0],[2,2],[0,4],[-2,2],[0,0]]", "[[0,2],[2,0],[4,2],[2,4],[0,2]]"), false},
		"part in a part":           {parts(square(0, 0, 4), square(1, 1, 1)), false},
		"part twice":               {parts(square(0, 0, 4), square(0, 0, 4)), false},
		"part inside, on a border": {parts(square(0, 0, 4), square(0, 1, 1)), false},
	} {
		_, err := ParseZones("zones.geojson", collectionOf(c.feature))
		if (err == nil) != c.good || err != nil && !strings.Contains(err.Error(), "feature 1 (a): has ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestZonesSurviveTheirParser: a panic in the library is a refused file.
func TestZonesSurviveTheirParser(t *testing.T) {
	defer func() { unmarshal = geojson.UnmarshalFeature }()
	unmarshal = func([]byte) (*geojson.Feature, error) { panic("a fault of the library") }
	if _, err := ParseZones("zones.geojson", collectionOf(featureAt("a", "["+square(0, 0, 1)+"]"))); err == nil || !strings.Contains(err.Error(), "feature 1: cannot be read") {
		t.Errorf("a panic gives %v", err)
	}
	unmarshal = func([]byte) (*geojson.Feature, error) { return nil, nil }
	if _, err := ParseZones("zones.geojson", collectionOf(featureAt("a", "["+square(0, 0, 1)+"]"))); err == nil {
		t.Error("no feature and no error is a zone")
	}
}

// TestZonesAreBounded: numbers of features and positions, and the time and memory
// of files made to take long.
func TestZonesAreBounded(t *testing.T) {
	many := func(n int, one func(i int) string) []byte {
		list := make([]string, n)
		for i := range list {
			list[i] = one(i)
		}
		return collectionOf(list...)
	}
	plain := func(n int) string { return ringOf(round(n, 0, 0, 1)) }
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"features":       {many(2001, func(i int) string { return featureAt(fmt.Sprint("z", i), "["+square(0, 0, 1)+"]") }), "more than 2000 features"},
		"outline":        {collectionOf(featureAt("a", "["+plain(10_001)+"]")), "more than 10000 positions"},
		"null positions": {[]byte(`{"type":"FeatureCollection","features":[` + strings.Repeat("0,", 3000) + `0]}`), "more than 2000 features"},
		"positions":      {many(20, func(i int) string { return featureAt(fmt.Sprint("z", i), "["+tinyRing(6000)+"]") }), "more than 100000 positions"},
		"world-wide":     {many(2000, func(i int) string { return featureAt(fmt.Sprint("z", i), "["+square(-90+float64(i)/100, -80, 90)+"]") }), ""},
		"a comb":         {collectionOf(featureAt("a", "["+comb(9_000, 0)+"]")), ""},
		"a leaning comb": {collectionOf(featureAt("a", "["+comb(9_000, 20)+"]")), "too intricate"},
		"ten leaning":    {many(6, func(i int) string { return featureAt(fmt.Sprint("z", i), "["+comb(5_000, 20)+"]") }), "*"},
		"onion": {many(500, func(i int) string {
			return featureAt(fmt.Sprint("z", i), "["+ringOf(round(40, 0, 0, 1+float64(i)/10))+"]")
		}), ""},
		"positions deep in": {[]byte(`{"type":"FeatureCollection","features":[],"x":[` + strings.Repeat("[1,2],", 100_000) + `0]}`), ""},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		z, err := ParseZones("zones.geojson", c.raw)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		t.Logf("%s: %d bytes, %v, %d MiB allocated: %v", name, len(c.raw), took, (after.TotalAlloc-before.TotalAlloc)>>20, err)
		if c.want == "" && err != nil || c.want != "" && c.want != "*" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s gives %v; want %q", name, err, c.want)
		}
		if took > 20*time.Second || after.TotalAlloc-before.TotalAlloc > 512<<20 {
			t.Errorf("%s takes %v and %d MiB", name, took, (after.TotalAlloc-before.TotalAlloc)>>20)
		}
		if z == nil {
			continue
		}
		entries := 0
		for _, list := range z.grid {
			entries += len(list)
		}
		if entries > maxEntries {
			t.Errorf("%s has %d entries in its index", name, entries)
		}
		began = time.Now()
		pairs := z.Overlapping()
		if took := time.Since(began); took > 20*time.Second || len(pairs) > maxPairs {
			t.Errorf("%s: %d pairs in %v", name, len(pairs), took)
		} else {
			t.Logf("%s: %d pairs in %v", name, len(pairs), took)
		}
	}
}

// round is a ring of n corners around a point.
func round(n int, x, y, radius float64) orb.Ring {
	r := make(orb.Ring, 0, n+1)
	for i := range n {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		r = append(r, orb.Point{math.Round((x+radius*c)*1e6) / 1e6, math.Round((y+radius*s)*1e6) / 1e6})
	}
	return append(r, r[0])
}

// tinyRing is a ring in as few bytes as may be.
func tinyRing(n int) string { return "[" + strings.Repeat("[1,1],", n) + "[1,1]]" }

// comb has n corners at the ends of long teeth, which may lean.
func comb(n int, lean float64) string {
	var r orb.Ring
	for i := range n / 2 {
		x := float64(i) / 1000
		if i%2 == 0 {
			r = append(r, orb.Point{x, 0}, orb.Point{x + lean, 40})
		} else {
			r = append(r, orb.Point{x + lean, 40}, orb.Point{x, 0})
		}
	}
	r = append(r, orb.Point{r[len(r)-1][0], -1}, orb.Point{0, -1})
	return ringOf(append(r, r[0]))
}

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
		z, err := ParseZones("z", []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":`+string(raw)+`}]}`))
		if len(outer) < 5 && err != nil {
			t.Skip("a triangle around nothing")
		}
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		for range 50 {
			p := orb.Point{x + size*rapid.Float64Range(-1.2, 4.2).Draw(t, "px"), y + size*rapid.Float64Range(-1.2, 1.2).Draw(t, "py")}
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
	z := zonesOf(t, featureAt("c", "["+square(0, 0, 2)+","+square(0.5, 0.5, 1)+"]"), featureAt("b", "["+square(2, 0, 2)+"]"), featureAt("a", "["+square(0.5, 0.5, 1)+"]"), featureAt("d", "["+square(3, 0, 2)+"]"))
	for _, c := range []struct {
		lat, lon float64
		want     string
	}{{1, 2, "b"}, {0, 2, "b"}, {2, 2, "b"}, {0.5, 1, "a"}, {0.25, 0.5, "c"}, {0, 0, "c"}, {1, 3.5, "b"}, {1, 4.5, "d"}, {1, 4, "b"}, {1, 5, "d"}, {math.NaN(), 1, ""}, {1, math.Inf(1), ""}, {1, math.NaN(), ""}} {
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

// TestOverlaps: areas that share ground, and those that share borders only.
func TestOverlaps(t *testing.T) {
	ring := "[" + square(0, 0, 9) + "," + square(1, 1, 6) + "]"
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"apart":               {"[" + square(0, 0, 1) + "]", "[" + square(2, 0, 1) + "]", false},
		"side by side":        {"[" + square(0, 0, 1) + "]", "[" + square(1, 0, 1) + "]", false},
		"along a part":        {"[" + square(0, 0, 1) + "]", "[" + square(1, 0.25, 0.5) + "]", false},
		"corner":              {"[" + square(0, 0, 1) + "]", "[" + square(1, 1, 1) + "]", false},
		"crossing":            {"[" + square(0, 0, 2) + "]", "[" + square(1, 1, 2) + "]", true},
		"inside":              {"[" + square(0, 0, 9) + "]", "[" + square(1, 1, 1) + "]", true},
		"inside, on a border": {"[" + square(0, 0, 9) + "]", "[" + square(0, 1, 1) + "]", true},
		"the same":            {"[" + square(0, 0, 1) + "]", "[" + square(0, 0, 1) + "]", true},
		"the same, turned":    {"[" + square(0, 0, 1) + "]", "[[[0,0],[0,1],[1,1],[1,0],[0,0]]]", true},
		"in the hole":         {ring, "[" + square(2, 2, 1) + "]", false},
		"filling the hole":    {ring, "[" + square(1, 1, 6) + "]", false},
		"over the hole":       {ring, "[" + square(1, 1, 6.5) + "]", true},
		"through corners":     {"[[[0,0],[2,2],[0,4],[-2,2],[0,0]]]", "[[[0,2],[2,0],[4,2],[2,4],[0,2]]]", true},
		"in a bay":            {"[[[0,0],[4,0],[4,4],[3,4],[3,1],[0,1],[0,0]]]", "[[[0,1],[3,1],[3,4],[0,1]]]", false},
		"wide and tall":       {"[[[0,4],[9,4],[9,5],[0,5],[0,4]]]", "[[[4,0],[5,0],[5,9],[4,9],[4,0]]]", true},
	} {
		z, other := zonesOf(t, featureAt("x", c.a)), zonesOf(t, featureAt("y", c.b))
		if z.Overlaps("x", other, "y") != c.want || other.Overlaps("y", z, "x") != c.want {
			t.Errorf("%s: want %v", name, c.want)
		}
		both := zonesOf(t, featureAt("y", c.b), featureAt("x", c.a))
		if list := both.Overlapping(); (len(list) == 1) != c.want || c.want && list[0] != [2]string{"x", "y"} {
			t.Errorf("%s: %v", name, list)
		}
		if z.Overlaps("x", other, "none") || z.Overlaps("none", other, "y") {
			t.Error("what is no zone overlaps")
		}
	}
}

// TestOverlapsByPoints compares with points thrown at random areas.
func TestOverlapsByPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := star(t, 0, 0, 1), star(t, rapid.Float64Range(-2, 2).Draw(t, "x"), rapid.Float64Range(-2, 2).Draw(t, "y"), 1)
		one, err := ParseZones("z", collectionOf(featureAt("a", "["+ringOf(a)+"]")))
		two, err2 := ParseZones("z", collectionOf(featureAt("b", "["+ringOf(b)+"]")))
		if err != nil || err2 != nil {
			t.Skip("a triangle around nothing")
		}
		overlap := one.Overlaps("a", two, "b")
		for range 300 {
			p := orb.Point{rapid.Float64Range(-1, 1).Draw(t, "px"), rapid.Float64Range(-1, 1).Draw(t, "py")}
			if planar.RingContains(a, p) && planar.RingContains(b, p) && !overlap {
				t.Fatalf("both hold %v", p)
			}
		}
		if overlap { // then a corner, or a crossing of edges, is in both
			some := false
			for i := 1; i < len(a); i++ {
				some = some || planar.RingContains(b, a[i])
				for j := 1; j < len(b); j++ {
					o := func(p, q, r orb.Point) bool { return orient(p, q, r) > 0 }
					some = some || planar.RingContains(a, b[j]) || o(a[i-1], a[i], b[j-1]) != o(a[i-1], a[i], b[j]) && o(b[j-1], b[j], a[i-1]) != o(b[j-1], b[j], a[i])
				}
			}
			if !some {
				t.Fatal("they share nothing")
			}
		}
	})
}

// TestOrientIsExact: the sign is right where rounding hides it.
func TestOrientIsExact(t *testing.T) {
	// Points of a line through sixteenths are exact; one step of the last bit is not.
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		dx, dy := float64(rnd.IntN(2000)-1000)/16, float64(rnd.IntN(2000)+1)/16
		a, b := orb.Point{0.5, 0.5}, orb.Point{0.5 + 3*dx, 0.5 + 3*dy}
		p := orb.Point{0.5 + dx, 0.5 + dy}
		if orient(a, b, p) != 0 {
			t.Fatalf("%v is not on %v %v", p, a, b)
		}
		left, right := p, p
		left[0], right[0] = math.Nextafter(p[0], -200), math.Nextafter(p[0], 200)
		if orient(a, b, left) <= 0 || orient(a, b, right) >= 0 {
			t.Fatalf("beside %v of %v %v: %v %v", p, a, b, orient(a, b, left), orient(a, b, right))
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

func TestLocateAllocatesNothing(t *testing.T) {
	z := zonesOf(t, featureAt("a", "["+ringOf(round(5000, 2, 41, 1))+"]"), featureAt("b", "[[[0,0],[0.3,0.1],[0,0.1],[0,0]]]"))
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

func BenchmarkParseZones(b *testing.B) {
	raw := collectionOf(featureAt("a", "["+ringOf(round(9_999, 2, 41, 1))+"]"))
	for range b.N {
		if _, err := ParseZones("z", raw); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzZones: whatever the bytes are, no panic and no long work; and what is
// accepted can be found by a point inside.
func FuzzZones(f *testing.F) {
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":{"type":"Polygon","coordinates":[]},"properties":null}]}`), 1.0, 1.0)
	f.Add(collectionOf(featureAt("a", "["+square(0, 0, 4)+","+square(1, 1, 1)+"]"), multiAt("b", "[["+square(2, 2, 4)+"]]")), 1.0, 1.0)
	f.Add(collectionOf("null"), 0.0, 0.0)
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","name":"A","gateway":"g"},"geometry":{"type":"Polygon","coordinates":[[[0,0,1],[1e-3,0],[0,0.5],[0,0,1]]]}}]}`), 0.1, 0.0)
	f.Fuzz(func(t *testing.T, raw []byte, lat, lon float64) {
		began := time.Now()
		z, err := ParseZones("x", raw)
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%d bytes take %v", len(raw), took)
		}
		if err != nil {
			return
		}
		_, _ = z.Locate(lat, lon)
		for _, pair := range z.Overlapping() {
			if !z.Overlaps(pair[0], z, pair[1]) {
				t.Fatalf("%v overlap and do not", pair)
			}
		}
		for i, one := range z.all {
			p := orb.Point{}
			e := one.turn(one.edges[0])
			for axis := range 2 {
				p[axis] = (e.a[axis] + e.b[axis]) / 2
			}
			if !one.contains(e.a) || !one.contains(e.b) {
				t.Fatalf("a corner of %s is outside of it", z.ids[i])
			}
			if id, ok := z.Locate(e.a[1], e.a[0]); !ok || id > z.ids[i] {
				t.Fatalf("a corner of %s is in %q", z.ids[i], id)
			}
		}
	})
}
