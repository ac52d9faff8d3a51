package zonemap

import (
	"math"
	"strings"
	"testing"
)

const zones = `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"west","properties":{"name":"West"},"geometry":{"type":"Polygon","coordinates":[[[2,41],[2.1,41],[2.1,41.1],[2.05,41.1],[2,41.1],[2,41]],[[2.02,41.02],[2.03,41.02],[2.03,41.03],[2.02,41.02]]]}},
{"type":"Feature","id":"east","properties":{},"geometry":{"type":"MultiPolygon","coordinates":[[[[2.1,41],[2.2,41],[2.2,41.1],[2.1,41]]],[[[2.2,41],[2.21,41],[2.21,41.01],[2.2,41]]]]}},
{"type":"Feature","id":7,"properties":{"id":"south"},"geometry":null},
{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[9,9],[9,8],[8,8],[9,9]]]}},
{"type":"Feature","id":"pole","properties":{},"geometry":{"type":"Point","coordinates":[50,80]}}]}`

func TestDraw(t *testing.T) {
	m, err := Draw([]byte(zones))
	if err != nil || len(m.Zones) != 4 || m.Zones[2].ID != "south" || m.Zones[3].ID != "pole" || m.Zones[3].Path != "" {
		t.Fatalf("%d zones (%v); want the four with an id, the last without a path", len(m.Zones), err)
	}
	w, e := m.Zones[0], m.Zones[1]
	if w.Name != "West" || e.Name != "east" || w.X >= e.X {
		t.Errorf("%+v is not west of %+v", w, e)
	}
	// 0.21 degrees of longitude at 41 degrees north are as long as 0.158 of latitude.
	if ratio := (m.Height - 2*margin) / (width - 2*margin); ratio < 0.62 || ratio > 0.64 {
		t.Errorf("the map is %v high, %v of its width", m.Height, ratio)
	}
	if strings.Count(w.Path, "M") != 2 || strings.Count(e.Path, "M") != 2 || strings.Count(w.Path, "Z") != 2 {
		t.Errorf("outlines are %s and %s; want a hole and an island", w.Path, e.Path)
	}
	if strings.Count(w.Path, "L") != 3+2 {
		t.Errorf("the corner on a straight line was kept: %s", w.Path)
	}
	if !w.Has(m.Point(2.04, 41.05)) || w.Has(m.Point(2.025, 41.0225)) || w.Has(m.Point(2.15, 41.02)) {
		t.Error("a zone has what is outside or in its hole, or not what is inside")
	}
	if metres, units := m.Bar(); metres != 2000 || math.Abs(units/(m.Width/17.6e3)-2000) > 150 {
		t.Errorf("a bar of %v metres is %v units", metres, units)
	}
	if west, south, east, north, some := Bound([]byte(zones)); !some || west != 2 || south != 41 || east != 2.21 ||
		north != 41.1 {
		t.Errorf("bound %v %v %v %v (%v)", west, south, east, north, some)
	}
}

func TestNothingToDraw(t *testing.T) {
	for raw, names := range map[string]int{`{"type":"FeatureCollection","features":[]}`: 0,
		`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":null,"geometry":null}]}`: 1} {
		if m, err := Draw([]byte(raw)); err != nil || len(m.Zones) != names || m.Height != 0 {
			t.Errorf("%s draws %+v (%v)", raw, m, err)
		}
	}
	if _, err := Draw([]byte(`{`)); err == nil {
		t.Error("half a file is drawn")
	}
	if _, _, _, _, some := Bound([]byte(`{"type":"FeatureCollection","features":[]}`)); some {
		t.Error("nothing has a bound")
	}
	one :=
		`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":{},` +
			`"geometry":{"type":"Polygon","coordinates":[[[2,41],[2,41],[2,41],[2,41]]]}}]}`
	if m, err := Draw([]byte(one)); err != nil || m.Zones[0].Path == "" || strings.Contains(m.Zones[0].Path, "NaN") {
		t.Errorf("a zone that is a point draws %+v (%v)", m, err)
	}
}

// TestOneBadFeature: what is no feature takes out itself alone.
func TestOneBadFeature(t *testing.T) {
	good :=
		`{"type":"Feature","id":"a","properties":{},"geometry":{"type":"Polygon","coordinates":[[[2,41],[3,41],[3,` +
			`42],[2,41]]]}}`
	for _, bad := range []string{`7`, `null`, `{}`, `{"type":"Feature","id":"b","properties":7}`,
		`{"type":"Feature","id":"b","geometry":{"type":"Polygon","coordinates":7}}`,
		`{"type":"Feature","id":"b","geometry":{"type":"Cube"}}`} {
		raw := []byte(`{"type":"FeatureCollection","features":[` + bad + `,` + good + `]}`)
		if m, err := Draw(raw); err != nil || len(m.Zones) != 1 || m.Zones[0].ID != "a" || m.Zones[0].Path == "" {
			t.Errorf("beside %s it draws %+v (%v)", bad, m, err)
		}
		if _, _, _, _, some := Bound(raw); !some {
			t.Errorf("beside %s there is no bound", bad)
		}
	}
	if _, err := Draw([]byte(`{"features":[` + good + `]}`)); err == nil {
		t.Error("what is no collection is drawn")
	}
}

// FuzzDraw draws whatever comes without a panic, and never without a number.
func FuzzDraw(f *testing.F) {
	f.Add([]byte(zones))
	f.Add(
		[]byte(
			`{"type":"FeatureCollection","features":[null,{"type":"Feature","id":"a","geometry":{"type":"Polygon",` +
				`"coordinates":[[]]}},{"type":"Feature","id":"b","geometry":{"type":"MultiPolygon","coordinates":[[]]}}]}`))
	f.Add(
		[]byte(
			`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":{"type":"Polygon",` +
				`"coordinates":[[[1e300,-1e300],[0,0],[1,1]]]}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Draw(raw)
		if err != nil {
			return
		}
		for _, z := range m.Zones {
			if strings.ContainsAny(z.Path, "<>\"&") {
				t.Errorf("a path is %q", z.Path)
			}
		}
		Bound(raw)
	})
}
