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

// The chart's size in units of the picture.
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

// picture is a chart: one line each with its interval as a band, and below the
// axis a row for each of what was not published, so that withheld, no data and
// zero cannot be taken for one another.
type picture struct {
	speak    *i18n.Speaker
	place    *time.Location
	from, to time.Time
	lines    []line
	ended    time.Time // when the series ended; zero for not
	min, max float64
	empty    bool // nothing was published
}

// chart draws lines over a span of time. It is made of numbers, dates and names
// that the books have.
func chart(speak *i18n.Speaker, place *time.Location, from, to, ended time.Time, lines []line) template.HTML {
	p := picture{speak: speak, place: place, from: from, to: to, ended: ended, lines: lines}
	p.scale()
	var b strings.Builder
	high := height + strip*float64(len(lines))
	fmt.Fprintf(&b,
		`<svg class="chart" viewBox="0 0 %g %g" role="img" aria-labelledby="chart-title"><title id="chart-title">%s</title>`,
		width, high, html.EscapeString(p.title()))
	b.WriteString(
		`<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern>` +
			`<pattern id="stop" width="8" height="4" patternUnits="userSpaceOnUse"><path class="stop" d="M0 2H8"/></pattern>` +
			`<pattern id="dots" width="7" height="7" patternUnits="userSpaceOnUse"><path class="dots" d="M1.5 1.5l4 4m0-4l-4 4"/></pattern></defs>`)
	p.grid(&b)
	p.hours(&b)
	for n := range lines {
		p.draw(&b, n)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers, constants and what html.EscapeString made
}

func (p *picture) title() string {
	names := make([]string, len(p.lines))
	for i, l := range p.lines {
		names[i] = l.Name
	}
	return p.speak.Say("Chart of %s from %s to %s. The table below says the same.", strings.Join(names, ", "),
		p.speak.ShortDay(p.from.In(p.place))+" "+p.speak.Clock(p.from.In(p.place)),
		p.speak.ShortDay(p.to.In(p.place))+" "+p.speak.Clock(p.to.In(p.place)))
}

// scale chooses round numbers that hold all intervals, and zero.
func (p *picture) scale() {
	p.empty, p.max = true, 1
	lowest, highest := 0.0, 0.0
	for _, l := range p.lines {
		for i := range l.Items {
			if o := &l.Items[i]; published(o) {
				p.empty = false
				lowest, highest = min(lowest, *o.Low), max(highest, *o.High)
			}
		}
	}
	if highest == lowest {
		return
	}
	step := nice((highest - lowest) / 4)
	p.min, p.max = math.Floor(lowest/step)*step, math.Ceil(highest/step)*step
}

// nice is the next 1, 2, 2.5 or 5 times a power of ten.
func nice(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 2.5, 5} {
		if v <= n*power*(1+1e-9) {
			return n * power
		}
	}
	return 10 * power
}

func (p *picture) x(t time.Time) float64 {
	return left + (width-left-right)*float64(t.Sub(p.from))/float64(p.to.Sub(p.from))
}

func (p *picture) y(v float64) float64 {
	return top + (height-top-bottom)*(p.max-v)/(p.max-p.min)
}

func (p *picture) grid(b *strings.Builder) {
	if p.empty {
		fmt.Fprintf(b,
			`<path class="axis" d="M%g %gH%g"/><text class="none" x="%g" y="%g" text-anchor="middle">%s</text>`,
			left, height-bottom, width-right, (left+width-right)/2, height/2,
			html.EscapeString(p.speak.Say("No number was published in this span.")))
		return
	}
	step := nice((p.max - p.min) / 5)
	for n := 0; ; n++ {
		v := p.min + float64(n)*step
		if v > p.max+step/1e6 {
			return
		}
		class := "grid"
		if math.Abs(v) < step/1e6 {
			class = "axis"
		}
		fmt.Fprintf(b,
			`<path class="%s" d="M%g %.1fH%g"/><text class="tick%s" x="%g" y="%.1f" text-anchor="end">%s</text>`,
			class, left, p.y(v), width-right, alternate(n), left-8, p.y(v)+4, html.EscapeString(p.tick(v, step)))
	}
}

// tick is a value of the scale; of shares, so many of a hundred.
func (p *picture) tick(v, step float64) string {
	for _, l := range p.lines {
		if len(l.Items) > 0 && l.Items[0].Unit == "share" {
			return p.speak.Tick(100*v, 100*step) + " %"
		}
	}
	return p.speak.Tick(v, step)
}

// alternate marks every second label, which a narrow screen leaves out.
func alternate(n int) string {
	if n%2 == 1 {
		return " second"
	}
	return ""
}

// hours labels the time axis at local hours or days.
func (p *picture) hours(b *strings.Builder) {
	span := p.to.Sub(p.from)
	start := p.from.In(p.place)
	at := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, p.place)
	next := func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	label := p.speak.ShortDay
	switch {
	case span <= 3*time.Hour:
		next = func(t time.Time) time.Time { return t.Add(10 * time.Minute) }
		label = p.speak.Clock
	case span <= 50*time.Hour:
		next = func(t time.Time) time.Time { return t.Add(3 * time.Hour) }
		label = p.speak.Clock
	case span > 10*24*time.Hour:
		next = func(t time.Time) time.Time { return t.AddDate(0, 0, 5) }
	}
	shown := 0
	for ; at.Before(p.to); at = next(at) {
		if at.Before(p.from) {
			continue
		}
		x := p.x(at)
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %gv5"/>`, x, height-bottom)
		if x < width-50 {
			fmt.Fprintf(b, `<text class="tick%s" x="%.1f" y="%g" text-anchor="middle">%s</text>`, alternate(shown), x,
				height-bottom+20, html.EscapeString(label(at)))
		}
		shown++
	}
}

func (p *picture) draw(b *strings.Builder, n int) {
	l := p.lines[n]
	for _, run := range runs(l.Items) {
		p.band(b, n, run)
		p.stroke(b, n, run)
	}
	y := height + strip*float64(n)
	fmt.Fprintf(b, `<path class="s%d line" d="M%g %gh18"/>`, n, left-34, y+5)
	for i := 0; i < len(l.Items); {
		j := i
		for j < len(l.Items) && look(&l.Items[j]) == look(&l.Items[i]) {
			j++
		}
		if s := l.Items[i].Status; s != store.Published {
			x := p.x(l.Items[i].Start)
			fmt.Fprintf(b, `<rect class="gap %s" x="%.1f" y="%.1f" width="%.1f" height="10"/>`,
				html.EscapeString(look(&l.Items[i])), x, y, max(1, p.x(l.Items[j-1].End)-x))
		}
		i = j
	}
	if end := p.ended; !end.IsZero() && end.Before(p.to) {
		x := max(left, p.x(end))
		fmt.Fprintf(b, `<rect class="gap ended" x="%.1f" y="%.1f" width="%.1f" height="10"/>`, x, y, width-right-x)
	}
}

// runs are the stretches of published items.
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

// band is where what was counted lies. Of several windows in one column of the picture it
// is the widest.
func (p *picture) band(b *strings.Builder, n int, run []store.Observation) {
	if *run[0].Low == *run[0].High && *run[len(run)-1].Low == *run[len(run)-1].High {
		return // exact
	}
	var upper, lower []string
	add := func(x, low, high float64) {
		upper = append(upper, fmt.Sprintf("%.1f %.1f", x, p.y(high)))
		lower = append(lower, fmt.Sprintf("%.1f %.1f", x, p.y(low)))
	}
	if len(run) == 1 { // a band of one window has its width
		add(p.x(run[0].Start), *run[0].Low, *run[0].High)
		add(p.x(run[0].End), *run[0].Low, *run[0].High)
	} else {
		for _, c := range p.columns(run) {
			low, high := *c[0].Low, *c[0].High
			for i := range c {
				low, high = min(low, *c[i].Low), max(high, *c[i].High)
			}
			add(p.x(middle(&c[0])), low, high)
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
func (p *picture) stroke(b *strings.Builder, n int, run []store.Observation) {
	var points []string
	for _, c := range p.columns(run) {
		for _, i := range m4(c) {
			points = append(points, fmt.Sprintf("%.1f %.1f", p.x(middle(&c[i])), p.y(*c[i].Value)))
		}
	}
	fmt.Fprintf(b, `<path class="s%d line" d="M%s"/>`, n, strings.Join(points, "L"))
	if len(p.lines[n].Items) > 200 && len(run) > 1 {
		return
	}
	for _, point := range points {
		x, y, _ := strings.Cut(point, " ")
		fmt.Fprintf(b, `<circle class="s%d point" cx="%s" cy="%s" r="2.5"/>`, n, x, y)
	}
}

// columns cuts a run where the picture cannot tell windows apart.
func (p *picture) columns(run []store.Observation) (out [][]store.Observation) {
	column := func(o *store.Observation) int {
		return int(float64(columns) * float64(o.Start.Sub(p.from)) / float64(p.to.Sub(p.from)))
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

// m4 are the places of the first, lowest, highest and last value, in order.
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
