package engine

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// matrix says of what dimension interior, boundary and exterior of one shape have in common
// with those of another: -1 for nothing (the DE-9IM of OGC 06-103r4, section 6.1.15.2).
type matrix [3][3]int

// The parts of a shape, and of everything.
const (
	interior = iota
	boundary
	exterior
)

func (m *matrix) set(a, b, dimension int) { m[a][b] = max(m[a][b], dimension) }

// is compares with a pattern of T, F, *, 0, 1 and 2, row by row.
func (m matrix) is(pattern string) bool {
	for n := range 9 {
		v := m[n/3][n%3]
		switch c := pattern[n]; c {
		case '*':
		case 'T', 't':
			if v < 0 {
				return false
			}
		case 'F', 'f':
			if v >= 0 {
				return false
			}
		default:
			if v != int(c)-'0' {
				return false
			}
		}
	}
	return true
}

// Points nearer than same are one (a tenth of a millimetre); beside an edge is looked at
// aside from it, which is a centimetre.
const (
	samePoint = 1e-9
	aside     = 1e-7
)

// parts are a shape taken apart: points, lines, or areas with their rings as lines.
type parts struct {
	dimension int
	points    []orb.Point
	lines     []orb.LineString
	areas     []orb.Polygon
	ends      map[orb.Point]int // of lines, how often
}

func takeApart(g orb.Geometry) *parts {
	p := &parts{dimension: g.Dimensions(), ends: make(map[orb.Point]int)}
	switch g := g.(type) {
	case orb.Point:
		p.points = []orb.Point{g}
	case orb.MultiPoint:
		p.points = g
	case orb.LineString:
		p.line(g)
	case orb.MultiLineString:
		for _, l := range g {
			p.line(l)
		}
	case orb.Polygon:
		p.area(g)
	case orb.MultiPolygon:
		for _, a := range g {
			p.area(a)
		}
	}
	return p
}

func (p *parts) line(l orb.LineString) {
	if len(l) == 0 {
		return
	}
	p.lines = append(p.lines, l)
	p.ends[l[0]]++
	p.ends[l[len(l)-1]]++
}

func (p *parts) area(a orb.Polygon) {
	if len(a) == 0 || len(a[0]) < 4 {
		return
	}
	p.areas = append(p.areas, a)
	for _, r := range a {
		p.lines = append(p.lines, orb.LineString(r))
	}
}

// corners are all points that are given.
func (p *parts) corners() []orb.Point {
	list := append([]orb.Point{}, p.points...)
	for _, l := range p.lines {
		list = append(list, l...)
	}
	return list
}

// from is how far a point is from the nearest point or line.
func (p *parts) from(q orb.Point) float64 {
	least := math.Inf(1)
	for _, x := range p.points {
		least = min(least, planar.Distance(x, q))
	}
	for _, l := range p.lines {
		for n := range len(l) - 1 {
			least = min(least, planar.DistanceFromSegment(l[n], l[n+1], q))
		}
	}
	return least
}

// where says which part of the shape a point is in. A line's boundary are the ends that an
// odd number of lines have.
func (p *parts) where(q orb.Point) int {
	if p.from(q) <= samePoint {
		if p.dimension == 0 {
			return interior
		}
		if p.dimension == 2 {
			return boundary
		}
		for e, n := range p.ends {
			if n%2 == 1 && planar.Distance(e, q) <= samePoint {
				return boundary
			}
		}
		return interior
	}
	for _, a := range p.areas {
		if planar.PolygonContains(a, q) {
			return interior
		}
	}
	return exterior
}

// relate computes the matrix of two shapes: each is cut where it meets the other, and every
// piece, and what is beside it, is somewhere in the other.
func relate(a, b orb.Geometry) matrix {
	m := matrix{{-1, -1, -1}, {-1, -1, -1}, {-1, -1, 2}}
	x, y := takeApart(a), takeApart(b)
	look := func(q orb.Point, dimension int) { m.set(x.where(q), y.where(q), dimension) }
	for _, own := range []*parts{x, y} {
		other := y
		if own == y {
			other = x
		}
		for _, q := range own.points {
			look(q, 0)
		}
		for _, l := range own.lines {
			for n := range len(l) - 1 {
				pieces(l[n], l[n+1], other, look, own.dimension == 2)
			}
		}
	}
	if x.dimension == 2 && y.dimension < 2 {
		m.set(interior, exterior, 2)
	}
	if y.dimension == 2 && x.dimension < 2 {
		m.set(exterior, interior, 2)
	}
	return m
}

// pieces looks at an edge between the places at which it meets a shape.
func pieces(from, to orb.Point, other *parts, look func(orb.Point, int), sides bool) {
	length := planar.Distance(from, to)
	if length <= samePoint {
		look(from, 0)
		return
	}
	cuts := other.cuts(from, to)
	at := func(t float64) orb.Point {
		return orb.Point{from[0] + t*(to[0]-from[0]), from[1] + t*(to[1]-from[1])}
	}
	across := orb.Point{-(to[1] - from[1]) / length * aside, (to[0] - from[0]) / length * aside}
	for n, t := range cuts {
		look(at(t), 0)
		if n == 0 {
			continue
		}
		middle := at((t + cuts[n-1]) / 2)
		if (t-cuts[n-1])*length <= samePoint {
			continue
		}
		look(middle, 1)
		if sides && (t-cuts[n-1])*length > 4*aside {
			look(orb.Point{middle[0] + across[0], middle[1] + across[1]}, 2)
			look(orb.Point{middle[0] - across[0], middle[1] - across[1]}, 2)
		}
	}
}
