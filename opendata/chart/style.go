package chart

import (
	"fmt"

	"sluice/opendata/picture"
)

// Colours are those of places, on paper; a style sheet has the same as --s0 to --s7, and
// others of its own for the dark.
var Colours = []string{"#0b5d7a", "#a8430b", "#5b3f9e", "#2c6e1f", "#a3195b", "#6b5a00", "#1f4fbf", "#4d545e"}

// dashes are the second cue, beside colour: with 8 colours and 5 dashes, 40 places differ.
var dashes = [][]float64{nil, {8, 3}, {2, 3}, {9, 3, 2, 3}, {5, 3}}

// PlaceStyle is how the place at a position of a stream's closed list is drawn: as a line,
// band, point, name, or faint line of another time.
func PlaceStyle(place int, what string) picture.Style {
	place = max(place, 0)
	n, d := place%len(Colours), place%len(dashes)
	st := picture.Style{Class: fmt.Sprintf("s%d d%d %s", n, d, what)}
	switch what {
	case "line":
		st.Stroke, st.Width, st.Dash = Colours[n], 2, dashes[d]
	case "ghost":
		st.Stroke, st.Width = picture.Mix(Colours[n], 0.45), 1.5
	case "band":
		st.Fill, st.Opacity = Colours[n], 0.22
	case "point":
		st.Fill = Colours[n]
	case "name":
		st.Fill, st.Bold = Colours[n], true
	}
	return st
}

// The looks of everything else.
var (
	tickStyle = picture.Style{Class: "tick", Fill: picture.Soft}
	textStyle = picture.Style{Class: "word", Fill: picture.Ink}
	gridStyle = picture.Style{Class: "grid", Stroke: picture.Pale, Width: 1}
	axisStyle = picture.Style{Class: "axis", Stroke: picture.Edge, Width: 1.5}
	limit     = picture.Style{Class: "limit", Stroke: picture.Warn, Width: 1.5, Dash: []float64{6, 4}}
	limitName = picture.Style{Class: "limit-name", Fill: picture.Warn}
	ending    = picture.Style{Class: "gap ended", Stroke: picture.Edge, Width: 1, Dash: []float64{4, 3}}
	halted    = picture.Style{Class: "halted", Fill: picture.Warn, Opacity: 0.08}
)

// gapStyle is how a stretch without a number looks.
func gapStyle(look string) picture.Style {
	st := picture.Style{Class: "gap " + look, Fill: picture.Edge, Stroke: picture.Edge, Width: 0.5}
	switch look {
	case "withheld":
		st.Hatch = picture.Rising
	case "suspended":
		st.Hatch, st.Fill = picture.Level, picture.Warn
	case "no_data":
		st.Hatch, st.Fill = picture.Crosses, picture.Warn
	case "withdrawn":
		st.Fill = picture.Warn
	}
	return st
}
