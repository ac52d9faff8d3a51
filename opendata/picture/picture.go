// Package picture draws lines, areas, dots and text once, and gives them as SVG or as PNG.
//
// A Sheet is a list of marks in the order in which they are drawn, in units of a pixel from
// the upper left corner:
//
//	var s picture.Sheet
//	s.Wide, s.High = 720, 320
//	s.Line(picture.Style{Class: "line", Stroke: "#0b5d7a", Width: 2}, []picture.Point{{X: 0, Y: 9}, {X: 99, Y: 3}})
//	s.Text(picture.Style{Class: "tick", Fill: picture.Ink}, picture.Label{X: 99, Y: 3, Size: 12, Text: "NO₂"})
//
// Its ends are Embedded, for a page whose style sheet knows the classes, in light and dark;
// SVG, a file of its own whose marks carry their colours as attributes, since a server's
// content security policy lets no file have a style element; and PNG, in the colours of
// paper and the typeface Go. The same sheet always gives the same bytes.
package picture

import (
	"fmt"
	"math"
	"strings"
)

// Point is a place on the sheet.
type Point struct{ X, Y float64 }

// Hatch is what a rectangle is filled with, so that it can be told from others without
// colour.
type Hatch string

// The hatches: none, rising lines, level lines, crosses.
const (
	Plain   Hatch = ""
	Rising  Hatch = "rising"
	Level   Hatch = "level"
	Crosses Hatch = "crosses"
)

// Shape is what a dot looks like.
type Shape int

// The shapes.
const (
	Circle Shape = iota
	Square
	Diamond
	Triangle
	shapes
)

// ShapeOf is one of the shapes for any number from 0 on.
func ShapeOf(n int) Shape { return Shape(n % int(shapes)) }

// Style is how a mark looks. A page's style sheet knows Class; the rest is for files. Stroke
// and Fill are colours as #rrggbb, empty for none. Opacity is the fill's, 0 for opaque. Dash
// are lengths of lines and gaps.
type Style struct {
	Class        string
	Stroke, Fill string
	Width        float64
	Dash         []float64
	Opacity      float64
	Hatch        Hatch
	Bold         bool // of text
}

// Colours of paper, those of a page in the light.
const (
	Paper = "#fbfaf7"
	Ink   = "#1b2330"
	Soft  = "#525d6b"
	Pale  = "#d8d5cc"
	Edge  = "#7a8490"
	Warn  = "#7d4300"
)

// Anchor is the end of a text that its X is.
type Anchor string

// The anchors.
const (
	Start  Anchor = "start"
	Middle Anchor = "middle"
	End    Anchor = "end"
)

// Label is a text at a place, which is on its baseline. Behind it the paper shows if Halo is
// true. Lang is its language where that is not the picture's.
type Label struct {
	X, Y, Size float64
	Anchor     Anchor // Start where empty
	Text       string
	Halo       bool
}

// Sheet is a picture in the making.
type Sheet struct {
	Wide, High float64
	// Title says in words what there is to see.
	Title string
	marks []mark
}

// kind is what a mark is.
type kind int

const (
	line kind = iota
	area
	rect
	dot
	text
)

type mark struct {
	kind   kind
	style  Style
	points []Point // of a rectangle its upper left and lower right corner
	radius float64
	shape  Shape
	label  Label
}

// Line is an open polyline.
func (s *Sheet) Line(st Style, points ...Point) {
	s.marks = append(s.marks, mark{kind: line, style: st, points: points})
}

// Area is a closed polygon.
func (s *Sheet) Area(st Style, points ...Point) {
	s.marks = append(s.marks, mark{kind: area, style: st, points: points})
}

// Rect is a rectangle, which alone can have a hatch.
func (s *Sheet) Rect(st Style, x, y, wide, high float64) {
	s.marks = append(s.marks, mark{kind: rect, style: st, points: []Point{{x, y}, {x + wide, y + high}}})
}

// Dot is a small shape around a point.
func (s *Sheet) Dot(st Style, shape Shape, at Point, radius float64) {
	s.marks = append(s.marks, mark{kind: dot, style: st, points: []Point{at}, radius: radius, shape: shape})
}

// Text is a line of text; nothing if it is empty.
func (s *Sheet) Text(st Style, l Label) {
	if l.Text != "" {
		s.marks = append(s.marks, mark{kind: text, style: st, label: l})
	}
}

// Box is where a text lies.
type Box struct {
	Text                   string
	Left, Right, Top, Foot float64
}

// Words are the texts of the sheet, with where they lie, their halos included.
func (s *Sheet) Words() (out []Box) {
	for i := range s.marks {
		m := &s.marks[i]
		if m.kind != text {
			continue
		}
		l, halo := &m.label, 0.0
		if l.Halo {
			halo = 2
		}
		wide := Width(l.Text, l.Size, m.style.Bold)
		x := l.X
		switch l.Anchor {
		case Middle:
			x -= wide / 2
		case End:
			x -= wide
		}
		out = append(out, Box{l.Text, x - halo, x + wide + halo, l.Y - 0.8*l.Size - halo, l.Y + 0.25*l.Size + halo})
	}
	return out
}

// outline is the polygon of a dot.
func (m *mark) outline() []Point {
	c, r := m.points[0], m.radius
	switch m.shape {
	case Square:
		r *= 0.9
		return []Point{{c.X - r, c.Y - r}, {c.X + r, c.Y - r}, {c.X + r, c.Y + r}, {c.X - r, c.Y + r}}
	case Diamond:
		r *= 1.3
		return []Point{{c.X, c.Y - r}, {c.X + r, c.Y}, {c.X, c.Y + r}, {c.X - r, c.Y}}
	case Triangle:
		r *= 1.2
		return []Point{{c.X, c.Y - r}, {c.X + r, c.Y + 0.8*r}, {c.X - r, c.Y + 0.8*r}}
	}
	return circle(c, r, 16)
}

// Fit is the text if it is at most so wide, else as much of it as fits with an ellipsis;
// empty if not even that does.
func Fit(words string, size, wide float64, bold bool) string {
	if Width(words, size, bold) <= wide {
		return words
	}
	runes := []rune(words)
	for n := len(runes) - 1; n > 1; n-- {
		if short := strings.TrimRight(string(runes[:n]), " ,.-·") + "…"; Width(short, size, bold) <= wide {
			return short
		}
	}
	return ""
}

// Wrap breaks a text into lines that are at most so wide, most lines at most; what is left
// then is cut.
func Wrap(words string, size, wide float64, bold bool, most int) (lines []string) {
	now := ""
	for word := range strings.FieldsSeq(words) {
		longer := strings.TrimPrefix(now+" "+word, " ")
		if now == "" || Width(longer, size, bold) <= wide {
			now = longer
			continue
		}
		lines = append(lines, now)
		now = word
	}
	if now != "" {
		lines = append(lines, now)
	}
	if len(lines) > most {
		rest := strings.Join(lines[most-1:], " ")
		lines = append(lines[:most-1], rest)
	}
	for n := range lines {
		lines[n] = Fit(lines[n], size, wide, bold)
	}
	return lines
}

// Mix is a colour that lets paper through: 1 is the colour, 0 paper.
func Mix(colour string, share float64) string {
	a, b := hex(colour, 0), hex(Paper, 0)
	part := func(x, y uint8) int { return int(math.Round(float64(x)*share + float64(y)*(1-share))) }
	return fmt.Sprintf("#%02x%02x%02x", part(a.R, b.R), part(a.G, b.G), part(a.B, b.B))
}
