package web

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"sluice/store"
)

// The chart's size in SVG units.
const (
	width, height            = 640.0, 200.0
	left, right, top, bottom = 48.0, 8.0, 10.0, 34.0
)

// chart draws one series: a line with its interval as a band, hollow squares on
// the axis where a window was withheld, crosses where there was no data. It is
// made of numbers and fixed words only.
func chart(s series) template.HTML {
	if len(s.Items) == 0 {
		return ""
	}
	c := newPlot(s.Items)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="Chart of the values in the table below">`, width, height)
	c.axes(&b, s)
	for _, run := range c.runs() {
		c.band(&b, run)
		c.line(&b, run)
	}
	base := height - bottom
	for i, o := range s.Items {
		x := c.x(i)
		switch o.Status {
		case store.Withheld:
			fmt.Fprintf(&b, `<rect class="withheld" x="%.1f" y="%.1f" width="6" height="6"/>`, x-3, base-9)
		case store.NoData:
			fmt.Fprintf(&b, `<path class="nodata" d="M%.1f %.1fl6 6m0-6l-6 6"/>`, x-3, base-9)
		case store.Published:
			fmt.Fprintf(&b, `<circle class="point" cx="%.1f" cy="%.1f" r="2.5"/>`, x, c.y(*o.Value))
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers and constants only
}

// plot maps items to the plane.
type plot struct {
	items    []store.Observation
	min, max float64
}

func newPlot(items []store.Observation) plot {
	p := plot{items: items, min: 0, max: 1}
	for _, o := range items {
		if o.Status == store.Published {
			p.min, p.max = min(p.min, *o.Low), max(p.max, *o.High)
		}
	}
	step := math.Pow(10, math.Floor(math.Log10(p.max-p.min)))
	p.max = math.Ceil(p.max/step) * step
	p.min = math.Floor(p.min/step) * step
	return p
}

func (p plot) x(i int) float64 {
	return left + (width-left-right)*(float64(i)+0.5)/float64(len(p.items))
}

func (p plot) y(v float64) float64 {
	return top + (height-top-bottom)*(p.max-v)/(p.max-p.min)
}

// runs are the stretches of published items.
func (p plot) runs() [][]int {
	var out [][]int
	var run []int
	for i, o := range p.items {
		if o.Status == store.Published {
			run = append(run, i)
			continue
		}
		if run != nil {
			out = append(out, run)
		}
		run = nil
	}
	if run != nil {
		out = append(out, run)
	}
	return out
}

func (p plot) band(b *strings.Builder, run []int) {
	b.WriteString(`<path class="band" d="M`)
	for _, i := range run {
		fmt.Fprintf(b, "%.1f %.1f ", p.x(i), p.y(*p.items[i].High))
	}
	for n := len(run) - 1; n >= 0; n-- {
		fmt.Fprintf(b, "L%.1f %.1f ", p.x(run[n]), p.y(*p.items[run[n]].Low))
	}
	b.WriteString(`Z"/>`)
}

func (p plot) line(b *strings.Builder, run []int) {
	b.WriteString(`<path class="line" d="M`)
	for _, i := range run {
		fmt.Fprintf(b, "%.1f %.1f ", p.x(i), p.y(*p.items[i].Value))
	}
	b.WriteString(`"/>`)
}

func (p plot) axes(b *strings.Builder, s series) {
	steps := 5
	if len(p.runs()) == 0 {
		steps = 1 // nothing to read off
	}
	for n := range steps {
		v := p.min + (p.max-p.min)*float64(n)/4
		fmt.Fprintf(b, `<path class="grid" d="M%g %.1fH%g"/><text class="tick" x="%g" y="%.1f" text-anchor="end">%s</text>`,
			left, p.y(v), width-right, left-6, p.y(v)+4, strconv.FormatFloat(v, 'g', 4, 64))
	}
	each := max(1, (len(p.items)+7)/8)
	for i, o := range p.items {
		if i%each == 0 {
			fmt.Fprintf(b, `<text class="tick" x="%.1f" y="%g" text-anchor="middle">%s</text>`, p.x(i), height-12, clock(o.Start, s.Stream.Timezone))
		}
	}
}
