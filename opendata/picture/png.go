package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// maxPixels bounds a PNG: 2,400 by 2,400.
const maxPixels = 2400 * 2400

// PNG is the sheet on paper, with so many pixels a unit.
func (s *Sheet) PNG(scale float64) ([]byte, error) {
	wide, high := int(math.Ceil(s.Wide*scale)), int(math.Ceil(s.High*scale))
	if wide < 1 || high < 1 || wide > maxPixels || high > maxPixels || wide*high > maxPixels {
		return nil, fmt.Errorf("a picture of %d by %d pixels; at most %d altogether", wide, high, maxPixels)
	}
	p := &paint{on: image.NewRGBA(image.Rect(0, 0, wide, high)), scale: scale}
	draw.Draw(p.on, p.on.Bounds(), image.NewUniform(hex(Paper, 0)), image.Point{}, draw.Src)
	for i := range s.marks {
		if err := p.mark(&s.marks[i]); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, p.on)
	return b.Bytes(), err
}

// paint is the canvas of one PNG.
type paint struct {
	on      *image.RGBA
	to      vector.Rasterizer
	scale   float64
	outline [][]Point // in pixels, of what is drawn next
}

// hex is a colour written #rrggbb; what is none is black. An opacity of 0 is opaque.
func hex(text string, opacity float64) color.NRGBA {
	if opacity == 0 {
		opacity = 1
	}
	c := color.NRGBA{A: uint8(math.Round(255 * opacity))}
	if v, err := strconv.ParseUint(text[min(len(text), 1):], 16, 24); err == nil {
		c.R, c.G, c.B = uint8(v>>16), uint8(v>>8), uint8(v) //nolint:gosec // the parts of 24 bits
	}
	return c
}

func (p *paint) mark(m *mark) error {
	st := m.style
	shape := m.points
	switch m.kind {
	case text:
		return p.text(m)
	case rect:
		shape = box(m.points[0], m.points[1])
		if st.Hatch != Plain {
			p.hatch(m)
			st.Fill = ""
		}
	case dot:
		shape = m.outline()
	case line:
		st.Fill = ""
	}
	if st.Fill != "" {
		p.polygon(shape)
		p.ink(hex(st.Fill, st.Opacity))
	}
	if st.Stroke != "" {
		if m.kind != line {
			shape = append(append([]Point{}, shape...), shape[0])
		}
		for _, run := range dashed(shape, st.Dash) {
			p.stroke(run, st.Width)
		}
		p.ink(hex(st.Stroke, 0))
	}
	return nil
}

func box(p, q Point) []Point { return []Point{p, {q.X, p.Y}, q, {p.X, q.Y}} }

// polygon outlines a closed shape.
func (p *paint) polygon(points []Point) {
	shape := make([]Point, len(points))
	for i, q := range points {
		shape[i] = Point{bounded(q.X * p.scale), bounded(q.Y * p.scale)}
	}
	p.outline = append(p.outline, shape)
}

// bounded is a place in pixels; far outside of the sheet it is only outside.
func bounded(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return max(-1e4, min(1e4, v))
}

// ink fills what has been outlined since the last time, and touches no more of the canvas
// than that covers.
func (p *paint) ink(c color.Color) {
	x0, y0, x1, y1 := 1e4, 1e4, -1e4, -1e4
	for _, shape := range p.outline {
		for _, q := range shape {
			x0, y0, x1, y1 = min(x0, q.X), min(y0, q.Y), max(x1, q.X), max(y1, q.Y)
		}
	}
	box := image.Rect(int(x0)-1, int(y0)-1, int(x1)+2, int(y1)+2).Intersect(p.on.Bounds())
	if !box.Empty() {
		p.to.Reset(box.Dx(), box.Dy())
		for _, shape := range p.outline {
			for i, q := range shape {
				x, y := float32(q.X-float64(box.Min.X)), float32(q.Y-float64(box.Min.Y))
				if i == 0 {
					p.to.MoveTo(x, y)
					continue
				}
				p.to.LineTo(x, y)
			}
			p.to.ClosePath()
		}
		p.to.Draw(p.on, box, image.NewUniform(c), image.Point{})
	}
	p.outline = p.outline[:0]
}

// stroke outlines a line: each stretch is a quadrangle and each joint a disc, all in one
// direction, so that what overlaps is covered once.
func (p *paint) stroke(points []Point, wide float64) {
	r := max(wide, 0.5) / 2
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		long := math.Hypot(b.X-a.X, b.Y-a.Y)
		if long == 0 {
			continue
		}
		x, y := -(b.Y-a.Y)/long*r, (b.X-a.X)/long*r
		p.polygon([]Point{{a.X - x, a.Y - y}, {b.X - x, b.Y - y}, {b.X + x, b.Y + y}, {a.X + x, a.Y + y}})
		if i+1 < len(points) && wide > 1 {
			p.polygon(circle(b, r, 8))
		}
	}
}

// circle is a polygon in the direction of stroke's quadrangles.
func circle(c Point, r float64, corners int) (out []Point) {
	for n := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(n) / float64(corners))
		out = append(out, Point{c.X + r*cos, c.Y + r*sin})
	}
	return out
}

// maxDashes bounds the pieces of one line.
const maxDashes = 4000

// dashed cuts a line into the pieces that are drawn.
func dashed(points []Point, dash []float64) (out [][]Point) {
	if len(dash) < 2 || len(points) < 2 {
		return [][]Point{points}
	}
	n, left, on := 0, dash[0], true
	piece := []Point{points[0]}
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		long, at := math.Hypot(b.X-a.X, b.Y-a.Y), 0.0
		for long-at > left && len(out) < maxDashes {
			at += left
			cut := Point{a.X + (b.X-a.X)*at/long, a.Y + (b.Y-a.Y)*at/long}
			if on {
				out = append(out, append(piece, cut))
			}
			n, on, piece = n+1, !on, []Point{cut}
			left = max(dash[n%len(dash)], 0.5)
		}
		left -= long - at
		if on {
			piece = append(piece, b)
		}
	}
	if on && len(piece) > 1 {
		out = append(out, piece)
	}
	return out
}

// hatch fills a rectangle with lines.
func (p *paint) hatch(m *mark) {
	a, b := m.points[0], m.points[1]
	clip := func(points ...Point) {
		for i := range points {
			points[i].X, points[i].Y = max(a.X, min(b.X, points[i].X)), max(a.Y, min(b.Y, points[i].Y))
		}
		p.stroke(points, hatchWidth)
	}
	high := b.Y - a.Y
	switch m.style.Hatch {
	case Rising:
		for x := a.X; x < b.X+high; x += 8.5 {
			from, to := max(0, x-b.X), min(high, x-a.X) // within the rectangle
			if from < to {
				p.stroke([]Point{{x - from, a.Y + from}, {x - to, a.Y + to}}, hatchWidth)
			}
		}
	case Level:
		for y := a.Y + 2; y < b.Y; y += 4 {
			clip(Point{a.X, y}, Point{b.X, y})
		}
	case Crosses:
		for y := a.Y; y+5 < b.Y; y += 7 {
			for x := a.X; x+5 < b.X; x += 7 {
				clip(Point{x + 1.5, y + 1.5}, Point{x + 5.5, y + 5.5})
				clip(Point{x + 1.5, y + 5.5}, Point{x + 5.5, y + 1.5})
			}
		}
	}
	p.ink(hex(m.style.Fill, 0))
}

func (p *paint) text(m *mark) error {
	l := m.label
	face, err := face(l.Size*p.scale, m.style.Bold)
	if err != nil {
		return err
	}
	long := float64(font.MeasureString(face, l.Text)) / 64
	x, y := l.X*p.scale, l.Y*p.scale
	switch l.Anchor {
	case Middle:
		x -= long / 2
	case End:
		x -= long
	}
	if l.Halo {
		p.polygon(box(Point{x/p.scale - 2, l.Y - l.Size*0.8}, Point{(x+long)/p.scale + 2, l.Y + l.Size*0.2}))
		p.ink(hex(Paper, 0))
	}
	d := font.Drawer{Dst: p.on, Src: image.NewUniform(hex(m.style.Fill, 0)), Face: face,
		Dot: fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}}
	d.DrawString(l.Text)
	return nil
}
