package engine

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// cuts are where an edge meets a shape, as parts of its length from 0 to 1, which both are
// among them.
func (p *parts) cuts(from, to orb.Point) []float64 {
	list := []float64{0, 1}
	add := func(q orb.Point) {
		if planar.DistanceFromSegment(from, to, q) <= samePoint {
			list = append(list, along(from, to, q))
		}
	}
	for _, q := range p.points {
		add(q)
	}
	box := orb.MultiPoint{from, to}.Bound().Pad(samePoint)
	for _, l := range p.lines {
		for n := range len(l) - 1 {
			if !box.Intersects(orb.MultiPoint{l[n], l[n+1]}.Bound()) {
				continue
			}
			add(l[n])
			add(l[n+1])
			if t, ok := crossing(from, to, l[n], l[n+1]); ok {
				list = append(list, t)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// along is where on an edge the point nearest to another is.
func along(from, to, q orb.Point) float64 {
	dx, dy := to[0]-from[0], to[1]-from[1]
	t := ((q[0]-from[0])*dx + (q[1]-from[1])*dy) / (dx*dx + dy*dy)
	return math.Min(1, math.Max(0, t))
}

// crossing is where on an edge another crosses it; false where they are parallel.
func crossing(a, b, c, d orb.Point) (float64, bool) {
	rx, ry, sx, sy := b[0]-a[0], b[1]-a[1], d[0]-c[0], d[1]-c[1]
	turn := rx*sy - ry*sx
	if turn == 0 {
		return 0, false
	}
	t := ((c[0]-a[0])*sy - (c[1]-a[1])*sx) / turn
	u := ((c[0]-a[0])*ry - (c[1]-a[1])*rx) / turn
	return t, t >= 0 && t <= 1 && u >= 0 && u <= 1
}
