package picture

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Embedded is the sheet as an element of a page: its marks have classes, and the page's
// style sheet their looks. Class is the element's own, id makes the ids in it unique on the
// page.
func (s *Sheet) Embedded(class, id string) string {
	var b strings.Builder
	w := &writer{Builder: &b, id: id}
	fmt.Fprintf(&b, `<svg class="%s" viewBox="0 0 %s %s" role="img" aria-labelledby="%s">`+
		`<title id="%s">%s</title>`, html.EscapeString(class), num(s.Wide), num(s.High), id, id,
		escape(s.Title))
	w.patterns(s)
	for i := range s.marks {
		w.mark(&s.marks[i])
	}
	b.WriteString("</svg>")
	return b.String()
}

// SVG is the sheet as a file of its own, on paper.
func (s *Sheet) SVG() []byte {
	var b strings.Builder
	w := &writer{Builder: &b, file: true, id: "p"}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]s %[2]s" width="%[1]s" height="%[2]s" `+
		`font-family="system-ui, sans-serif" role="img" aria-labelledby="t"><title id="t">%[3]s</title>`,
		num(s.Wide), num(s.High), escape(s.Title))
	w.patterns(s)
	fmt.Fprintf(&b, `<path fill="%s" d="M0 0h%sv%sH0z"/>`, Paper, num(s.Wide), num(s.High))
	for i := range s.marks {
		w.mark(&s.marks[i])
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

type writer struct {
	*strings.Builder
	file bool // colours rather than classes
	id   string
}

// escape makes a text one of XML, which has no control characters.
func escape(words string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' || r == '\ufffe' || r == '\uffff' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, "\ufffd")))
}

// num is a number with at most one decimal; what is none is 0.
func num(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(v*10)/10+0, 'f', -1, 64) // + 0: there is no -0
}

// hatchings are the shapes of the hatches: a tile's size, a path in it, and its class.
var hatchings = map[Hatch]struct {
	wide, high  float64
	turn        string
	path, class string
}{
	Rising:  {6, 6, ` patternTransform="rotate(45)"`, "M0 0V6", "hatch"},
	Level:   {8, 4, "", "M0 2H8", "stop"},
	Crosses: {7, 7, "", "M1.5 1.5l4 4m0-4l-4 4", "dots"},
}

// patterns defines the hatches that the sheet has.
func (w *writer) patterns(s *Sheet) {
	seen := map[Hatch]bool{}
	for i := range s.marks {
		st := s.marks[i].style
		h, ok := hatchings[st.Hatch]
		if !ok || seen[st.Hatch] {
			continue
		}
		if len(seen) == 0 {
			w.WriteString("<defs>")
		}
		seen[st.Hatch] = true
		fmt.Fprintf(w, `<pattern id="%s-%s" width="%s" height="%s" patternUnits="userSpaceOnUse"%s><path`, w.id, st.Hatch,
			num(h.wide), num(h.high), h.turn)
		if w.file {
			fmt.Fprintf(w, ` fill="none" stroke="%s" stroke-width="%s"`, st.Fill, num(hatchWidth))
		} else {
			fmt.Fprintf(w, ` class="%s"`, h.class)
		}
		fmt.Fprintf(w, ` d="%s"/></pattern>`, h.path)
	}
	if len(seen) > 0 {
		w.WriteString("</defs>")
	}
}

const hatchWidth = 1.5

func (w *writer) mark(m *mark) {
	switch m.kind {
	case text:
		w.text(m)
		return
	case rect:
		w.WriteString("<path")
		w.look(m.style, true)
		p, q := m.points[0], m.points[1]
		fmt.Fprintf(w, ` d="M%s %sh%sv%sh%sz"/>`, num(p.X), num(p.Y), num(q.X-p.X), num(q.Y-p.Y), num(p.X-q.X))
		return
	case dot:
		if m.shape == Circle {
			w.WriteString("<circle")
			w.look(m.style, true)
			fmt.Fprintf(w, ` cx="%s" cy="%s" r="%s"/>`, num(m.points[0].X), num(m.points[0].Y), num(m.radius))
			return
		}
		w.path(m.style, m.outline(), true)
	case area:
		w.path(m.style, m.points, true)
	case line:
		w.path(m.style, m.points, false)
	}
}

func (w *writer) path(st Style, points []Point, closed bool) {
	w.WriteString("<path")
	w.look(st, closed)
	w.WriteString(` d="`)
	for i, p := range points {
		if i == 0 {
			w.WriteString("M" + num(p.X) + " " + num(p.Y))
			continue
		}
		w.WriteString("L" + num(p.X) + " " + num(p.Y))
	}
	if closed {
		w.WriteString("z")
	}
	w.WriteString(`"/>`)
}

// look writes the class, or what it stands for. A hatch is named where it is, since it has
// the element's id.
func (w *writer) look(st Style, filled bool) {
	hatch := ""
	if st.Hatch != Plain {
		hatch = fmt.Sprintf(` fill="url(#%s-%s)"`, w.id, st.Hatch)
	}
	if !w.file {
		fmt.Fprintf(w, ` class="%s"%s`, html.EscapeString(st.Class), hatch)
		return
	}
	switch {
	case hatch != "":
		w.WriteString(hatch)
	case !filled || st.Fill == "":
		w.WriteString(` fill="none"`)
	default:
		fmt.Fprintf(w, ` fill="%s"`, st.Fill)
	}
	if st.Opacity > 0 {
		fmt.Fprintf(w, ` fill-opacity="%g"`, st.Opacity)
	}
	if st.Stroke == "" {
		return
	}
	fmt.Fprintf(w, ` stroke="%s" stroke-width="%s" stroke-linejoin="round"`, st.Stroke, num(st.Width))
	if len(st.Dash) > 0 {
		var list []string
		for _, v := range st.Dash {
			list = append(list, num(v))
		}
		fmt.Fprintf(w, ` stroke-dasharray="%s"`, strings.Join(list, " "))
	}
}

// text has its size as a length, since a page may set another one by its class.
func (w *writer) text(m *mark) {
	l := m.label
	w.WriteString("<text")
	class := m.style.Class
	if l.Halo {
		class += " halo"
	}
	if w.file {
		fmt.Fprintf(w, ` fill="%s" font-size="%s"`, m.style.Fill, num(l.Size))
		if m.style.Bold {
			w.WriteString(` font-weight="700"`)
		}
		if l.Halo {
			fmt.Fprintf(w, ` paint-order="stroke" stroke="%s" stroke-width="3" stroke-linejoin="round"`, Paper)
		}
	} else {
		fmt.Fprintf(w, ` class="%s"`, html.EscapeString(strings.TrimSpace(class)))
	}
	fmt.Fprintf(w, ` x="%s" y="%s"`, num(l.X), num(l.Y))
	if l.Anchor != "" && l.Anchor != Start {
		fmt.Fprintf(w, ` text-anchor="%s"`, l.Anchor)
	}
	fmt.Fprintf(w, ">%s</text>", escape(l.Text))
}
