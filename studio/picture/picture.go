// Package picture draws what a simulation says of one place: what passed, what is published of it with
// its band, what is withheld, and who is missed. It is SVG inside a page, whose style sheet gives the
// colours by class, for light and for dark:
//
//	passed    a dashed line, a step for each window
//	band      a box from the lowest to the highest value of the interval, with the published value across it
//	missed    a box between what was counted and what passed
//	withheld  a hatched column
//
// Axes end at round numbers. Two pictures that stand beside each other share one scale.
package picture

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
	"time"

	"sluice/simulate"
	"sluice/store"
)

// Picture is one number of one place over time.
type Picture struct {
	// ID tells the pictures of a page apart.
	ID string
	// Title and About are read to those who do not see it.
	Title, About string
	Points       []simulate.Point
	Every        time.Duration
	// Top is what the scale ends at; see Top.
	Top float64
	Loc *time.Location
	// Number is a number in the page's language.
	Number func(float64) string
}

// The sizes are those of a phone's screen, so that text is read there, too.
const (
	width, height = 400.0, 250.0
	left, right   = 46.0, 8.0
	above, below  = 10.0, 26.0
)

// steps are how many parts of a scale's power of ten lie between two lines.
var steps = []float64{1, 2, 2.5, 5, 10}

// step is the distance between two lines of a scale that ends at or above top: the least round number
// with which there are five at most.
func step(top float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(top/5)))
	for _, s := range steps {
		if s*power*5 >= top*(1-1e-9) {
			return s * power
		}
	}
	return 10 * power
}

// Top is a round number that no value of the series is above; 5 at least.
func Top(series ...[]simulate.Point) float64 {
	top := 5.0
	for _, points := range series {
		for _, p := range points {
			top = max(top, p.Truth, p.High)
		}
	}
	s := step(top)
	return s * math.Ceil(top/s-1e-9)
}

// SVG is the picture.
func (p Picture) SVG() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="picture" viewBox="0 0 %.0f %.0f" role="img" aria-labelledby="%s-t %s-d">`+
		`<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, width, height, p.ID, p.ID,
		p.ID, html.EscapeString(p.Title), p.ID, html.EscapeString(p.About))
	fmt.Fprintf(&b, `<defs><pattern id="%s-h" width="6" height="6" patternUnits="userSpaceOnUse" `+
		`patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>`, p.ID)
	p.scale(&b)
	p.hidden(&b)
	for i, x := range p.Points {
		p.window(&b, i, x)
	}
	p.passed(&b)
	p.clock(&b)
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// y is where a value stands.
func (p Picture) y(v float64) float64 {
	return above + (height-above-below)*(1-min(1, max(0, v/p.Top)))
}

// x is where a window begins; that of the one behind the last is the end.
func (p Picture) x(i int) float64 { return p.at(p.begins(i)) }

func (p Picture) begins(i int) time.Time {
	if i < len(p.Points) {
		return p.Points[i].Start
	}
	return p.Points[len(p.Points)-1].Start.Add(p.Every)
}

func (p Picture) at(t time.Time) float64 {
	if len(p.Points) == 0 {
		return left
	}
	first := p.Points[0].Start
	return left + (width-left-right)*float64(t.Sub(first))/float64(p.begins(len(p.Points)).Sub(first))
}

// scale draws the lines of the values.
func (p Picture) scale(b *strings.Builder) {
	s := step(p.Top)
	for n := 0; float64(n)*s <= p.Top*(1+1e-9); n++ {
		v := float64(n) * s
		fmt.Fprintf(b, `<line class="axis" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/>`, left, width-right, p.y(v), p.y(v))
		fmt.Fprintf(b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, left-5, p.y(v)+4,
			html.EscapeString(p.Number(math.Round(v*1e6)/1e6)))
	}
}

// hidden draws the columns of windows of which nothing is shown, those in a row as one.
func (p Picture) hidden(b *strings.Builder) {
	for i := 0; i < len(p.Points); i++ {
		from := i
		for i < len(p.Points) && p.Points[i].Status == store.Withheld {
			i++
		}
		if i > from {
			fmt.Fprintf(b, `<rect class="withheld" x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="url(#%s-h)"/>`,
				p.x(from), above, p.x(i)-p.x(from), height-above-below, p.ID)
		}
	}
}

// window draws what is published of one window, and who is missed in it.
func (p Picture) window(b *strings.Builder, i int, w simulate.Point) {
	from, to := p.x(i), p.x(i+1)
	if w.Truth > w.Counted {
		fmt.Fprintf(b, `<rect class="missed" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, from, p.y(w.Truth), to-from,
			p.y(w.Counted)-p.y(w.Truth))
	}
	if w.Status != store.Published {
		return
	}
	fmt.Fprintf(b, `<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, from, p.y(w.High), to-from,
		max(1, p.y(w.Low)-p.y(w.High)))
	fmt.Fprintf(b, `<line class="shown" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, from, to, p.y(w.Value), p.y(w.Value))
}

// passed draws the truth over all.
func (p Picture) passed(b *strings.Builder) {
	var path []string
	for i, w := range p.Points {
		path = append(path, fmt.Sprintf("%.1f,%.1f %.1f,%.1f", p.x(i), p.y(w.Truth), p.x(i+1), p.y(w.Truth)))
	}
	if len(path) > 0 {
		fmt.Fprintf(b, `<polyline class="passed" points="%s"/>`, strings.Join(path, " "))
	}
}

// clock draws the hours, every six of them; over more than two days, the days.
func (p Picture) clock(b *strings.Builder) {
	if len(p.Points) == 0 {
		return
	}
	first, last := p.Points[0].Start.In(p.Loc), p.begins(len(p.Points)).In(p.Loc)
	days := last.Sub(first) > 49*time.Hour
	for t := first.Truncate(time.Hour); !t.After(last); t = t.Add(time.Hour) {
		hour := t.In(p.Loc).Hour()
		if t.Before(first) || days && hour != 0 || hour%6 != 0 {
			continue
		}
		text := fmt.Sprintf("%d h", hour)
		switch {
		case days:
			text = fmt.Sprint(t.In(p.Loc).Day())
		case hour == 0 && t.After(first) && !t.Before(last):
			text = "24 h"
		}
		x, anchor := p.at(t), "middle"
		if x > width-right-12 {
			anchor = "end"
		}
		fmt.Fprintf(b, `<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x, x, height-below, height-below+4)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, min(x, width-right+4), height-8, anchor, text)
	}
}
