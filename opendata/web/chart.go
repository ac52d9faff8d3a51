package web

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
	"time"

	"sluice/opendata/i18n"
	"sluice/store"
)

// The chart's size in SVG units.
const (
	width, height            = 720.0, 320.0
	left, right, top, bottom = 62.0, 14.0, 14.0, 40.0
	strip                    = 14.0 // height of a series' row of what was not published
	columns                  = 640  // no more can be told apart
)

// line is one cell's observations in order of time.
type line struct {
	Cell, Name string
	Items      []store.Observation
}

// chart draws each cell as a line with its interval as a band. Below the axis, a row for
// each cell marks what was not published, so that withheld, no data and zero cannot be
// confused.
type chart struct {
	speak    *i18n.Localizer
	place    *time.Location
	from, to time.Time
	lines    []line
	ended    time.Time // when the series ended; zero for not
	min, max float64
	empty    bool // nothing was published
}

// drawChart draws the lines over a span of time, from numbers, dates and names of the books
// only.
func drawChart(speak *i18n.Localizer, place *time.Location, from, to, ended time.Time, lines []line) template.HTML {
	c := chart{speak: speak, place: place, from: from, to: to, ended: ended, lines: lines}
	c.scale()
	var b strings.Builder
	high := height + strip*float64(len(lines))
	fmt.Fprintf(&b,
		`<svg class="chart" viewBox="0 0 %g %g" role="img" aria-labelledby="chart-title">`+
			`<title id="chart-title">%s</title>`,
		width, high, html.EscapeString(c.title()))
	b.WriteString(
		`<defs>` +
			`<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
			`<path class="hatch" d="M0 0V6"/></pattern>` +
			`<pattern id="stop" width="8" height="4" patternUnits="userSpaceOnUse">` +
			`<path class="stop" d="M0 2H8"/></pattern>` +
			`<pattern id="dots" width="7" height="7" patternUnits="userSpaceOnUse">` +
			`<path class="dots" d="M1.5 1.5l4 4m0-4l-4 4"/></pattern>` +
			`</defs>`)
	c.grid(&b)
	c.hours(&b)
	for n := range lines {
		c.draw(&b, n)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers, constants and what html.EscapeString made
}

func (c *chart) title() string {
	names := make([]string, len(c.lines))
	for i, l := range c.lines {
		names[i] = l.Name
	}
	return c.speak.Say("Chart of %s from %s to %s. The table below says the same.", strings.Join(names, ", "),
		c.speak.ShortDay(c.from.In(c.place))+" "+c.speak.Clock(c.from.In(c.place)),
		c.speak.ShortDay(c.to.In(c.place))+" "+c.speak.Clock(c.to.In(c.place)))
}

// scale chooses round bounds that include all intervals, and zero.
func (c *chart) scale() {
	c.empty, c.max = true, 1
	lowest, highest := 0.0, 0.0
	for _, l := range c.lines {
		for i := range l.Items {
			if o := &l.Items[i]; published(o) {
				c.empty = false
				lowest, highest = min(lowest, *o.Low), max(highest, *o.High)
			}
		}
	}
	if highest == lowest {
		return
	}
	step := nice((highest - lowest) / 4)
	c.min, c.max = math.Floor(lowest/step)*step, math.Ceil(highest/step)*step
}

// nice rounds up to 1, 2, 2.5 or 5 times a power of ten.
func nice(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 2.5, 5} {
		if v <= n*power*(1+1e-9) {
			return n * power
		}
	}
	return 10 * power
}

func (c *chart) x(t time.Time) float64 {
	return left + (width-left-right)*float64(t.Sub(c.from))/float64(c.to.Sub(c.from))
}

func (c *chart) y(v float64) float64 {
	return top + (height-top-bottom)*(c.max-v)/(c.max-c.min)
}

func (c *chart) grid(b *strings.Builder) {
	if c.empty {
		fmt.Fprintf(b,
			`<path class="axis" d="M%g %gH%g"/><text class="none" x="%g" y="%g" text-anchor="middle">%s</text>`,
			left, height-bottom, width-right, (left+width-right)/2, height/2,
			html.EscapeString(c.speak.Say("No number was published in this span.")))
		return
	}
	step := nice((c.max - c.min) / 5)
	for n := 0; ; n++ {
		v := c.min + float64(n)*step
		if v > c.max+step/1e6 {
			return
		}
		class := "grid"
		if math.Abs(v) < step/1e6 {
			class = "axis"
		}
		fmt.Fprintf(b,
			`<path class="%s" d="M%g %.1fH%g"/><text class="tick%s" x="%g" y="%.1f" text-anchor="end">%s</text>`,
			class, left, c.y(v), width-right, alternate(n), left-8, c.y(v)+4, html.EscapeString(c.tick(v, step)))
	}
}

// tick formats a value of the scale; shares as percentages.
func (c *chart) tick(v, step float64) string {
	for _, l := range c.lines {
		if len(l.Items) > 0 && l.Items[0].Unit == "share" {
			return c.speak.Tick(100*v, 100*step) + " %"
		}
	}
	return c.speak.Tick(v, step)
}

// alternate marks every second label, which a narrow screen leaves out.
func alternate(n int) string {
	if n%2 == 1 {
		return " second"
	}
	return ""
}

// hours labels the time axis at local hours or days.
func (c *chart) hours(b *strings.Builder) {
	span := c.to.Sub(c.from)
	start := c.from.In(c.place)
	at := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, c.place)
	next := func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	label := c.speak.ShortDay
	switch {
	case span <= 3*time.Hour:
		next = func(t time.Time) time.Time { return t.Add(10 * time.Minute) }
		label = c.speak.Clock
	case span <= 50*time.Hour:
		next = func(t time.Time) time.Time { return t.Add(3 * time.Hour) }
		label = c.speak.Clock
	case span > 10*24*time.Hour:
		next = func(t time.Time) time.Time { return t.AddDate(0, 0, 5) }
	}
	shown := 0
	for ; at.Before(c.to); at = next(at) {
		if at.Before(c.from) {
			continue
		}
		x := c.x(at)
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %gv5"/>`, x, height-bottom)
		if x < width-50 {
			fmt.Fprintf(b, `<text class="tick%s" x="%.1f" y="%g" text-anchor="middle">%s</text>`, alternate(shown), x,
				height-bottom+20, html.EscapeString(label(at)))
		}
		shown++
	}
}

func (c *chart) draw(b *strings.Builder, n int) {
	l := c.lines[n]
	for _, run := range runs(l.Items) {
		c.band(b, n, run)
		c.stroke(b, n, run)
	}
	y := height + strip*float64(n)
	fmt.Fprintf(b, `<path class="s%d line" d="M%g %gh18"/>`, n, left-34, y+5)
	for i := 0; i < len(l.Items); {
		j := i
		for j < len(l.Items) && look(&l.Items[j]) == look(&l.Items[i]) {
			j++
		}
		if s := l.Items[i].Status; s != store.Published {
			x := c.x(l.Items[i].Start)
			fmt.Fprintf(b, `<rect class="gap %s" x="%.1f" y="%.1f" width="%.1f" height="10"/>`,
				html.EscapeString(look(&l.Items[i])), x, y, max(1, c.x(l.Items[j-1].End)-x))
		}
		i = j
	}
	if end := c.ended; !end.IsZero() && end.Before(c.to) {
		x := max(left, c.x(end))
		fmt.Fprintf(b, `<rect class="gap ended" x="%.1f" y="%.1f" width="%.1f" height="10"/>`, x, y, width-right-x)
	}
}

// runs splits items into stretches of published ones.
func runs(items []store.Observation) (out [][]store.Observation) {
	begin := -1
	for i := range len(items) + 1 {
		is := i < len(items) && published(&items[i])
		switch {
		case is && begin < 0:
			begin = i
		case !is && begin >= 0:
			out = append(out, items[begin:i])
			begin = -1
		}
	}
	return out
}

func middle(o *store.Observation) time.Time { return o.Start.Add(o.End.Sub(o.Start) / 2) }

// band draws the interval. Of several windows in one pixel column it takes the widest.
func (c *chart) band(b *strings.Builder, n int, run []store.Observation) {
	if *run[0].Low == *run[0].High && *run[len(run)-1].Low == *run[len(run)-1].High {
		return // exact
	}
	var upper, lower []string
	add := func(x, low, high float64) {
		upper = append(upper, fmt.Sprintf("%.1f %.1f", x, c.y(high)))
		lower = append(lower, fmt.Sprintf("%.1f %.1f", x, c.y(low)))
	}
	if len(run) == 1 { // a band of one window has its width
		add(c.x(run[0].Start), *run[0].Low, *run[0].High)
		add(c.x(run[0].End), *run[0].Low, *run[0].High)
	} else {
		for _, column := range c.columns(run) {
			low, high := *column[0].Low, *column[0].High
			for i := range column {
				low, high = min(low, *column[i].Low), max(high, *column[i].High)
			}
			add(c.x(middle(&column[0])), low, high)
		}
	}
	fmt.Fprintf(b, `<path class="s%d band" d="M%s`, n, strings.Join(upper, "L"))
	for i := len(lower) - 1; i >= 0; i-- {
		b.WriteString("L" + lower[i])
	}
	b.WriteString(`Z"/>`)
}

// stroke is the line itself; of several windows in one column the first, lowest,
// highest and last, which draw the same picture as all of them (M4: Jugel and
// others, VLDB 2014).
func (c *chart) stroke(b *strings.Builder, n int, run []store.Observation) {
	var points []string
	for _, column := range c.columns(run) {
		for _, i := range m4(column) {
			points = append(points, fmt.Sprintf("%.1f %.1f", c.x(middle(&column[i])), c.y(*column[i].Value)))
		}
	}
	fmt.Fprintf(b, `<path class="s%d line" d="M%s"/>`, n, strings.Join(points, "L"))
	if len(c.lines[n].Items) > 200 && len(run) > 1 {
		return
	}
	for _, point := range points {
		x, y, _ := strings.Cut(point, " ")
		fmt.Fprintf(b, `<circle class="s%d point" cx="%s" cy="%s" r="2.5"/>`, n, x, y)
	}
}

// columns groups the windows of a run that fall into one pixel column.
func (c *chart) columns(run []store.Observation) (out [][]store.Observation) {
	column := func(o *store.Observation) int {
		return int(float64(columns) * float64(o.Start.Sub(c.from)) / float64(c.to.Sub(c.from)))
	}
	begin := 0
	for i := 1; i <= len(run); i++ {
		if i == len(run) || column(&run[i]) != column(&run[begin]) {
			out = append(out, run[begin:i])
			begin = i
		}
	}
	return out
}

// m4 returns the indices of the first, lowest, highest and last value, in order.
func m4(c []store.Observation) []int {
	low, high := 0, 0
	for i := range c {
		if *c[i].Value < *c[low].Value {
			low = i
		}
		if *c[i].Value > *c[high].Value {
			high = i
		}
	}
	var out []int
	for _, i := range []int{0, min(low, high), max(low, high), len(c) - 1} {
		if len(out) == 0 || i > out[len(out)-1] {
			out = append(out, i)
		}
	}
	return out
}
