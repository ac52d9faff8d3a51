package web

import (
	"context"
	"slices"
	"strconv"
	"unicode/utf8"

	"sluice/books"
	"sluice/opendata/classes"
	"sluice/opendata/i18n"
	"sluice/opendata/streets"
	"sluice/opendata/zonemap"
	"sluice/store"
)

// choropleth is the map of a layer, and its table.
type choropleth struct {
	zonemap.Map
	Layer  layer
	Rows   []zoneRow
	Legend []class
	// Limits are the bounds between classes that are limits.
	Limits []limitMark
	// Looks are those of zones without a number.
	Looks []string
	backdrop
}

// backdrop is what is drawn under and over zones.
type backdrop struct {
	Ground []streets.Path
	Credit string
	// Metres are those of the scale bar, of so many Units of the map.
	Metres string
	Units  float64
	Points []sensorPoint
	Foot   float64 // of the bar's text
}

// sensorPoint is a sensor on the map.
type sensorPoint struct {
	books.Sensor
	X, Y float64
}

// zoneRow is a zone with its newest observation: an area of the map and a row of the table.
type zoneRow struct {
	zonemap.Zone
	Cell  string // empty where the stream does not measure here
	Value *store.Observation
	Class string // of its colour
	// Name are the lines in which the name can stand in the area; none where it cannot.
	Label []string
}

// label breaks a name into one or two lines that fit; none if they cannot.
func label(name string, room float64) []string {
	letters := int(room / 9.5) // of the map's size
	if utf8.RuneCountInString(name) <= letters {
		return []string{name}
	}
	for at := len(name) - 1; at > 0; at-- {
		if name[at] == ' ' && utf8.RuneCountInString(name[:at]) <= letters {
			if utf8.RuneCountInString(name[at+1:]) <= letters {
				return []string{name[:at], name[at+1:]}
			}
			return nil
		}
	}
	return nil
}

// limitMark is a limit in the measure's unit.
type limitMark struct {
	books.Limit
	Unit string
}

// Amount is the value for templates.
func (l limitMark) Amount() *float64 { return &l.Value }

// class is one colour of the legend.
type class struct{ Name, From, To string }

// colours are those of the style sheet: c0, the palest, to c6.
const colours = 7

// scale cuts what the layer's measure can be into classes, the same at any time.
func (w *Web) scale(ctx context.Context, l layer) (s classes.Scale, some bool, err error) {
	e, some, err := w.source.Extent(ctx, l.Stream, l.Measure.Name, l.Category)
	if err != nil || !some {
		return s, false, err
	}
	var limits []float64
	for _, x := range l.Measure.Limits {
		limits = append(limits, x.Value)
	}
	return classes.Of(e.Low, e.High, limits), true, nil
}

// shade is the name of a number's colour.
func shade(s classes.Scale, v float64) string {
	return "c" + strconv.Itoa(s.Shade(s.Class(v), colours))
}

// legend says what the colours mean.
func (m *choropleth) legend(s *i18n.Localizer, scale classes.Scale) {
	times, sign := 1.0, ""
	if m.Layer.Measure.Unit == "share" {
		times, sign = 100, " %"
	}
	tick := func(v float64) string { return s.Tick(v*times, scale.Step*times) }
	for n := range scale.Len() {
		name := "c" + strconv.Itoa(scale.Shade(n, colours))
		m.Legend = append(m.Legend, class{name, tick(scale.Bounds[n]), tick(scale.Bounds[n+1]) + sign})
	}
	for _, x := range m.Layer.Measure.Limits {
		if slices.Contains(scale.Bounds, x.Value) {
			m.Limits = append(m.Limits, limitMark{x, m.Layer.Measure.Unit})
		}
	}
}

// color fills each zone with the class of its value.
func color(l layer, s *i18n.Localizer, zoneMap zonemap.Map, scale classes.Scale, some bool) *choropleth {
	m := &choropleth{Map: zoneMap, Layer: l}
	by := map[string]*store.Observation{}
	for i := range l.newest {
		if o := &l.newest[i]; o.Measure == l.Measure.Name && o.Category == l.Category {
			by[o.Zone] = o
		}
	}
	if some {
		m.legend(s, scale)
	}
	for _, z := range withCells(zoneMap.Zones, l) {
		row := zoneRow{Zone: z, Value: by[z.ID], Class: "outside", Label: label(z.Name, z.Room)}
		for _, c := range l.Stream.Cells {
			if c.Zone == z.ID && c.Category == l.Category {
				row.Cell, row.Class = c.ID, "empty"
			}
		}
		switch o := row.Value; {
		case published(o) && some:
			row.Class = shade(scale, *o.Value)
		case o != nil && !published(o):
			row.Class = look(o)
			if !slices.Contains(m.Looks, row.Class) {
				m.Looks = append(m.Looks, row.Class)
			}
		}
		m.Rows = append(m.Rows, row)
	}
	slices.Sort(m.Looks)
	return m
}

// withCells adds to the zones of the map those of cells that the map does not have.
func withCells(zones []zonemap.Zone, l layer) []zonemap.Zone {
	zones = slices.Clip(zones)
	for _, c := range l.Stream.Cells {
		if !slices.ContainsFunc(zones, func(z zonemap.Zone) bool { return z.ID == c.Zone }) {
			zones = append(zones, zonemap.Zone{ID: c.Zone, Name: c.Zone})
		}
	}
	return zones
}

// draw is the map of a layer, on the city's ground.
func (w *Web) draw(ctx context.Context, l layer, s *i18n.Localizer, large bool) (*choropleth, error) {
	zoneMap, err := w.zoneMap(s.Code)
	if err != nil {
		return nil, err
	}
	scale, some, err := w.scale(ctx, l)
	if err != nil {
		return nil, err
	}
	m := color(l, s, zoneMap, scale, some)
	m.backdrop = w.beneath(s, zoneMap, large)
	return m, nil
}

// beneath is what is under the zones, with its scale.
func (w *Web) beneath(s *i18n.Localizer, m zonemap.Map, large bool) (u backdrop) {
	if u.Ground, _ = w.under(m, large); len(u.Ground) > 0 {
		u.Credit = w.ground.credit
	}
	metres, units := m.Bar()
	u.Units, u.Foot = units, m.Height-10
	switch {
	case metres >= 1000:
		u.Metres = s.Number(metres/1000) + " km"
	case metres > 0:
		u.Metres = s.Number(metres) + " m"
	}
	return u
}

// maxPointsShown bounds the sensors on a map.
const maxPointsShown = 500

// points are the sensors that have a place on the map: none that stands for a home is in the
// register that is published.
func points(m zonemap.Map, list []books.Sensor) (out []sensorPoint) {
	for _, x := range list {
		if x.Lat == nil || x.Lon == nil {
			continue
		}
		px, py := m.Point(*x.Lon, *x.Lat)
		if m.Height > 0 && m.Inside(px, py) && len(out) < maxPointsShown {
			out = append(out, sensorPoint{x, float64(int(px*10)) / 10, float64(int(py*10)) / 10})
		}
	}
	return out
}
