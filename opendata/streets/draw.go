package streets

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/simplify"

	"sluice/opendata/zonemap"
)

// Path is all that there is of one kind: the data of an SVG path, in steps of half a unit of
// the map (so that it is drawn with transform="scale(.5)").
type Path struct {
	Kind Kind
	// Area says that it is filled; else it is a line.
	Area bool
	D    string
}

// steps are those of a path in a unit of the map.
const steps = 2

// piece is what is seen of a feature on a picture.
type piece struct {
	*feature
	lines  []orb.LineString // on the picture
	length float64
}

// Draw draws the ground on a map, in at most so many bytes: finer shapes first lose their
// corners, then buildings and short streets are left out.
func (g *Ground) Draw(m zonemap.Map, most int) []Path {
	if g == nil || m.Height == 0 {
		return nil
	}
	var pieces []piece
	for i := range g.features {
		if p, some := g.features[i].on(m); some {
			pieces = append(pieces, p)
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(weight(&b), weight(&a)), cmp.Compare(b.length, a.length))
	})
	for far := 0.4; ; far *= 2 {
		paths, whole := write(pieces, far, most)
		if whole || far > 2 {
			return paths
		}
	}
}

// weight orders what is drawn first where there is little room.
func weight(p *piece) int {
	switch {
	case p.kind == Water:
		return 3
	case p.kind == Street && len(p.names) > 0, p.kind == Square, p.kind == Park:
		return 2
	case p.kind == Street:
		return 1
	}
	return 0
}

// on is what of a feature is on the picture.
func (f *feature) on(m zonemap.Map) (p piece, some bool) {
	p.feature = f
	box := orb.Bound{Max: orb.Point{m.Width, m.Height}}
	for _, l := range f.lines {
		moved := make(orb.LineString, 0, len(l))
		for i, q := range l {
			x, y := m.Point(q.Lon(), q.Lat())
			at := orb.Point{x, y}
			// what is nearer than a quarter of a unit is the same
			if n := len(moved); n > 0 && i < len(l)-1 && math.Hypot(x-moved[n-1][0], y-moved[n-1][1]) < 0.25 {
				continue
			}
			moved = append(moved, at)
		}
		if f.area {
			if ring := clip.Ring(box, orb.Ring(moved)); len(ring) > 3 {
				p.lines = append(p.lines, orb.LineString(ring))
			}
			continue
		}
		p.lines = append(p.lines, clip.LineString(box, moved)...)
	}
	for _, l := range p.lines {
		for i := 1; i < len(l); i++ {
			p.length += math.Hypot(l[i][0]-l[i-1][0], l[i][1]-l[i-1][1])
		}
	}
	return p, p.length >= 1
}

// write makes paths of pieces without corners that are nearer than far to the line between
// others; whole says that all of them had room.
func write(pieces []piece, far float64, most int) (paths []Path, whole bool) {
	type layer struct {
		kind Kind
		area bool
	}
	by := make(map[layer][]byte)
	used := 0
	for i := range pieces {
		var b []byte
		for _, l := range pieces[i].lines {
			b = appendLine(b, thin(l, far), pieces[i].area)
		}
		if used+len(b) > most {
			return layers(by, func(l layer, d string) Path { return Path{l.kind, l.area, d} }), false
		}
		used += len(b)
		at := layer{pieces[i].kind, pieces[i].area}
		by[at] = append(by[at], b...)
	}
	return layers(by, func(l layer, d string) Path { return Path{l.kind, l.area, d} }), true
}

// layers puts paths in the order in which they are drawn.
func layers[L comparable](by map[L][]byte, path func(L, string) Path) (out []Path) {
	for l := range maps.Keys(by) {
		if len(by[l]) > 0 {
			out = append(out, path(l, string(by[l])))
		}
	}
	slices.SortFunc(out, func(a, b Path) int {
		order := func(p Path) int {
			n := 2 * slices.Index(kinds, p.Kind)
			if !p.Area {
				n++
			}
			return n
		}
		return order(a) - order(b)
	})
	return out
}

// run is how many corners are thinned at a time: the method's time grows with the square of
// their number.
const run = 256

// thin takes corners off a line.
func thin(l orb.LineString, far float64) orb.LineString {
	var few orb.LineString
	for from := 0; from < len(l)-1; from += run {
		part := simplify.DouglasPeucker(far).LineString(l[from:min(from+run+1, len(l))].Clone())
		if from > 0 {
			part = part[1:] // the end of the part before
		}
		few = append(few, part...)
	}
	return few
}

// appendLine adds a line to a path, in steps from corner to corner.
func appendLine(b []byte, l orb.LineString, closed bool) []byte {
	if closed && len(l) > 1 {
		l = l[:len(l)-1]
	}
	x, y, drawn := 0, 0, 0
	begin := len(b)
	for i, q := range l {
		toX, toY := int(math.Round(q.X()*steps)), int(math.Round(q.Y()*steps))
		switch {
		case i == 0:
			b = pair(append(b, 'M'), toX, toY)
		case toX == x && toY == y:
			continue
		default:
			b = pair(append(b, 'l'), toX-x, toY-y)
			drawn++
		}
		x, y = toX, toY
	}
	if drawn == 0 || closed && drawn < 2 {
		return b[:begin] // too small to be seen
	}
	if closed {
		b = append(b, 'z')
	}
	return b
}

func pair(b []byte, x, y int) []byte {
	b = strconv.AppendInt(b, int64(x), 10)
	if y >= 0 {
		b = append(b, ' ')
	}
	return strconv.AppendInt(b, int64(y), 10)
}
