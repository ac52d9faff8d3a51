package web

import (
	"html/template"
	"math"
	"strings"

	"sluice/opendata/picture"
)

// steps are how large the letters of a notice may be, in points; style and steps are the same
// in notice.css.
var steps = []float64{14, 13, 12, 11.5, 11, 10.5, 10, 9.5, 9, 8.5, 8}

// smallest is what the smallest letters have, in points.
const smallest = 8.0

// sheet is what there is room for, in points: the paper without its margins, the QR code's
// column, the least that the letters have; and how much is said on it at most.
type sheet struct {
	wide, high, code, letter float64
	much                     much
}

const millimetre = 72 / 25.4

var sheets = map[string]sheet{
	"a4": {190 * millimetre, 277 * millimetre, 42 * millimetre, 9, all},
	"a5": {132 * millimetre, 194 * millimetre, 32 * millimetre, 8, answers},
	"a6": {93 * millimetre, 136 * millimetre, 26 * millimetre, 8, basis},
}

// fit is the first step at which all of a notice is on one sheet, else the last one. A
// reader's typeface is not known, so it is taken for a wide one.
func (n *noticePage) fit() (step int, fits bool) {
	sh := sheets[n.Size]
	for i, em := range steps {
		if em < sh.letter {
			break
		}
		if step = i; n.height(em) <= sh.high {
			return i, true
		}
	}
	return step, false
}

// height is about how high a notice is, in points, with letters of a size.
func (n *noticePage) height(em float64) float64 {
	sh := sheets[n.Size]
	fine := func(part float64) float64 { return max(smallest, part*em) }
	gap := 1.2 * em
	code := sh.code + lines(n.URL, fine(.7), sh.code, 1.2, false) + lines(n.Reach, fine(.7), sh.code, 1.2, false)
	heading, first, column := "", 0.0, 0.0
	narrow := (sh.wide-gap*float64(len(n.Tongues)-1))/float64(len(n.Tongues)) - 0.5*em
	flow := func(text string, size, leading float64, heavy bool) { // around the code
		room := sh.wide
		if first < code+gap {
			room -= sh.code + gap
		}
		first += lines(text, size, room, leading, heavy)
	}
	for _, t := range n.Tongues {
		heading += t.Heading + " · "
		code += lines(t.More, fine(.7), sh.code, 1.2, false)
	}
	for _, t := range n.Tongues {
		flow(t.About, 1.15*em, 1.2, true)
		flow(words(t.Purpose), em, 1.25, false)
		for _, text := range t.First {
			flow(text, em, 1.25, false)
		}
		first += 0.4 * em
		second := 0.0
		for _, r := range t.Rows {
			second += lines(r.Title, fine(.85), narrow, 1.25, true) + 0.25*em
			for _, l := range r.Lines {
				second += lines(words(l), fine(.85), narrow, 1.25, false)
			}
		}
		column = max(column, second+0.5*em)
	}
	rest := 0.0
	for _, l := range n.Rest {
		rest += lines(words(l), fine(.85), sh.wide, 1.25, false)
	}
	above := lines(n.City+" · "+n.Place+" · "+n.ID, fine(.85), sh.wide, 1.25, false)
	above += lines(heading, 1.3*em, sh.wide, 1.15, true) + 0.8*em
	return above + max(first, code) + n.icons(em) + rest + column + 1.2*em
}

// icons is how high the row of hexagons is.
func (n *noticePage) icons(em float64) (high float64) {
	size, across := max(smallest, .75*em), sheets[n.Size].wide/4-em
	for i := range n.Tongues[0].Icons {
		captions := 0.0
		for j, t := range n.Tongues {
			if text := t.Icons[i].Text; j == 0 || text != n.Tongues[0].Icons[i].Text && n.Much < less {
				captions += lines(text, size, across, 1.2, false)
			}
		}
		high = max(high, captions)
	}
	return high + 3.6*em + 1.4*em
}

// lines is how high a text of a size is, broken into lines so wide.
func lines(text string, size, wide, leading float64, heavy bool) float64 {
	if text == "" {
		return 0
	}
	const wider = 1.1 // than the typeface that picture has, and room that is left at a line's end
	return math.Ceil(wider*picture.Width(text, size, heavy)/wide) * size * leading
}

// words are those of a text that is marked up.
func words(text template.HTML) string {
	var b strings.Builder
	inside := false
	for _, r := range string(text) {
		switch {
		case r == '<':
			inside = true
		case r == '>':
			inside = false
		case !inside:
			b.WriteRune(r)
		}
	}
	return b.String()
}
