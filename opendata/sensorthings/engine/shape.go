package engine

import (
	"encoding/json"
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"

	"sluice/opendata/sensorthings/odata"
)

// Shape is GeoJSON (RFC 7946): as it is shown, and as a geometry where it is one.
type Shape struct {
	JSON     map[string]any
	Geometry orb.Geometry // nil where it is none
}

// NewShape reads a geometry or a feature.
func NewShape(raw []byte) (*Shape, error) {
	s := new(Shape)
	if err := json.Unmarshal(raw, &s.JSON); err != nil {
		return nil, err
	}
	if inner, ok := s.JSON["geometry"]; ok && s.JSON["type"] == "Feature" {
		var err error
		if raw, err = json.Marshal(inner); err != nil {
			return nil, err
		}
	}
	s.Geometry = fromGeoJSON(raw)
	return s, nil
}

// fromGeoJSON is nil for what is no geometry, and for what the library panics at.
func fromGeoJSON(raw []byte) (g orb.Geometry) {
	defer func() {
		if recover() != nil {
			g = nil
		}
	}()
	read, err := geojson.UnmarshalGeometry(raw)
	if err != nil || read.Coordinates == nil {
		return nil
	}
	if _, several := read.Coordinates.(orb.Collection); several {
		return nil
	}
	return read.Geometry()
}

// geometry is a value as a geometry; well-known text is one.
func geometry(v any) (orb.Geometry, bool) {
	switch v := v.(type) {
	case *Shape:
		return v.Geometry, v.Geometry != nil
	case orb.Geometry:
		return v, true
	case string:
		return odata.Geometry(v)
	}
	return nil, false
}

// weight is what comparing two shapes costs: each edge with each.
func weight(args []any) int {
	n := 1
	for _, v := range args {
		if g, ok := geometry(v); ok {
			n *= 1 + vertices(g)
		}
	}
	return n / 50
}

func vertices(g orb.Geometry) int {
	apart := takeApart(g)
	n := len(apart.points)
	for _, l := range apart.lines {
		n += len(l)
	}
	return n + 1
}

func relation(holds func(m matrix, a, b int) bool) function {
	return function{2, 2, []Sort{Shaped}, Bool, true, func(_ *scope, v []any) any {
		a, ok := geometry(v[0])
		b, ok2 := geometry(v[1])
		if !ok || !ok2 {
			return nil
		}
		return holds(relate(a, b), a.Dimensions(), b.Dimensions())
	}}
}

// shapes are the functions of shapes; relations are those of OGC 06-103r4, section 6.1.15.
// Distances and lengths are in degrees, as coordinates are.
var shapes = map[string]function{
	"geo.intersects": intersects, "st_intersects": intersects,
	"st_disjoint": relation(func(m matrix, _, _ int) bool { return m.is("FF*FF****") }),
	"st_equals":   relation(func(m matrix, _, _ int) bool { return m.is("T*F**FFF*") }),
	"st_within":   relation(func(m matrix, _, _ int) bool { return m.is("T*F**F***") }),
	"st_contains": relation(func(m matrix, _, _ int) bool { return m.is("T*****FF*") }),
	"st_touches": relation(func(m matrix, _, _ int) bool {
		return m.is("FT*******") || m.is("F**T*****") || m.is("F***T****")
	}),
	"st_overlaps": relation(func(m matrix, a, b int) bool {
		return a == b && (a == 1 && m.is("1*T***T**") || a != 1 && m.is("T*T***T**"))
	}),
	"st_crosses": relation(func(m matrix, a, b int) bool {
		return a < b && m.is("T*T******") || a > b && m.is("T*****T**") || a == 1 && b == 1 && m.is("0********")
	}),
	"st_relate": {3, 3, []Sort{Shaped, Shaped, Text}, Bool, true, func(_ *scope, v []any) any {
		a, ok := geometry(v[0])
		b, ok2 := geometry(v[1])
		pattern, ok3 := v[2].(string)
		if !ok || !ok2 || !ok3 || len(pattern) != 9 {
			return nil
		}
		return relate(a, b).is(pattern)
	}},
	"geo.distance": {2, 2, []Sort{Shaped}, Number, true, func(_ *scope, v []any) any {
		a, ok := geometry(v[0])
		b, ok2 := geometry(v[1])
		if !ok || !ok2 {
			return nil
		}
		return distance(a, b)
	}},
	"geo.length": {1, 1, []Sort{Shaped}, Number, true, func(_ *scope, v []any) any {
		a, ok := geometry(v[0])
		if !ok {
			return nil
		}
		return planar.Length(a)
	}},
}

var intersects = function{2, 2, []Sort{Shaped}, Bool, true, func(_ *scope, v []any) any {
	a, ok := geometry(v[0])
	b, ok2 := geometry(v[1])
	if !ok || !ok2 {
		return nil
	}
	return a.Bound().Intersects(b.Bound()) && !relate(a, b).is("FF*FF****")
}}

// distance is the shortest between two shapes; none where they meet.
func distance(a, b orb.Geometry) any {
	if a.Bound().Intersects(b.Bound()) && !relate(a, b).is("FF*FF****") {
		return 0.0
	}
	x, y := takeApart(a), takeApart(b)
	least := math.Inf(1)
	for _, p := range x.corners() {
		least = min(least, y.from(p))
	}
	for _, p := range y.corners() {
		least = min(least, x.from(p))
	}
	if math.IsInf(least, 0) {
		return nil
	}
	return least
}
