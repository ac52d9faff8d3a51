package chart

import (
	"math"
	"time"

	"sluice/opendata/picture"
)

// tick is a value of an axis, and how it is said.
type tick struct {
	value float64
	text  string
}

// steps are the values of the upright axis.
func (p *plot) steps() (out []tick) {
	if p.empty {
		return nil
	}
	step := Nice((p.max - p.min) / 5)
	for n := 0; n < 12; n++ {
		v := p.min + float64(n)*step
		if v > p.max+step/1e6 {
			break
		}
		if math.Abs(v) < step/1e6 {
			v = 0
		}
		text := p.Speak.Tick(v, step)
		if p.Share {
			text = p.Speak.Tick(100*v, 100*step) + " %"
		}
		out = append(out, tick{v, text})
	}
	return out
}

// values draws the upright axis: a line for each step, the one at zero stronger.
func (p *plot) values() {
	if p.empty {
		p.on.Line(axisStyle, picture.Point{X: p.left, Y: p.foot}, picture.Point{X: p.right, Y: p.foot})
		words := p.Speak.Say("No number was published in this span.")
		p.on.Text(textStyle, picture.Label{X: (p.left + p.right) / 2, Y: (p.top + p.foot) / 2, Size: small,
			Anchor: picture.Middle, Text: words})
		return
	}
	for _, v := range p.steps() {
		y, style := p.y(v.value), gridStyle
		if v.value == 0 {
			style = axisStyle
		}
		p.on.Line(style, picture.Point{X: p.left, Y: y}, picture.Point{X: p.right, Y: y})
		p.on.Text(tickStyle, picture.Label{X: p.left - 6, Y: y + 4, Size: small, Anchor: picture.End, Text: v.text})
	}
}

// stride is a distance between two times of the lower axis, by the calendar.
type stride struct {
	clock        time.Duration
	days, months int
}

// strides are the distances to choose from, the shortest first.
var strides = []stride{
	{clock: 10 * time.Minute}, {clock: 15 * time.Minute}, {clock: 30 * time.Minute},
	{clock: time.Hour}, {clock: 2 * time.Hour}, {clock: 3 * time.Hour}, {clock: 6 * time.Hour}, {clock: 12 * time.Hour},
	{days: 1}, {days: 2}, {days: 5}, {days: 10}, {months: 1}, {months: 2}, {months: 3}, {months: 6}, {months: 12},
}

// next is the time one stride after a time. Clocks count from local midnight, also on days
// on which they change; days from the first of the month.
func (s stride) next(t time.Time) time.Time {
	y, m, d := t.Date()
	at := func(month time.Month, day, minutes int) time.Time {
		return time.Date(y, month, day, 0, minutes, 0, 0, t.Location())
	}
	switch {
	case s.months > 0:
		return at(m+time.Month(s.months), 1, 0)
	case s.days > 1: // the first of a month rather than a day just before it
		if d+s.days > at(m+1, 0, 0).Day()-s.days/2 {
			return at(m+1, 1, 0)
		}
		return at(m, d+s.days, 0)
	case s.days == 1:
		return at(m, d+1, 0)
	}
	minutes := int(s.clock / time.Minute)
	for n := (t.Hour()*60 + t.Minute()) / minutes; ; n++ {
		after := at(m, d, (n+1)*minutes)
		if left := (after.Hour()*60 + after.Minute()) % minutes; after.After(t) && left == 0 { // not in a skipped hour
			return after
		}
	}
}

// first is a time at or before the span's start at which strides begin.
func (s stride) first(from time.Time) time.Time {
	y, m, d := from.Date()
	switch {
	case s.months > 0:
		return time.Date(y, 1, 1, 0, 0, 0, 0, from.Location())
	case s.days > 1:
		return time.Date(y, m, 1, 0, 0, 0, 0, from.Location())
	}
	return time.Date(y, m, d, 0, 0, 0, 0, from.Location())
}

// say is a time of the axis in words.
func (s stride) say(p *plot, t time.Time) string {
	switch {
	case s.months > 0:
		return p.Speak.Month(t)
	case s.days > 1 || s.days == 1 && p.To.Sub(p.From) > 9*24*time.Hour:
		return p.Speak.DayMonth(t)
	case s.days == 1:
		return p.Speak.ShortDay(t)
	}
	return p.Speak.Clock(t)
}

// times are the times of a stride in the span, both ends included.
func (s stride) times(p *plot) (out []time.Time) {
	for t := s.first(p.From.In(p.Zone)); !t.After(p.To) && len(out) < 100; t = s.next(t) {
		if !t.Before(p.From) {
			out = append(out, t)
		}
	}
	return out
}

// stride is the shortest one whose words fit.
func (p *plot) stride() (stride, []time.Time) {
	for _, s := range strides {
		if p.To.Sub(p.From) > 50*time.Hour && s.clock > 0 || p.To.Sub(p.From) > 100*24*time.Hour && s.months == 0 {
			continue
		}
		list := s.times(p)
		if len(list) < 100 && p.fits(s, list) {
			return s, list
		}
	}
	return stride{months: 12}, nil
}

// fits reports whether no word of the times touches the next.
func (p *plot) fits(s stride, list []time.Time) bool {
	last := math.Inf(-1)
	for _, t := range list {
		long := wide(s.say(p, t), false)
		from := max(0, min(p.x(t)-long/2, p.on.Wide-long))
		if from < last+8 {
			return false
		}
		last = from + long
	}
	return true
}

// times draws the lower axis. Below clock times the days are named.
func (p *plot) times() {
	s, list := p.stride()
	for _, t := range list {
		x := p.x(t)
		p.on.Line(gridStyle, picture.Point{X: x, Y: p.foot}, picture.Point{X: x, Y: p.foot + 5})
		p.word(x, p.foot+18, s.say(p, t))
	}
	if s.clock == 0 {
		return
	}
	last := math.Inf(-1)
	for t := p.From.In(p.Zone); t.Before(p.To); t = (stride{days: 1}).next(t) {
		words := p.Speak.ShortDay(t)
		if x, long := p.x(t), wide(words, false); x >= last && x+long <= p.on.Wide &&
			(t.After(p.From) || p.x((stride{days: 1}).next(t)) > x+long+6) {
			p.on.Text(tickStyle, picture.Label{X: x, Y: p.foot + 32, Size: small, Text: words})
			last = x + long + 6
		}
	}
}

// word is a text of the lower axis in the middle of its time, or as near as the sheet allows.
func (p *plot) word(x, y float64, words string) {
	half := wide(words, false) / 2
	l := picture.Label{X: x, Y: y, Size: small, Anchor: picture.Middle, Text: words}
	switch {
	case x+half > p.on.Wide:
		l.X, l.Anchor = p.on.Wide, picture.End
	case x-half < 0:
		l.X, l.Anchor = 0, picture.Start
	}
	p.on.Text(tickStyle, l)
}
