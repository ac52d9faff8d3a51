package register

import (
	"errors"
	"fmt"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"
)

// Zones are the named areas of a city, from zones.geojson: a FeatureCollection
// (RFC 7946) whose features have an id, or a property id, and a Polygon or
// MultiPolygon.
type Zones struct {
	raw  []byte
	ids  []string
	area map[string]orb.MultiPolygon
	// name and gateway are the features' properties of these names.
	name, gateway map[string]string
	// grid finds the few candidates for a point: 64 x 64 buckets of zone indexes.
	grid  [buckets * buckets][]int32
	bound orb.Bound
}

const buckets = 64

// ParseZones reads zones.geojson.
func ParseZones(file string, raw []byte) (*Zones, error) {
	fc, err := geojson.UnmarshalFeatureCollection(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: not a GeoJSON FeatureCollection; check it with a GeoJSON editor", file)
	}
	z := &Zones{raw: raw, area: make(map[string]orb.MultiPolygon), name: make(map[string]string), gateway: make(map[string]string)}
	for i, f := range fc.Features {
		id, polygon, err := zone(f)
		if err != nil {
			return nil, fmt.Errorf("%s: feature %d: %w", file, i+1, err)
		}
		if _, taken := z.area[id]; taken {
			return nil, fmt.Errorf("%s: feature %d: zone %s is there twice", file, i+1, id)
		}
		z.area[id] = polygon
		z.name[id], _ = f.Properties["name"].(string)
		z.gateway[id], _ = f.Properties["gateway"].(string)
		z.ids = append(z.ids, id)
		if i == 0 {
			z.bound = polygon.Bound()
		}
		z.bound = z.bound.Union(polygon.Bound())
	}
	slices.Sort(z.ids)
	z.index()
	return z, nil
}

func zone(f *geojson.Feature) (string, orb.MultiPolygon, error) {
	id, ok := f.ID.(string)
	if !ok {
		id, ok = f.Properties["id"].(string)
	}
	if !ok || !name.MatchString(id) {
		return "", nil, errors.New("needs an id of letters, digits and _ . : -")
	}
	switch g := f.Geometry.(type) {
	case orb.Polygon:
		return id, orb.MultiPolygon{g}, nil
	case orb.MultiPolygon:
		return id, g, nil
	}
	return "", nil, errors.New("needs a Polygon or a MultiPolygon")
}

func (z *Zones) index() {
	for i, id := range z.ids {
		b := z.area[id].Bound()
		x0, y0 := z.bucket(b.Min)
		x1, y1 := z.bucket(b.Max)
		for x := x0; x <= x1; x++ {
			for y := y0; y <= y1; y++ {
				z.grid[y*buckets+x] = append(z.grid[y*buckets+x], int32(i))
			}
		}
	}
}

func (z *Zones) bucket(p orb.Point) (x, y int) {
	place := func(v, lo, hi float64) int {
		if hi <= lo {
			return 0
		}
		return min(buckets-1, max(0, int((v-lo)/(hi-lo)*buckets)))
	}
	return place(p[0], z.bound.Min[0], z.bound.Max[0]), place(p[1], z.bound.Min[1], z.bound.Max[1])
}

// Locate finds the zone that holds a point, in degrees (WGS 84). A point on a
// border belongs to the first zone by id.
func (z *Zones) Locate(lat, lon float64) (string, bool) {
	p := orb.Point{lon, lat}
	if len(z.ids) == 0 || !z.bound.Contains(p) {
		return "", false
	}
	x, y := z.bucket(p)
	for _, i := range z.grid[y*buckets+x] {
		if planar.MultiPolygonContains(z.area[z.ids[i]], p) {
			return z.ids[i], true
		}
	}
	return "", false
}

// IDs are the zones' ids, sorted.
func (z *Zones) IDs() []string { return z.ids }

// Has reports whether there is a zone of this id.
func (z *Zones) Has(id string) bool { return z.area[id] != nil }

// Name is what people call the zone: its property name, or its id.
func (z *Zones) Name(id string) string {
	if z.name[id] != "" {
		return z.name[id]
	}
	return id
}

// Gateway is the gateway to which the zone belongs: its property gateway; empty
// for the city's only one.
func (z *Zones) Gateway(id string) string { return z.gateway[id] }

// SameArea reports whether a zone covers the same area in both.
func (z *Zones) SameArea(id string, other *Zones) bool { return z.area[id].Equal(other.area[id]) }

// GeoJSON is the file as the council voted it.
func (z *Zones) GeoJSON() []byte { return z.raw }
