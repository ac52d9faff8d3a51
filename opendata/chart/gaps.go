package chart

import (
	"sluice/opendata/picture"
)

// rows is how many places have anything that was not published.
func (p *plot) rows() (n int) {
	for i := range p.Series {
		if p.gappy(&p.Series[i]) {
			n++
		}
	}
	return n
}

func (p *plot) gappy(s *Series) bool {
	if p.over() {
		return true
	}
	for i := range s.Marks {
		if s.Marks[i].Look != Published {
			return true
		}
	}
	return false
}

// over reports whether the series ends within the span.
func (p *plot) over() bool { return !p.Ended.IsZero() && p.Ended.Before(p.To) }

// endings shades the parts in which nothing could be measured: while all was suspended, and
// after the end.
func (p *plot) endings() {
	if len(p.Series) > 0 {
		marks := p.Series[0].Marks
		for _, run := range runs(marks, func(m *Mark) bool { return m.Look == "suspended" && !m.band() }) {
			x := p.x(run[0].Start)
			p.on.Rect(halted, x, p.top, p.x(run[len(run)-1].End)-x, p.foot-p.top)
		}
	}
	if !p.over() {
		return
	}
	x := max(p.left, p.x(p.Ended))
	p.on.Rect(ending, x, p.top, p.right-x, p.foot-p.top)
	p.on.Text(textStyle, picture.Label{X: (x + p.right) / 2, Y: p.top + 16, Size: small, Anchor: picture.Middle,
		Text: p.fitting("ended", p.right-x)})
}

// gaps draws the rows of what was not published, from a height on.
func (p *plot) gaps(y float64) {
	for n := range p.Series {
		s := &p.Series[n]
		if !p.gappy(s) {
			continue
		}
		p.on.Text(PlaceStyle(s.Place, "name"), picture.Label{X: p.right + 8, Y: y + 10, Size: small,
			Text: fit(s.Name, p.names, true)})
		p.row(s, y)
		y += rowHigh
	}
}

// row draws one place's row: a mark for each stretch, half as high where a part has numbers,
// and the word for it in the longest.
func (p *plot) row(s *Series, y float64) {
	const high = 11.0
	type stretch struct{ x, wide float64 }
	longest := map[string]stretch{}
	for i := 0; i < len(s.Marks); {
		first := &s.Marks[i]
		j := i
		for j < len(s.Marks) && s.Marks[j].Look == first.Look && s.Marks[j].band() == first.band() {
			j++
		}
		if first.Look != Published {
			at := stretch{x: p.x(first.Start)}
			at.wide = max(1, p.x(s.Marks[j-1].End)-at.x)
			if first.band() {
				p.on.Rect(gapStyle(first.Look), at.x, y+high/2, at.wide, high/2)
			} else {
				p.on.Rect(gapStyle(first.Look), at.x, y, at.wide, high)
				if at.wide > longest[first.Look].wide {
					longest[first.Look] = at
				}
			}
		}
		i = j
	}
	if p.over() {
		x := max(p.left, p.x(p.Ended))
		p.on.Rect(ending, x, y, p.right-x, high)
	}
	for _, look := range []string{"withheld", "no_data", "suspended", "withdrawn"} {
		at := longest[look]
		p.on.Text(textStyle, picture.Label{X: at.x + at.wide/2, Y: y + 9.5, Size: small, Anchor: picture.Middle,
			Halo: true, Text: p.fitting(look, at.wide-12)})
	}
}

// fitting are the longest words for a look that fit; empty if none do.
func (p *plot) fitting(look string, room float64) string {
	for _, words := range p.Words[look] {
		if wide(words, false) <= room {
			return words
		}
	}
	return ""
}
