package register

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

// file is a FeatureCollection of features.
func collectionOf(features ...string) []byte {
	return []byte(`{"type":"FeatureCollection","features":[` + strings.Join(features, ",\n") + `]}`)
}

// featureAt is a feature with a Polygon of these coordinates.
func featureAt(id, coordinates string) string {
	return `{"type":"Feature","id":"` + id + `","properties":{},"geometry":{"type":"Polygon","coordinates":` +
		coordinates + `}}`
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

const ok = "[[[0,0],[1,0],[1,1],[0,1],[0,0]]]"

// with is a file with one zone in which something is written otherwise.
func with(old, to string) []byte {
	return collectionOf(strings.Replace(featureAt("a", ok), old, to, 1))
}

type refused struct {
	raw  []byte
	want string // part of the error
}

func refuses(t *testing.T, files map[string]refused) {
	t.Helper()
	for name, c := range files {
		_, err := ParseZones("zones.geojson", c.raw)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "zones.geojson: ") {
			t.Errorf("%s gives %v; want an error with %q", name, err, c.want)
		}
	}
}

// TestZonesHaveOneReading: what two readers could take differently is refused, and
// the error names the feature and the way out.
func TestZonesHaveOneReading(t *testing.T) {
	refuses(t, map[string]refused{
		"null feature":   {collectionOf("null"), "feature 1: not a GeoJSON Feature"},
		"number feature": {collectionOf("7"), "feature 1: not a GeoJSON Feature"},
		"second feature": {collectionOf(featureAt("a", ok), "[]"), "feature 2"},
		"no JSON":        {[]byte("zones"), "not JSON"},
		"cut":            {collectionOf(featureAt("a", ok))[:60], "not JSON"},
		"comma":          {[]byte(`{"type":"FeatureCollection","features":[],}`), "not JSON"},
		"tail":           {append(collectionOf(), "{}"...), "behind the end"},
		"a list":         {[]byte("[]"), "not a GeoJSON FeatureCollection"},
		"one feature":    {[]byte(featureAt("a", ok)), "not a GeoJSON FeatureCollection"},
		"no features":    {[]byte(`{"type":"FeatureCollection"}`), "not a GeoJSON FeatureCollection"},
		"null features": {[]byte(`{"type":"FeatureCollection","features":null}`),
			"not a GeoJSON FeatureCollection"},
		"bytes":     {with(`"a"`, "\"\xff\""), "UTF-8"},
		"too large": {append(collectionOf(), make([]byte, 1<<20)...), "larger than 1 MiB"},
		"deep": {with("{}", `{"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+"}"),
			"nested more than 32"},
		"deep coordinates":   {with(ok, strings.Repeat("[", 40)+"1,2"+strings.Repeat("]", 40)), "nested more than 32"},
		"key twice":          {with(`"id":"a"`, `"id":"a","id":"b"`), `feature 1 (a): the key "id" is there twice`},
		"key twice, escaped": {with(`"id":"a"`, `"id":"a","\u0069d":"b"`), "there twice"},
		"property twice":     {with("{}", `{"name":"x","name":"y"}`), "there twice"},
		"other spelling":     {with(`"id":"a"`, `"id":"a","ID":"b"`), "rename it"},
		"long s":             {with(`"geometry"`, `"featureſ":[],"geometry"`), "rename it"},
		"crs": {[]byte(`{"type":"FeatureCollection","crs":{"type":"name"},"features":[]}`),
			"take crs out"},
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
	})
}

// TestZonesHaveOneGeometry: the same for what stands in a feature.
func TestZonesHaveOneGeometry(t *testing.T) {
	refuses(t, map[string]refused{
		"properties": {with("{}", `[]`), "not a GeoJSON Feature"},
		"point": {with(`"Polygon","coordinates":`+ok, `"Point","coordinates":[1,2]`),
			"Polygon or MultiPolygon"},
		"no geometry": {with(`{"type":"Polygon","coordinates":`+ok+`}`, "null"), "Polygon or MultiPolygon"},
		"collection": {with(`"Polygon","coordinates":`+ok, `"GeometryCollection","geometries":[]`),
			"Polygon or MultiPolygon"},
		"no coordinates":   {with(`,"coordinates":`+ok, ""), "feature 1"},
		"null coordinates": {with(ok, "null"), "coordinates are lists"},
		"empty":            {with(ok, "[]"), "coordinates are lists"},
		"empty ring":       {with(ok, "[[]]"), "coordinates are lists"},
		"null position":    {with("[1,0]", "null"), "feature 1 (a): coordinates are lists"},
		"null number":      {with("[1,0]", "[1,null]"), "coordinates are lists"},
		"text":             {with("[1,0]", `["1",0]`), "coordinates are lists"},
		"one number":       {with("[1,0]", "[1]"), "coordinates are lists"},
		"four numbers":     {with("[1,0]", "[1,0,0,0]"), "coordinates are lists"},
		"flat":             {with(ok, "[[0,0],[1,0],[1,1],[0,0]]"), "feature 1"},
		"infinite":         {with("[1,0]", "[1e999,0]"), "too large"},
		"off earth":        {with("[1,0]", "[181,0]"), "not on earth"},
		"swapped":          {with("[1,0]", "[0,91]"), "not on earth"},
		"not closed":       {with(",[0,0]]]", ",[0,0.5]]]"), "not closed"},
		"three positions":  {with(ok, "[[[0,0],[1,1],[0,0]]]"), "not closed"},
		"two points":       {with(ok, "[[[0,0],[1,1],[0,0],[0,0]]]"), "encloses nothing"},
		"a line":           {with(ok, "[[[0,0],[1,1],[2,2],[0,0]]]"), "encloses nothing"},
	})
}

// TestZonesSurviveTheirParser: a panic in the library is a refused file.
func TestZonesSurviveTheirParser(t *testing.T) {
	defer func() { unmarshal = geojson.UnmarshalFeature }()
	unmarshal = func([]byte) (*geojson.Feature, error) { panic("a fault of the library") }
	if _, err := ParseZones("zones.geojson", collectionOf(featureAt("a", "["+square(0, 0, 1)+"]"))); err == nil ||
		!strings.Contains(err.Error(), "feature 1: cannot be read") {
		t.Errorf("a panic gives %v", err)
	}
	unmarshal = func([]byte) (*geojson.Feature, error) { return nil, nil }
	if _, err := ParseZones("zones.geojson", collectionOf(featureAt("a", "["+square(0, 0, 1)+"]"))); err == nil {
		t.Error("no feature and no error is a zone")
	}
}
