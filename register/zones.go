package register

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/paulmach/orb"
)

// Zones are the named areas of a city, from zones.geojson: a FeatureCollection
// (RFC 7946) whose features have an id, or a property id, and a Polygon or
// MultiPolygon. Properties that are read: name, name:LANGUAGE as OpenStreetMap has it, gateway. A
// file has one reading or is refused.
type Zones struct {
	raw  []byte
	ids  []string
	zone map[string]*zone
	// all are the zones in the order of ids.
	all []*zone
	// grid finds the few candidates for a point: side x side buckets of zones.
	grid  [][]int32
	side  int
	bound orb.Bound
}

type zone struct {
	feature
	*outline
}

// The index of zones: so many buckets a side, and so many entries at most; zones
// that lie one over another get fewer buckets.
const (
	maxSide    = 64
	maxEntries = 1 << 18
)

// FeatureError is what is wrong with one feature of zones.geojson, which begins on Line.
type FeatureError struct {
	File, Who string
	Line      int
	Err       error
}

func (e *FeatureError) Error() string { return e.File + ": " + e.Who + ": " + e.Err.Error() }

func (e *FeatureError) Unwrap() error { return e.Err }

// ParseZones reads zones.geojson. Its cost is bounded whatever the bytes are:
// yamldoc.MaxFile, MaxZones, MaxPositions and MaxOutline. Errors name the feature,
// by number and id, and how to fix it; the file's name is used in errors only.
func ParseZones(file string, raw []byte) (*Zones, error) {
	if err := scan(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	features, err := read(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	z, work := &Zones{raw: raw, zone: make(map[string]*zone)}, 0
	for i, f := range features {
		one, err := newZone(f, &work)
		if one != nil && err == nil && z.zone[one.id] != nil {
			err = errors.New("is there twice; give it another id")
		}
		if err != nil {
			who := fmt.Sprintf("feature %d", i+1)
			if one != nil {
				who += " (" + one.id + ")"
			}
			return nil, &FeatureError{File: file, Who: who,
				Line: 1 + bytes.Count(raw[:max(0, bytes.Index(raw, f))], []byte("\n")), Err: err}
		}
		z.zone[one.id] = one
		z.ids = append(z.ids, one.id)
	}
	slices.Sort(z.ids)
	for _, id := range z.ids {
		z.all = append(z.all, z.zone[id])
	}
	z.index()
	return z, nil
}

// newZone reads one feature; with an error it is nil or knows its id.
func newZone(raw []byte, work *int) (*zone, error) {
	f, err := featureOf(raw)
	if err != nil {
		if f.id == "" {
			return nil, err
		}
		return &zone{feature: f}, err
	}
	z := &zone{feature: f}
	edges, err := edgesOf(f.area)
	if err != nil {
		return z, err
	}
	z.outline = newOutline(edges)
	return z, z.sound(work)
}

func (z *Zones) index() {
	if len(z.all) == 0 {
		return
	}
	z.bound = z.all[0].box
	for _, one := range z.all {
		z.bound = z.bound.Union(one.box)
	}
	for z.side = maxSide; z.side > 1; z.side /= 2 {
		entries := 0
		for _, one := range z.all {
			x0, y0 := z.bucket(one.box.Min)
			x1, y1 := z.bucket(one.box.Max)
			entries += (x1 - x0 + 1) * (y1 - y0 + 1)
		}
		if entries <= maxEntries {
			break
		}
	}
	z.grid = make([][]int32, z.side*z.side)
	for i, one := range z.all {
		x0, y0 := z.bucket(one.box.Min)
		x1, y1 := z.bucket(one.box.Max)
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				z.grid[y*z.side+x] = append(z.grid[y*z.side+x], int32(i))
			}
		}
	}
}

func (z *Zones) bucket(p orb.Point) (x, y int) {
	place := func(v, lo, hi float64) int {
		return min(z.side-1, max(0, int((v-lo)/(hi-lo)*float64(z.side))))
	}
	return place(p[0], z.bound.Min[0], z.bound.Max[0]), place(p[1], z.bound.Min[1], z.bound.Max[1])
}

// Locate finds the zone that holds a point, in degrees (WGS 84). A point on a
// border, or in several zones, belongs to the first of them by id. It allocates
// nothing.
func (z *Zones) Locate(lat, lon float64) (string, bool) {
	p := orb.Point{lon, lat}
	if len(z.all) == 0 || !holds(&z.bound, p) {
		return "", false
	}
	x, y := z.bucket(p)
	for _, i := range z.grid[y*z.side+x] {
		if z.all[i].contains(p) {
			return z.ids[i], true
		}
	}
	return "", false
}

// maxPairs bounds what Overlapping says.
const maxPairs = 1000

// Overlaps reports whether the areas of zone a in z and of zone b in other share
// ground, and not only borders or corners; false where one of them is no zone. Where
// outlines are so intricate that it would take seconds to tell, it is true.
//
// Borders of neighbours need the same corners in both outlines: a corner that one
// has and the other has not is rounded, and makes a sliver that both cover.
func (z *Zones) Overlaps(a string, other *Zones, b string) bool {
	work := 0
	return z.Has(a) && other.Has(b) && z.zone[a].meets(other.zone[b].outline, &work)
}

// Overlapping are the pairs of zones that share ground, by Overlaps, sorted: in
// each pair and as a list. The first of a pair gets the points that both hold. At
// most 1,000 pairs are given, fewer where outlines are very intricate.
func (z *Zones) Overlapping() [][2]string {
	var list [][2]string
	work := 0
	for i, a := range z.all {
		for j := i + 1; j < len(z.all); j++ {
			meets := a.meets(z.all[j].outline, &work)
			if work > maxWork || len(list) == maxPairs {
				return list
			}
			if meets {
				list = append(list, [2]string{z.ids[i], z.ids[j]})
			}
		}
	}
	return list
}

// IDs are the zones' ids, sorted.
func (z *Zones) IDs() []string { return z.ids }

// Has reports whether there is a zone of this id.
func (z *Zones) Has(id string) bool { return z.zone[id] != nil }

// Name is what people call the zone: its property name, or its id.
func (z *Zones) Name(id string) string {
	if one := z.zone[id]; one != nil && one.name != "" {
		return one.name
	}
	return id
}

// NameIn is what people call the zone in a language: its property name:LANGUAGE, or else Name.
func (z *Zones) NameIn(id, lang string) string {
	if one := z.zone[id]; one != nil && one.names[lang] != "" {
		return one.names[lang]
	}
	return z.Name(id)
}

// Names are what people call the zone in some languages beside Name; nil for none. Callers do not
// change them.
func (z *Zones) Names(id string) map[string]string {
	if one := z.zone[id]; one != nil {
		return one.names
	}
	return nil
}

// Gateway is the gateway to which the zone belongs: its property gateway; empty
// for the city's only one.
func (z *Zones) Gateway(id string) string {
	if one := z.zone[id]; one != nil {
		return one.gateway
	}
	return ""
}

// SameArea reports whether a zone covers the same area in both.
func (z *Zones) SameArea(id string, other *Zones) bool {
	a, b := z.zone[id], other.zone[id]
	return a == b || a != nil && b != nil && a.area.Equal(b.area)
}

// GeoJSON is the file as the council voted it.
func (z *Zones) GeoJSON() []byte { return z.raw }
