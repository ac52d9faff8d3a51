// Package chart draws released observations over time: each place as a line with its
// interval as a band, or, over long spans, the lowest and the highest of each hour or day as
// a band with the mean as a line. It draws numbers, dates and names of the books only.
//
//   - Below the axis, a row for each place marks what was not published, in words where
//     there is room, so that withheld, no data and zero cannot be confused.
//   - A place has one colour, dash and shape for ever: those of its position in the stream's
//     closed list, see PlaceStyle.
//   - What it is compared with lies behind, faint; limits are dashed lines.
//   - Names stand at the lines' ends, those of limits above the plot: no word lies on a number.
//
// Page gives a chart twice, for wide and for narrow screens, of which a style sheet shows one;
// Picture gives it as a sheet of its own, with all that must travel with it; Mini gives a
// small line without words.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
	"time"

	"sluice/opendata/i18n"
	"sluice/opendata/picture"
)

// Mark is what there is of one place in one stretch of time.
type Mark struct {
	Start, End time.Time
	// Value is the number, or the mean of several, nil where there is none. Low and High are
	// its interval, or the lowest and the highest of several.
	Value, Low, High *float64
	// Look is what it looks like where there is no number: withheld, no_data, withdrawn or
	// suspended. Beside a number it is published, or what a part of the stretch looks like.
	Look string
}

// Published is the Look of what has a number throughout.
const Published = "published"

// band reports whether there is anything to draw over the axis.
func (m *Mark) band() bool { return m.Low != nil && m.High != nil }

// Series is one place.
type Series struct {
	Name string
	// Place is the place's position in the stream's closed list.
	Place int
	Marks []Mark // in order of time
	// Before are the marks of another time, moved to this one.
	Before []Mark
}

// Chart is a view of some places over a span of time.
type Chart struct {
	Speak    *i18n.Localizer
	Zone     *time.Location
	From, To time.Time
	Ended    time.Time // when the series ended; zero for not
	Series   []Series
	Limits   []Limit
	// Level says that zero means nothing much, as with decibels: the axis need not have it.
	Level bool
	// Share says that values are shares of one, shown of a hundred.
	Share bool
	// Words are what is said of a Look where it is drawn, the longest first.
	Words map[string][]string
}

// Forms of a chart on a page, in pixels.
var (
	wideForm   = form{720, 300, 150}
	narrowForm = form{340, 196, 84}
)

// form is how large a chart is, without its rows, and how wide names may be.
type form struct{ wide, high, names float64 }

const (
	topRoom  = 14.0
	footRoom = 36.0 // two lines of text
	rowHigh  = 16.0 // of a row of what was not published
	small    = 12.0 // the size of all text, which style sheets repeat
)

// Page is the chart for a page, in two sizes, each in an element that says to scripts where
// its axes are.
func (c *Chart) Page() template.HTML {
	var b strings.Builder
	for _, x := range []struct {
		name string
		form form
	}{{"wide", wideForm}, {"narrow", narrowForm}} {
		p := c.plot(x.form)
		fmt.Fprintf(&b, `<div class="chart-%s" data-left="%.1f" data-right="%.1f" data-top="%g" data-foot="%g" data-min="%g" `+
			`data-max="%g">%s</div>`, x.name, p.left, p.right, p.top, p.foot, p.min, p.max,
			p.on.Embedded("chart", "chart-"+x.name))
	}
	return template.HTML(b.String()) //nolint:gosec // numbers, constants and what package picture escapes
}

// plot is a chart on a sheet.
type plot struct {
	*Chart
	on                     *picture.Sheet
	left, right, top, foot float64 // of the part between the axes
	below                  float64 // where what is below the lower axis begins
	min, max               float64
	empty                  bool // nothing was published
	names                  float64
}

// plot draws the chart alone.
func (c *Chart) plot(f form) *plot {
	on := &picture.Sheet{Wide: f.wide, Title: c.title()}
	p := c.draw(on, 0, f)
	on.High = p.below + rowHigh*float64(p.rows())
	return p
}

// draw puts the chart on a sheet, from a height on.
func (c *Chart) draw(on *picture.Sheet, y float64, f form) *plot {
	p := &plot{Chart: c, on: on, names: f.names}
	p.scale()
	p.margins(f)
	y += p.legend(y)
	p.top, p.foot, p.below = y+topRoom, y+f.high-footRoom, y+f.high
	p.values()
	p.times()
	p.endings()
	for n := range c.Series {
		p.before(&c.Series[n])
	}
	for n := range c.Series {
		p.series(&c.Series[n])
	}
	p.limits()
	p.labels()
	p.gaps(p.below)
	return p
}

func (c *Chart) title() string {
	names := make([]string, len(c.Series))
	for i := range c.Series {
		names[i] = c.Series[i].Name
	}
	return c.Speak.Say("Chart of %s from %s to %s. The table below says the same.", strings.Join(names, ", "),
		c.Speak.ShortDay(c.From.In(c.Zone))+" "+c.Speak.Clock(c.From.In(c.Zone)),
		c.Speak.ShortDay(c.To.In(c.Zone))+" "+c.Speak.Clock(c.To.In(c.Zone)))
}

// farLimit is how many times as far as the numbers go a limit may lie to be drawn; what is
// further would make them flat.
const farLimit = 2.5

// scale chooses round bounds that include all intervals and the limits that are near, and
// zero unless the numbers are levels.
func (p *plot) scale() {
	p.empty, p.max = true, 1
	low, high := math.Inf(1), math.Inf(-1)
	see := func(marks []Mark) {
		for i := range marks {
			if m := &marks[i]; m.band() {
				low, high = min(low, *m.Low), max(high, *m.High)
			}
		}
	}
	for n := range p.Series {
		see(p.Series[n].Marks)
	}
	if p.empty = high < low; p.empty {
		return
	}
	for n := range p.Series {
		see(p.Series[n].Before)
	}
	if !p.Level {
		low, high = min(low, 0), max(high, 0)
	}
	reach := max(high-low, math.Abs(high)/5)
	for _, l := range p.Limits {
		if l.Value <= low+farLimit*reach && l.Value >= high-farLimit*reach {
			low, high = min(low, l.Value), max(high, l.Value)
		}
	}
	if high-low < 1e-9*max(1, math.Abs(high)) {
		if p.Level {
			low--
		}
		high++
	}
	step := Nice((high - low) / 4)
	p.min, p.max = math.Floor(low/step+1e-9)*step, math.Ceil(high/step-1e-9)*step
}

// Nice rounds up to 1, 2, 2.5 or 5 times a power of ten.
func Nice(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 2.5, 5} {
		if v <= n*power*(1+1e-9) {
			return n * power
		}
	}
	return 10 * power
}

// wide is how wide a text of the chart is at most: readers' own typefaces are wider than that of
// files, bold ones more so.
func wide(words string, bold bool) float64 {
	if bold {
		return picture.Width(words, small, true) * 1.2
	}
	return picture.Width(words, small, false) * 1.08
}

// fit is as much of a text as is at most so wide.
func fit(words string, most float64, bold bool) string {
	return picture.Fit(words, small, most*picture.Width("m", small, bold)/wide("m", bold), bold)
}

// margins leaves room for numbers at the left and names at the right.
func (p *plot) margins(f form) {
	p.left = 8
	for _, v := range p.steps() {
		p.left = max(p.left, wide(v.text, false)+10)
	}
	longest := 0.0
	for i := range p.Series {
		longest = max(longest, wide(p.Series[i].Name, true))
	}
	for _, l := range p.near() {
		longest = max(longest, wide(l.Short, false))
	}
	p.names = min(f.names, longest+0.01) // fit divides by what wide multiplies with
	p.right = f.wide - p.names - 12
}

func (p *plot) x(t time.Time) float64 {
	return p.left + (p.right-p.left)*float64(t.Sub(p.From))/float64(p.To.Sub(p.From))
}

func (p *plot) y(v float64) float64 { return p.top + (p.foot-p.top)*(p.max-v)/(p.max-p.min) }

// Mini is a small line of one place's numbers without words, for a list: its title says what
// it is, and id is an id that the page has once.
func Mini(s Series, title, id string) template.HTML {
	const across, high = 160.0, 36.0
	on := &picture.Sheet{Wide: across, High: high, Title: title}
	c := Chart{Series: []Series{s}}
	if n := len(s.Marks); n > 0 {
		c.From, c.To = s.Marks[0].Start, s.Marks[n-1].End
	}
	p := &plot{Chart: &c, on: on, left: 2, right: across - 4, top: 4, foot: high - 4}
	c.Level = true
	if p.scale(); p.empty {
		return template.HTML(`<span class="visually-hidden">` + html.EscapeString(title) + `</span>`) //nolint:gosec // escaped
	}
	p.series(&s)
	return template.HTML(on.Embedded("mini", id)) //nolint:gosec // numbers and what package picture escapes
}
