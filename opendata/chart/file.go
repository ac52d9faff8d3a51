package chart

import "sluice/opendata/picture"

// Frame is what must travel with a chart when it leaves the page.
type Frame struct {
	Title, Below string   // what it is; where and when
	Notes        []string // how to read it: its interval, its band, its bias
	Source       string   // who decided it, and where it is from
}

// Sizes of a file's texts, and its margin.
const (
	titleSize, lineSize, noteSize = 19.0, 13.0, 12.0
	margin                        = 20.0
)

// File is the chart as a sheet of its own.
func (c *Chart) File(f Frame) *picture.Sheet {
	on := &picture.Sheet{Wide: wideForm.wide, Title: f.Title + ". " + f.Below + ". " + f.Source}
	room := on.Wide - 2*margin
	y := margin
	write := func(style picture.Style, words string, size float64, most int) {
		for _, words := range picture.Wrap(words, size, room/1.08, style.Bold, most) {
			y += size * 1.35
			on.Text(style, picture.Label{X: margin, Y: y, Size: size, Text: words})
		}
	}
	heavy := textStyle
	heavy.Bold = true
	write(heavy, f.Title, titleSize, 2)
	write(tickStyle, f.Below, lineSize, 2)
	y += 8
	p := c.draw(on, y, wideForm)
	y = p.below + rowHigh*float64(p.rows())
	for _, note := range f.Notes {
		y += 3
		write(tickStyle, note, noteSize, 4)
	}
	y += 5
	write(textStyle, f.Source, noteSize, 3)
	on.High = y + margin
	return on
}
