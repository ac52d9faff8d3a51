package chart

import (
	"slices"
	"time"

	"sluice/opendata/picture"
)

// series draws one place: its band, its line and, where there is room, its points.
func (p *plot) series(s *Series) {
	for _, run := range runs(s.Marks, (*Mark).band) {
		p.band(s.Place, run)
	}
	for _, run := range runs(s.Marks, func(m *Mark) bool { return m.Value != nil }) {
		line := p.stroke(run)
		if len(run) > 1 {
			p.on.Line(PlaceStyle(s.Place, "line"), line...)
		}
		if len(run) > 1 && float64(len(s.Marks)) > (p.right-p.left)/7 {
			continue
		}
		for _, at := range line {
			p.on.Dot(PlaceStyle(s.Place, "point"), picture.ShapeOf(s.Place), at, 2.5)
		}
	}
}

// before draws what it was at another time.
func (p *plot) before(s *Series) {
	for _, run := range runs(s.Before, func(m *Mark) bool { return m.Value != nil }) {
		p.on.Line(PlaceStyle(s.Place, "ghost"), p.stroke(run)...)
	}
}

// runs splits marks into stretches of those that have something.
func runs(marks []Mark, has func(*Mark) bool) (out [][]Mark) {
	begin := -1
	for i := range len(marks) + 1 {
		is := i < len(marks) && has(&marks[i])
		switch {
		case is && begin < 0:
			begin = i
		case !is && begin >= 0:
			out = append(out, marks[begin:i])
			begin = -1
		}
	}
	return out
}

func middle(m *Mark) time.Time { return m.Start.Add(m.End.Sub(m.Start) / 2) }

// band draws intervals. Of several in one pixel column it takes the widest.
func (p *plot) band(place int, run []Mark) {
	if !slices.ContainsFunc(run, func(m Mark) bool { return *m.Low != *m.High }) {
		return // exact
	}
	var upper, lower []picture.Point
	add := func(t time.Time, low, high float64) {
		upper = append(upper, picture.Point{X: p.x(t), Y: p.y(high)})
		lower = append(lower, picture.Point{X: p.x(t), Y: p.y(low)})
	}
	if len(run) == 1 { // a band of one has its width
		add(run[0].Start, *run[0].Low, *run[0].High)
		add(run[0].End, *run[0].Low, *run[0].High)
	} else {
		for _, column := range p.columns(run) {
			low, high := *column[0].Low, *column[0].High
			for i := range column {
				low, high = min(low, *column[i].Low), max(high, *column[i].High)
			}
			add(middle(&column[0]), low, high)
		}
	}
	slices.Reverse(lower)
	p.on.Area(PlaceStyle(place, "band"), append(upper, lower...)...)
}

// stroke is the line itself; of several marks in one column the first, lowest, highest and
// last, which draw the same picture as all of them (M4: Jugel and others, VLDB 2014).
func (p *plot) stroke(run []Mark) (points []picture.Point) {
	for _, column := range p.columns(run) {
		for _, i := range m4(column) {
			points = append(points, picture.Point{X: p.x(middle(&column[i])), Y: p.y(*column[i].Value)})
		}
	}
	return points
}

// columns groups the marks of a run that fall into one pixel column.
func (p *plot) columns(run []Mark) (out [][]Mark) {
	column := func(m *Mark) int { return int(p.x(m.Start)) }
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
func m4(c []Mark) []int {
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

// apart moves heights, in order, so that they are a gap apart and, if they can, within bounds.
func apart(list []float64, gap, low, high float64) {
	for i := range list {
		list[i] = max(list[i], low)
		if i > 0 {
			list[i] = max(list[i], list[i-1]+gap)
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		most := high
		if i+1 < len(list) {
			most = list[i+1] - gap
		}
		list[i] = min(list[i], most)
	}
}
