package register

import (
	"cmp"
	"errors"
	"slices"

	"github.com/paulmach/orb"
)

// How an area can be told from a drawing: around every point that is on no edge,
// outlines with their areas on the left must go once (inside) or not at all
// (outside). It is enough to look at both sides of every piece of every edge, cut
// where others touch it. That refuses bow-ties, holes outside of their rings, and
// parts that overlap, at once; and two zones share ground when their edges
// together fail the same test.

// maxWork bounds the edges that are looked at for one file, and for one question
// about two zones. An honest outline of 10,000 corners needs a hundredth of it.
const maxWork = 20_000_000

var (
	errCross = errors.New("has outlines that cross or touch themselves, or parts or holes that overlap or lie " +
		"outside; mend them with a GeoJSON editor")
	errDense = errors.New("has an outline too intricate to be checked; simplify it")
)

// sound reports what is wrong with an outline.
func (o *outline) sound(work *int) error {
	for i := range o.edges {
		bad := o.clash(o.edges[i], i, work)
		if *work > maxWork {
			return errDense
		}
		if bad {
			return errCross
		}
	}
	return nil
}

// meets reports whether two areas share more than a border. Where that would take
// too long to find out, it reports true.
func (o *outline) meets(other *outline, work *int) bool {
	if !o.box.Intersects(other.box) {
		return false
	}
	return o.enters(other, work) || other.enters(o, work)
}

// enters reports whether an edge of o crosses into the area of another.
func (o *outline) enters(other *outline, work *int) bool {
	*work += len(o.edges)
	for _, e := range o.edges {
		e = o.turn(e) // to degrees
		if (orb.Bound{Min: e.a, Max: e.a}).Extend(e.b).Intersects(other.box) && other.clash(other.turn(e), -1, work) ||
			*work > maxWork {
			return true
		}
	}
	return false
}

// clash looks at an edge, in the strips' coordinates: whether it crosses another, or
// lies where it may not. Self is its number, -1 where it is of another zone.
func (o *outline) clash(e edge, self int, work *int) bool {
	cuts := []orb.Point{e.a, e.b}
	var shared []orb.Point // pairs
	from, to := o.span(min(e.a[1], e.b[1]), max(e.a[1], e.b[1]), len(o.strips))
	for s := from; s <= to; s++ {
		*work += len(o.strips[s])
		if *work > maxWork {
			return false
		}
		for _, i := range o.strips[s] {
			f := &o.edges[i]
			if int(i) == self || apart(&e, f, 0) || apart(&e, f, 1) {
				continue
			}
			var bad bool
			if cuts, shared, bad = touch(&e, f, self >= 0, cuts, shared); bad {
				return true
			}
		}
	}
	return o.misplaced(&e, self, cuts, shared, work)
}

func apart(e, f *edge, axis int) bool {
	return max(e.a[axis], e.b[axis]) < min(f.a[axis], f.b[axis]) ||
		max(f.a[axis], f.b[axis]) < min(e.a[axis], e.b[axis])
}

// touch looks at two edges whose boxes meet. It adds the points of f on e to cuts,
// and a stretch that both run along, in opposite directions, to shared.
func touch(e, f *edge, same bool, cuts, shared []orb.Point) ([]orb.Point, []orb.Point, bool) {
	fa, fb := orient(e.a, e.b, f.a), orient(e.a, e.b, f.b)
	if fa > 0 && fb > 0 || fa < 0 && fb < 0 {
		return cuts, shared, false
	}
	ea, eb := orient(f.a, f.b, e.a), orient(f.a, f.b, e.b)
	if ea > 0 && eb > 0 || ea < 0 && eb < 0 {
		return cuts, shared, false
	}
	if fa != 0 && fb != 0 && ea != 0 && eb != 0 {
		return cuts, shared, true
	}
	if fa == 0 && fb == 0 {
		return along(e, f, cuts, shared)
	}
	if same && e.ring == f.ring && e.a != f.b && e.b != f.a {
		return cuts, shared, true // a ring that touches itself
	}
	if fa == 0 && within(e, f.a) {
		cuts = append(cuts, f.a)
	}
	if fb == 0 && within(e, f.b) {
		cuts = append(cuts, f.b)
	}
	return cuts, shared, false
}

// along is touch for edges on one line.
func along(e, f *edge, cuts, shared []orb.Point) ([]orb.Point, []orb.Point, bool) {
	a, b, c, d := e.a, e.b, f.a, f.b
	against := before(a, b) != before(c, d)
	if !before(a, b) {
		a, b = b, a
	}
	if !before(c, d) {
		c, d = d, c
	}
	lo, hi := a, b
	if before(lo, c) {
		lo = c
	}
	if before(d, hi) {
		hi = d
	}
	if !before(lo, hi) {
		return cuts, shared, false // end to end
	}
	return append(cuts, lo, hi), append(shared, lo, hi), !against
}

// before orders the points of a line.
func before(p, q orb.Point) bool { return p[0] < q[0] || p[0] == q[0] && p[1] < q[1] }

func within(e *edge, p orb.Point) bool {
	return p[0] >= min(e.a[0], e.b[0]) && p[0] <= max(e.a[0], e.b[0]) && p[1] >= min(e.a[1], e.b[1]) &&
		p[1] <= max(e.a[1], e.b[1])
}

// misplaced looks at the pieces between the cuts of an edge: to their left must be
// the area once, to their right not at all; and none of another zone's may be inside.
func (o *outline) misplaced(e *edge, self int, cuts, shared []orb.Point, work *int) bool {
	slices.SortFunc(cuts, func(p, q orb.Point) int { return cmp.Or(cmp.Compare(p[0], q[0]), cmp.Compare(p[1], q[1])) })
	for i := 1; i < len(cuts); i++ {
		p, q := cuts[i-1], cuts[i]
		if p == q || covered(p, q, shared) {
			continue
		}
		n := 0
		switch middle := (orb.Point{p[0] + (q[0]-p[0])/2, p[1] + (q[1]-p[1])/2}); {
		case between(p, q, middle, 1):
			n = o.around(middle, self, work) - belongs(e, self)
		case between(p, q, middle, 0): // rounded onto a corner's height: look the other way
			x := e.flip()
			n = o.across(middle, self, work) - belongs(&x, self)
		}
		if n != 0 {
			return true
		}
	}
	return false
}

// between reports whether a ray along the other axis from a piece's middle misses the
// piece's ends.
func between(p, q, middle orb.Point, axis int) bool {
	if p[axis] == q[axis] {
		axis = 1 - axis
	}
	return min(p[axis], q[axis]) < middle[axis] && middle[axis] < max(p[axis], q[axis])
}

// belongs is how often an area lies around a point just above the middle of its own
// edge, without what the edge adds.
func belongs(e *edge, self int) int {
	if self >= 0 && (e.a[1] > e.b[1] || e.a[1] == e.b[1] && e.a[0] < e.b[0]) {
		return 1
	}
	return 0
}

// covered reports whether a piece is one that two edges share.
func covered(p, q orb.Point, shared []orb.Point) bool {
	for i := 0; i < len(shared); i += 2 {
		if !before(p, shared[i]) && !before(shared[i+1], q) {
			return true
		}
	}
	return false
}
