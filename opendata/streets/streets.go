// Package streets reads a city's ground from a GeoJSON file of its own (RFC 7946) and draws
// it under the zones: streets, squares, water, parks and buildings, each with its names.
//
//	{"type": "FeatureCollection", "features": [
//	  {"type": "Feature", "properties": {"kind": "street", "name": "Carrer Nou", "name:es": "Calle Nueva"},
//	   "geometry": {"type": "LineString", "coordinates": [[2.112, 41.307], [2.118, 41.308]]}}]}
//
// A feature's kind is street, square, water, park or building; it is a LineString,
// MultiLineString, Polygon or MultiPolygon. What is anything else is left out and counted.
// Other properties are not read.
//
// A file has at most MaxBytes and maxPoints corners. It is kept with the corners that can be
// told apart, and a picture has as many bytes as whoever draws it allows.
package streets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/paulmach/orb"
)

// Kind is what a feature is.
type Kind string

// The kinds, as they are drawn one above the other.
const (
	Park     Kind = "park"
	Water    Kind = "water"
	Square   Kind = "square"
	Building Kind = "building"
	Street   Kind = "street"
)

var kinds = []Kind{Park, Water, Square, Building, Street}

// Bounds of a file.
const (
	MaxBytes    = 20 << 20
	maxFeatures = 300_000
	maxPoints   = 2_000_000
	maxName     = 120 // letters; a longer name is none
)

// Ground is what a file says. It is not changed once it was read.
type Ground struct {
	features []feature
	left     int
}

// feature is a thing on the ground: lines, or the rings of an area.
type feature struct {
	kind  Kind
	names map[string]string // by language; "" for that of the place itself
	area  bool
	lines []orb.LineString // in degrees
}

// Len is how many features there are, and Left how many were left out.
func (g *Ground) Len() int { return len(g.features) }

// Left is how many features were left out, since they are of no kind, or no shape that is
// drawn.
func (g *Ground) Left() int { return g.left }

// Parse reads a file. It fails where there is nothing in it to draw, or too much.
func Parse(raw []byte) (*Ground, error) {
	if len(raw) > MaxBytes {
		return nil, errTooLarge
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := enter(d); err != nil {
		return nil, err
	}
	p := parser{g: new(Ground)}
	for d.More() {
		if err := p.one(d); err != nil {
			return nil, err
		}
	}
	if !json.Valid(raw) {
		return nil, errors.New("it ends otherwise than GeoJSON does; it may have been cut short; export it again")
	}
	if p.g.Len() == 0 {
		return nil, errors.New(`nothing in it can be drawn; give each feature a property "kind" that is street, ` +
			"square, water, park or building")
	}
	return p.g, nil
}

var errTooLarge = fmt.Errorf("it is larger than %d MB; take the part around the zones, and simplify it (ogr2ogr "+
	"-clipsrc and -simplify)", MaxBytes>>20)

// enter goes to the list of features.
func enter(d *json.Decoder) error {
	none := errors.New(`it is no GeoJSON of the form {"type": "FeatureCollection", "features": [...]}`)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return none
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return none
		}
		if key == "features" {
			if t, err := d.Token(); err != nil || t != json.Delim('[') {
				return none
			}
			return nil
		}
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return none
		}
	}
	return none
}

// parser fills a Ground.
type parser struct {
	g      *Ground
	n      int // features so far
	points int
}

// one reads a feature, or leaves it out.
func (p *parser) one(d *json.Decoder) error {
	p.n++
	if p.n > maxFeatures {
		return fmt.Errorf("it has more than %d features; leave out buildings, or take the part around the zones",
			maxFeatures)
	}
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return fmt.Errorf("feature %d is no JSON", p.n)
	}
	f, ok := p.feature(raw)
	if p.points > maxPoints {
		return fmt.Errorf("it has more than %d corners; simplify it (ogr2ogr -simplify 0.00001)", maxPoints)
	}
	if !ok {
		p.g.left++
		return nil
	}
	p.g.features = append(p.g.features, f)
	return nil
}

func (p *parser) feature(raw []byte) (f feature, ok bool) {
	var in struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Geometry   struct {
			Type        string          `json:"type"`
			Coordinates json.RawMessage `json:"coordinates"`
		} `json:"geometry"`
	}
	if json.Unmarshal(raw, &in) != nil {
		return f, false
	}
	if f.kind = Kind(text(in.Properties["kind"])); !f.kind.known() {
		return f, false
	}
	f.names = names(in.Properties)
	var lines [][][]float64
	one := json.Unmarshal
	switch in.Geometry.Type {
	case "LineString":
		lines = make([][][]float64, 1)
		ok = one(in.Geometry.Coordinates, &lines[0]) == nil
	case "MultiLineString", "Polygon":
		ok = one(in.Geometry.Coordinates, &lines) == nil
	case "MultiPolygon":
		var many [][][][]float64
		ok = one(in.Geometry.Coordinates, &many) == nil
		for _, polygon := range many {
			lines = append(lines, polygon...)
		}
	}
	f.area = strings.HasSuffix(in.Geometry.Type, "Polygon")
	for _, l := range lines {
		p.points += len(l)
		line, fine := onEarth(l)
		ok = ok && fine
		if least := map[bool]int{true: 4, false: 2}[f.area]; len(line) >= least {
			f.lines = append(f.lines, line)
		}
	}
	return f, ok && len(f.lines) > 0
}

func (k Kind) known() bool {
	for _, one := range kinds {
		if k == one {
			return true
		}
	}
	return false
}

// apart is how far corners are from each other at least, in degrees: about a metre.
const apart = 1e-5

// onEarth is a line without corners that are next to the one before; false where one is not
// on earth.
func onEarth(in [][]float64) (out orb.LineString, ok bool) {
	for i, q := range in {
		if len(q) < 2 || !(math.Abs(q[0]) <= 180 && math.Abs(q[1]) <= 90) {
			return nil, false
		}
		at := orb.Point{q[0], q[1]}
		if n := len(out); n > 0 && i < len(in)-1 && math.Abs(at[0]-out[n-1][0]) < apart &&
			math.Abs(at[1]-out[n-1][1]) < apart {
			continue
		}
		out = append(out, at)
	}
	return append(orb.LineString(nil), out...), true
}

// names are a feature's own, by language.
func names(properties map[string]json.RawMessage) map[string]string {
	var out map[string]string
	for _, lang := range []string{"", "ca", "es", "en"} {
		key := "name"
		if lang != "" {
			key += ":" + lang
		}
		if name := text(properties[key]); name != "" {
			if out == nil {
				out = make(map[string]string)
			}
			out[lang] = name
		}
	}
	return out
}

// text is a string that can be shown; empty for what is none.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || len(raw) > 6*maxName+2 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsGraphic(r)
	}), " ")
	if utf8.RuneCountInString(s) > maxName {
		return ""
	}
	return s
}
