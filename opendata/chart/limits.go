package chart

import (
	"cmp"
	"slices"

	"sluice/opendata/picture"
)

// Limit is a value that the numbers are compared with.
type Limit struct {
	Value float64
	// Name says what it is and how much, Short how much alone.
	Name, Short string
}

const (
	limitHigh = 15.0 // of a limit's name above the plot
	sample    = 20.0 // the length of the line before it
)

// legend names the limits above the plot, the highest first, so that no name lies on the
// numbers, and returns how high that is. Those that are too far away to be drawn have an
// arrow for their line.
func (p *plot) legend(y float64) (high float64) {
	if p.empty {
		return 0
	}
	for _, l := range p.highest() {
		y, high = y+limitHigh, high+limitHigh
		arrow := picture.Label{X: p.left + sample/2, Y: y, Size: small, Anchor: picture.Middle}
		switch {
		case l.Value > p.max:
			arrow.Text = "↑"
		case l.Value < p.min:
			arrow.Text = "↓"
		default:
			p.on.Line(limit, picture.Point{X: p.left, Y: y - 4}, picture.Point{X: p.left + sample, Y: y - 4})
		}
		p.on.Text(limitName, arrow)
		x := p.left + sample + 6
		p.on.Text(limitName, picture.Label{X: x, Y: y, Size: small, Text: fit(l.Name, p.on.Wide-x-2, false)})
	}
	return high
}

// highest are the limits, the highest first.
func (p *plot) highest() []Limit {
	list := slices.Clone(p.Limits)
	slices.SortStableFunc(list, func(a, b Limit) int { return cmp.Compare(b.Value, a.Value) })
	return list
}

// near are the limits that are drawn as lines.
func (p *plot) near() []Limit {
	return slices.DeleteFunc(p.highest(), func(l Limit) bool { return p.empty || l.Value > p.max || l.Value < p.min })
}

// limits draws limits as lines.
func (p *plot) limits() {
	for _, l := range p.near() {
		y := p.y(l.Value)
		p.on.Line(limit, picture.Point{X: p.left, Y: y}, picture.Point{X: p.right, Y: y})
	}
}

// label is what stands at the end of a line.
type label struct {
	text  string
	style picture.Style
	y     float64
}

// labels writes each name at the end of its line, and there how much each limit is, where
// they do not touch.
func (p *plot) labels() {
	var list []label
	for n := range p.Series {
		s := &p.Series[n]
		for i := len(s.Marks) - 1; i >= 0; i-- {
			m := &s.Marks[i]
			if !m.band() {
				continue
			}
			v := (*m.Low + *m.High) / 2
			if m.Value != nil {
				v = *m.Value
			}
			list = append(list, label{fit(s.Name, p.names, true), PlaceStyle(s.Place, "name"), p.y(v)})
			break
		}
	}
	if limits := p.near(); float64(len(list)+len(limits))*(small+2) <= p.foot-p.top {
		for _, l := range limits {
			list = append(list, label{fit(l.Short, p.names, false), limitName, p.y(l.Value)})
		}
	}
	slices.SortStableFunc(list, func(a, b label) int { return cmp.Compare(a.y, b.y) })
	heights := make([]float64, len(list))
	for i := range list {
		heights[i] = list[i].y
	}
	apart(heights, small+2, p.top-4, p.foot)
	for i, l := range list {
		p.on.Text(l.style, picture.Label{X: p.right + 8, Y: heights[i] + 4, Size: small, Text: l.text})
	}
}
