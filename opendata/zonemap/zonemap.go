// Package zonemap projects the voted zones to a flat map: their outlines as SVG paths,
// north up.
//
// Longitudes are scaled by the cosine of the middle latitude (equirectangular projection),
// whose distortion is invisible in a city. Outlines are simplified to half a unit of the
// picture (Douglas and Peucker, 1973).
package zonemap

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/simplify"
)

// Map is a picture of Width by Height units.
type Map struct {
	Width, Height float64
	Zones         []Zone
	onto          projection
}

// Zone is one zone's outline and the point at which its name may stand, within
// Room units.
type Zone struct {
	ID, Name   string
	Path       string
	X, Y, Room float64
	flat       orb.MultiPolygon
	names      map[string]any // properties, of which name:LANGUAGE are names
}

// The picture's size: so wide, and no higher than that. What is around the zones is seen in
// the margin.
const (
	width  = 640.0
	margin = 20.0
)

// Point is where a place on earth is on the picture, in units from its upper left corner.
func (m Map) Point(lon, lat float64) (x, y float64) {
	q := m.onto.point(orb.Point{lon, lat})
	return q.X(), q.Y()
}

// Inside reports whether a point of the picture is on it.
func (m Map) Inside(x, y float64) bool { return x >= 0 && x <= m.Width && y >= 0 && y <= m.Height }

// perDegree are the metres of a degree of latitude, on a sphere with the earth's mean radius.
const perDegree = 6371008.8 * math.Pi / 180

// Bar is a scale bar: a round number of metres and how many units they are, at most a
// quarter of the picture; zero where there is no picture.
func (m Map) Bar() (metres, units float64) {
	per := m.onto.perLat / perDegree
	most := m.Width / 4 / per
	if m.Height == 0 || !(most > 0) || math.IsInf(most, 0) {
		return 0, 0
	}
	metres = math.Pow(10, math.Floor(math.Log10(most)))
	for _, n := range []float64{5, 2} {
		if n*metres <= most {
			metres *= n
			break
		}
	}
	return metres, round(metres * per)
}

// In is the map with its zones called as in a language (name:LANGUAGE), where they are.
func (m Map) In(lang string) Map {
	m.Zones = slices.Clone(m.Zones)
	for i := range m.Zones {
		if name, _ := m.Zones[i].names["name:"+lang].(string); name != "" {
			m.Zones[i].Name = name
		}
	}
	return m
}

// Called is a zone of another language's map as this one calls it; nil for nil.
func (m Map) Called(z *Zone) *Zone {
	for i := range m.Zones {
		if z != nil && m.Zones[i].ID == z.ID {
			return &m.Zones[i]
		}
	}
	return z
}

// Names are what the zone is called in all languages.
func (z *Zone) Names() []string {
	out := []string{z.Name}
	for key := range z.names {
		if name, _ := z.names[key].(string); strings.HasPrefix(key, "name:") && name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out[1:])
	return out
}

// Has reports whether a point of the picture is in the zone.
func (z *Zone) Has(x, y float64) bool { return planar.MultiPolygonContains(z.flat, orb.Point{x, y}) }

// Draw reads a GeoJSON FeatureCollection of polygons (RFC 7946) and draws it.
// Features without an id are left out; those of other shapes have a name and no path.
func Draw(raw []byte) (Map, error) {
	features, err := read(raw)
	if err != nil {
		return Map{}, err
	}
	m := Map{Width: width}
	bound, some := around(features)
	p := onto(bound)
	if some {
		m.Height, m.onto = p.height, p
	}
	for _, f := range features {
		if z, ok := p.zone(f); ok {
			m.Zones = append(m.Zones, z)
		}
	}
	return m, nil
}

// read is the features of a collection. A gateway writes no file that the library chokes
// on, but books come from elsewhere, and in a city of several gateways from each: what is
// no feature takes out itself alone.
func read(raw []byte) (features []*geojson.Feature, err error) {
	var all struct {
		Type     string            `json:"type"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("zones.geojson: %w", err)
	}
	if all.Type != "FeatureCollection" {
		return nil, errors.New("zones.geojson: it is no FeatureCollection")
	}
	for _, one := range all.Features {
		if f := feature(one); f != nil {
			features = append(features, f)
		}
	}
	return features, nil
}

// feature is the library's parser; nil for what it refuses or panics at.
func feature(raw []byte) (f *geojson.Feature) {
	defer func() {
		if recover() != nil {
			f = nil
		}
	}()
	f, err := geojson.UnmarshalFeature(raw)
	if err != nil {
		return nil
	}
	return f
}

// around is the box of all shapes; false where there are none.
func around(features []*geojson.Feature) (b orb.Bound, some bool) {
	for _, f := range features {
		if shape(f) == nil {
			continue
		}
		if !some {
			b, some = f.Geometry.Bound(), true
		}
		b = b.Union(f.Geometry.Bound())
	}
	return b, some
}

func shape(f *geojson.Feature) orb.MultiPolygon {
	if zoneID(f) == "" {
		return nil
	}
	switch g := f.Geometry.(type) {
	case orb.Polygon:
		return orb.MultiPolygon{g}
	case orb.MultiPolygon:
		return g
	}
	return nil
}

// projection maps degrees to the picture.
type projection struct {
	west, north, perLon, perLat, height float64
}

func onto(b orb.Bound) projection {
	squeeze := math.Cos(b.Center().Lat() * math.Pi / 180)
	wide, high := max(1e-9, (b.Max.Lon()-b.Min.Lon())*squeeze), max(1e-9, b.Max.Lat()-b.Min.Lat())
	scale := min((width-2*margin)/wide, (width-2*margin)/high)
	p := projection{perLon: scale * squeeze, perLat: scale, height: math.Ceil(high*scale + 2*margin)}
	p.north = b.Max.Lat() + margin/p.perLat
	p.west = b.Min.Lon() - (width-wide*scale)/2/p.perLon
	return p
}

func (p projection) point(q orb.Point) orb.Point {
	return orb.Point{(q.Lon() - p.west) * p.perLon, (p.north - q.Lat()) * p.perLat}
}

func (p projection) zone(f *geojson.Feature) (Zone, bool) {
	z := Zone{ID: zoneID(f)}
	name, _ := f.Properties["name"].(string)
	z.Name, z.names = cmp.Or(name, z.ID), f.Properties
	largest := 0.0
	for _, polygon := range shape(f) {
		var flat orb.Polygon
		for _, ring := range polygon {
			moved := make(orb.Ring, len(ring))
			for i, q := range ring {
				moved[i] = p.point(q)
			}
			flat = append(flat, thin(moved))
		}
		z.Path += path(flat)
		z.flat = append(z.flat, flat)
		if at, area := planar.CentroidArea(flat); math.Abs(area) > largest {
			largest = math.Abs(area)
			z.X, z.Y, z.Room = round(at.X()), round(at.Y()), flat.Bound().Max.X()-flat.Bound().Min.X()
		}
	}
	return z, z.ID != ""
}

// zoneID is the zone's name in the register: the feature's id, or a property id.
func zoneID(f *geojson.Feature) string {
	if id, ok := f.ID.(string); ok {
		return id
	}
	id, _ := f.Properties["id"].(string)
	return id
}

// run is how many corners are thinned at a time: the method's time grows with the
// square of their number.
const run = 512

// thin takes corners off an outline that cannot be seen, unless nothing would be left.
func thin(ring orb.Ring) orb.Ring {
	var few orb.Ring
	for from := 0; from < len(ring)-1; from += run {
		part := simplify.DouglasPeucker(0.5).LineString(orb.LineString(ring[from:min(from+run+1, len(ring))]).Clone())
		if from > 0 {
			part = part[1:] // the end of the part before
		}
		few = append(few, part...)
	}
	if len(few) > 3 {
		return few
	}
	return ring
}

func path(polygon orb.Polygon) string {
	var b []byte
	for _, ring := range polygon {
		if len(ring) < 4 {
			continue // too small to be seen
		}
		for i, q := range ring[:len(ring)-1] {
			b = append(b, map[bool]byte{true: 'M', false: 'L'}[i == 0])
			b = strconv.AppendFloat(b, round(q.X()), 'f', -1, 64)
			b = append(b, ' ')
			b = strconv.AppendFloat(b, round(q.Y()), 'f', -1, 64)
		}
		b = append(b, 'Z')
	}
	return string(b)
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

// Bound is the rectangle around all zones, in degrees; false where there are none.
func Bound(raw []byte) (west, south, east, north float64, some bool) {
	features, err := read(raw)
	if err != nil {
		return 0, 0, 0, 0, false
	}
	b, some := around(features)
	return b.Min.Lon(), b.Min.Lat(), b.Max.Lon(), b.Max.Lat(), some
}
