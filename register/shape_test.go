package register

import "testing"

// TestShape: another corner anywhere is another shape; another id or name is not.
func TestShape(t *testing.T) {
	zones := func(corner string) *Zones {
		z, err := ParseZones("zones.geojson", []byte(`{"type": "FeatureCollection", "features": [
{"type": "Feature", "id": "a", "properties": {"name": "A"},
 "geometry": {"type": "Polygon", "coordinates": [[[1,2],[3,2],`+corner+`,[1,4],[1,2]]]}},
{"type": "Feature", "id": "b", "properties": {},
 "geometry": {"type": "Polygon", "coordinates": [[[1,2],[3,2],[3,4],[1,4],[1,2]]]}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	z := zones("[3,4]")
	if a, b := z.Shape("a"), z.Shape("b"); a != b || a.Corners != 5 || a.South != 2 || a.West != 1 || a.North != 4 ||
		a.East != 3 || len(a.Digest) != 16 {
		t.Errorf("shapes are %+v and %+v", a, b)
	}
	if z.Shape("a") == zones("[3,4.0000001]").Shape("a") {
		t.Error("another corner is the same shape")
	}
	if z.Shape("c") != (Shape{}) {
		t.Error("a zone that is not there has a shape")
	}
}
