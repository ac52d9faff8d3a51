package web

import (
	"html/template"
	"math"
	"strings"

	"sluice/opendata/picture"
)

// steps are how large the letters of a notice are, of those that its sheet would have; style
// and steps are the same in notice.css.
var steps = []float64{1.25, 1.15, 1.05, 1, 0.93, 0.86, 0.8, 0.74, 0.68, 0.62, 0.56, 0.5}

// sheet is what there is room for, in points: the paper without its margins, the QR code's
// column, and letters of step 1.
type sheet struct{ wide, high, code, letter float64 }

const millimetre = 72 / 25.4

var sheets = map[string]sheet{
	"a4": {190 * millimetre, 277 * millimetre, 42 * millimetre, 11},
	"a5": {132 * millimetre, 194 * millimetre, 32 * millimetre, 8.5},
	"a6": {93 * millimetre, 136 * millimetre, 26 * millimetre, 7.5},
}

// fit is the first step at which all of a notice is on one sheet. A reader's typeface is not
// known, so it is taken for a wide one.
func (n *noticePage) fit() int {
	for i, step := range steps {
		if n.height(step) <= sheets[n.Size].high {
			return i
		}
	}
	return len(steps) - 1
}

// height is about how high a notice is, in points.
func (n *noticePage) height(step float64) float64 {
	sh := sheets[n.Size]
	em := sh.letter * step
	heading, first, icons, column := "", 0.0, 0.0, 0.0
	gap := 1.5 * em
	beside := sh.wide - sh.code - gap
	narrow := (sh.wide-gap*float64(len(n.Tongues)-1))/float64(len(n.Tongues)) - 0.5*em
	for _, t := range n.Tongues {
		heading += t.Heading + " · "
		first += lines(t.About, 1.2*em, beside, 1.25, true) + lines(words(t.Purpose), em, beside, 1.35, false) + 0.9*em
		for _, text := range t.First {
			first += lines(text, em, beside, 1.35, false)
		}
		second := 0.0
		for _, r := range t.Rows {
			second += lines(r.Title, 0.8*em, narrow, 1.3, true) + 0.35*em
			for _, l := range r.Lines {
				second += lines(words(l), 0.8*em, narrow, 1.3, false)
			}
		}
		column = max(column, second+em)
	}
	if len(n.Tongues) > 0 {
		for i := range n.Tongues[0].Icons {
			captions := 0.0
			for _, t := range n.Tongues {
				captions += lines(t.Icons[i].Text, 0.75*em, sh.wide/4-em, 1.25, false)
			}
			icons = max(icons, captions)
		}
	}
	code := sh.code + lines(n.URL, 0.7*em, sh.code, 1.25, false) + lines(n.Reach, 0.7*em, sh.code, 1.25, false) +
		float64(len(n.Tongues))*2*0.7*1.25*em
	above := lines(n.City+" · "+n.Place+" · "+n.ID, em, sh.wide, 1.5, false)
	return above + lines(heading, 1.5*em, sh.wide, 1.2, true) + 1.5*em +
		max(first, code) + 5.5*em + icons + column + 2*em
}

// lines is how high a text of a size is, broken into lines so wide.
func lines(text string, size, wide, leading float64, heavy bool) float64 {
	if text == "" {
		return 0
	}
	const wider = 1.2 // than the typeface that picture has, and room that is left at a line's end
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
