package register

import (
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// outline is a zone's area as directed edges with the area on their left, found by
// strips: bands of equal height, each with the edges that reach into it.
//
// Where that puts fewer edges into a strip, longitude and latitude are swapped, and
// edges turned round, which keeps the area on their left.
type outline struct {
	box    orb.Bound // in degrees
	edges  []edge
	strips [][]int32
	swap   bool
	low    float64 // where the first strip begins
	perOne float64 // strips for each degree
}

// edge goes from a to b; ring tells a zone's rings apart.
type edge struct {
	a, b orb.Point
	ring int32
}

// flip swaps the axes, and turns the edge round so that its area stays on the left.
func (e edge) flip() edge {
	return edge{orb.Point{e.b[1], e.b[0]}, orb.Point{e.a[1], e.a[0]}, e.ring}
}

// minArea in square degrees is about a square decimetre: less is a slip of the pen.
const minArea = 1e-12

// edgesOf checks the rings of an area (RFC 7946, section 3.1.6), and makes their
// edges: outer rings turn left, holes right.
func edgesOf(area orb.MultiPolygon) ([]edge, error) {
	var list []edge
	ring, twice := int32(0), 0.0
	for _, polygon := range area {
		for n, r := range polygon {
			if len(list)+len(r) > MaxOutline {
				return nil, fmt.Errorf("has more than %d positions; simplify its outline", MaxOutline)
			}
			turn, err := checkRing(r)
			if err != nil {
				return nil, err
			}
			if twice += math.Abs(turn); n > 0 {
				twice -= 2 * math.Abs(turn)
			}
			for i := 1; i < len(r); i++ {
				e := edge{r[i-1], r[i], ring}
				if (turn > 0) != (n == 0) {
					e.a, e.b = e.b, e.a
				}
				if e.a != e.b {
					list = append(list, e)
				}
			}
			ring++
		}
	}
	if twice/2 < minArea {
		return nil, errors.New("has holes that leave nothing; take one out")
	}
	return list, nil
}

// checkRing returns twice the ring's area in square degrees, positive where it turns left.
func checkRing(r orb.Ring) (float64, error) {
	if len(r) < 4 || r[0] != r[len(r)-1] {
		return 0, errors.New("has a ring that is not closed: four positions or more, the last equal to the first")
	}
	twice := 0.0
	for i, p := range r {
		if !(math.Abs(p.Lon()) <= 180 && math.Abs(p.Lat()) <= 90) {
			return 0, errors.New("has a position that is not on earth: longitude within -180 to 180 and latitude " +
				"within -90 to 90, in this order")
		}
		if i > 0 {
			q := r[i-1]
			twice += (q[0]-r[0][0])*(p[1]-r[0][1]) - (p[0]-r[0][0])*(q[1]-r[0][1])
		}
	}
	if math.Abs(twice)/2 < minArea {
		return 0, errors.New("has a ring that encloses nothing; draw three corners or more around an area")
	}
	return twice, nil
}

// newOutline makes the strips: as many as there are edges for, and few enough that
// long edges do not fill them.
func newOutline(edges []edge) *outline {
	o := &outline{box: orb.Bound{Min: edges[0].a, Max: edges[0].a}}
	wide, high := 0.0, 0.0
	for _, e := range edges {
		o.box = o.box.Extend(e.a)
		wide, high = wide+math.Abs(e.a[0]-e.b[0]), high+math.Abs(e.a[1]-e.b[1])
	}
	size := orb.Point{o.box.Max[0] - o.box.Min[0], o.box.Max[1] - o.box.Min[1]}
	o.swap = wide*size[1] < high*size[0]
	o.low = o.box.Min[1]
	if o.swap {
		o.low, size[1] = o.box.Min[0], size[0]
	}
	for _, e := range edges {
		o.edges = append(o.edges, o.turn(e))
	}
	for n := max(1, len(edges)/2); ; n /= 2 {
		o.perOne = float64(n) / size[1]
		if n == 1 || o.entries(n) <= 8*len(edges) {
			o.fill(n)
			return o
		}
	}
}

// turn takes an edge to the strips' coordinates, or back.
func (o *outline) turn(e edge) edge {
	if o.swap {
		return e.flip()
	}
	return e
}

// span is which of n strips hold y between lo and hi.
func (o *outline) span(lo, hi float64, n int) (from, to int) {
	at := func(y float64) int { return min(n-1, max(0, int((y-o.low)*o.perOne))) }
	return at(lo), at(hi)
}

func (o *outline) entries(n int) (sum int) {
	for _, e := range o.edges {
		from, to := o.span(min(e.a[1], e.b[1]), max(e.a[1], e.b[1]), n)
		sum += to - from + 1
	}
	return sum
}

func (o *outline) fill(n int) {
	o.strips = make([][]int32, n)
	for i, e := range o.edges {
		from, to := o.span(min(e.a[1], e.b[1]), max(e.a[1], e.b[1]), n)
		for s := from; s <= to; s++ {
			o.strips[s] = append(o.strips[s], int32(i))
		}
	}
}

// holds reports whether a point lies in a box; never for what is no number.
func holds(b *orb.Bound, p orb.Point) bool {
	return p[0] >= b.Min[0] && p[0] <= b.Max[0] && p[1] >= b.Min[1] && p[1] <= b.Max[1]
}

// contains reports whether a point, in degrees, lies in the area or on its border.
func (o *outline) contains(p orb.Point) bool {
	if !holds(&o.box, p) {
		return false
	}
	if o.swap {
		p[0], p[1] = p[1], p[0]
	}
	in := false
	at, _ := o.span(p[1], p[1], len(o.strips))
	for _, i := range o.strips[at] {
		e := &o.edges[i]
		lo, hi := min(e.a[1], e.b[1]), max(e.a[1], e.b[1])
		if p[1] < lo || p[1] > hi || p[0] > max(e.a[0], e.b[0]) {
			continue // the ray to the right does not meet it
		}
		if p[0] >= min(e.a[0], e.b[0]) {
			side := orient(e.a, e.b, p)
			if side == 0 {
				return true
			}
			if (side > 0) != (e.a[1] < e.b[1]) {
				continue // it lies to the left
			}
		}
		if lo <= p[1] && p[1] < hi {
			in = !in
		}
	}
	return in
}

// around is how often the area lies around a point of the strips' coordinates,
// just above it, without what the edge skip adds; work counts the edges looked at.
func (o *outline) around(p orb.Point, skip int, work *int) (n int) {
	at, _ := o.span(p[1], p[1], len(o.strips))
	*work += len(o.strips[at])
	for _, i := range o.strips[at] {
		if int(i) != skip {
			n += o.edges[i].crossed(p)
		}
	}
	return n
}

// across is around with the axes swapped, by all edges.
func (o *outline) across(p orb.Point, skip int, work *int) (n int) {
	*work += len(o.edges)
	for i, e := range o.edges {
		if i != skip {
			x := e.flip()
			n += x.crossed(orb.Point{p[1], p[0]})
		}
	}
	return n
}

// crossed is 1 where the ray from a point to the right crosses the edge as it goes
// up, -1 as it goes down.
func (e *edge) crossed(p orb.Point) int {
	up := e.a[1] < e.b[1]
	switch {
	case p[1] < min(e.a[1], e.b[1]) || p[1] >= max(e.a[1], e.b[1]) || (orient(e.a, e.b, p) > 0) != up:
		return 0
	case up:
		return 1
	}
	return -1
}
