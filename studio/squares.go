package studio

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"sluice/internal/names"
	"sluice/internal/yamldoc"
)

const zonesName = "zones.geojson"

// Bounds of a square zone, and what is suggested, in metres from side to side.
const (
	leastSide = 20
	mostSide  = 20000
	usualSide = 300
)

// squares are the zones of a new town: each the square around a point. Their true outlines are drawn
// with a program for maps.
func (f *form) squares() {
	list := entries(f.v, "zones")
	for i := range list {
		at := "zones." + strconv.Itoa(i)
		f.add(group{Key: "zone", N: i + 1, Fields: []field{{Name: at + ".name"}, {Name: at + ".lat", Sort: "number"},
			{Name: at + ".lon", Sort: "number"}, {Name: at + ".side", Sort: "number"}},
			Buttons: []button{f.drop(at, "zone")}})
	}
	if len(list) > 0 {
		last := &f.groups[len(f.groups)-1]
		last.Buttons = append(last.Buttons, f.more("zones"))
	}
}

// square is one of them, as it was written.
type square struct{ id, name, lat, lon, side string }

func squaresOf(v any) (list []square) {
	for _, row := range entries(v, "zones") {
		said := func(key string) string { return strings.Replace(spelled(yamldoc.In(row, key)), ",", ".", 1) }
		name := spelled(yamldoc.In(row, "name"))
		list = append(list, square{short(name), name, said("lat"), said("lon"), said("side")})
	}
	return list
}

// badSquares are what is wrong with zones, at their fields.
func badSquares(v any) (amiss []ownFinding) {
	list, seen := squaresOf(v), make(map[string]bool)
	if len(list) == 0 {
		return []ownFinding{{"zones.0.name", "found.need.zone"}}
	}
	for i, z := range list {
		at := "zones." + strconv.Itoa(i)
		bad := func(text string, low, high float64) bool {
			x, err := strconv.ParseFloat(text, 64)
			return err != nil || !(x >= low && x <= high)
		}
		switch {
		case z.id == "" || !names.Visible(z.name):
			amiss = append(amiss, ownFinding{at + ".name", "found.need.zone"})
		case seen[z.id]:
			amiss = append(amiss, ownFinding{at + ".name", "found.need.other-zone"})
		}
		seen[z.id] = true
		if bad(z.lat, -85, 85) {
			amiss = append(amiss, ownFinding{at + ".lat", "found.need.lat"})
		}
		if bad(z.lon, -179, 179) {
			amiss = append(amiss, ownFinding{at + ".lon", "found.need.lon"})
		}
		if bad(z.side, leastSide, mostSide) {
			amiss = append(amiss, ownFinding{at + ".side", "found.need.side"})
		}
	}
	return amiss
}

// perDegree is how many metres a degree of latitude has.
const perDegree = 111_320

// squaresFile is zones.geojson, with a zone a line.
func squaresFile(v any) []byte {
	var b strings.Builder
	b.WriteString(`{"type": "FeatureCollection", "features": [`)
	for i, z := range squaresOf(v) {
		lat, _ := strconv.ParseFloat(z.lat, 64) // badSquares says what is no number
		lon, _ := strconv.ParseFloat(z.lon, 64)
		side, _ := strconv.ParseFloat(z.side, 64)
		up := side / 2 / perDegree
		across := up / math.Cos(lat*math.Pi/180)
		var ring [][2]float64
		for _, corner := range [][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}} {
			ring = append(ring, [2]float64{sixth(lon + corner[0]*across), sixth(lat + corner[1]*up)})
		}
		line, err := json.Marshal(map[string]any{"type": "Feature", "id": z.id,
			"properties": map[string]string{"name": z.name},
			"geometry":   map[string]any{"type": "Polygon", "coordinates": [][][2]float64{ring}}})
		must(err)
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n" + string(line))
	}
	b.WriteString("\n]}\n")
	return []byte(b.String())
}

// sixth is a degree with six digits, a tenth of a metre.
func sixth(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// latin are letters as short names write them.
var latin = strings.NewReplacer(strings.Fields(`à a á a â a ä a ã a å a ç c è e é e ê e ë e ì i í i î i ï i ñ n ò o
	ó o ô o ö o õ o ø o ù u ú u û u ü u ý y ß ss æ ae œ oe l·l ll ' - ’ -`)...)

// short is the short name that a name suggests: Anna Puig Ribó is anna-puig-ribo. Of a member's office,
// behind a comma, nothing is taken; empty where no letter is one of ours.
func short(name string) string {
	name, _, _ = strings.Cut(name, ",")
	text := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return ' '
	}, latin.Replace(strings.ToLower(name)))
	const most = 40
	id := strings.Join(strings.Fields(strings.ReplaceAll(text, "-", " ")), "-")
	return strings.Trim(id[:min(len(id), most)], "-")
}
