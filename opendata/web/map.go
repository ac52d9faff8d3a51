package web

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"sluice/opendata/chart"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
	"sluice/store"
)

// choropleth is the map of a layer, and its table.
type choropleth struct {
	zonemap.Map
	Layer  layer
	Rows   []zoneRow
	Legend []class
	// Stopped says that there are zones without a number because of a suspension.
	Stopped bool
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

// class is one colour of the legend; To is empty where all zones have one value.
type class struct{ Name, From, To string }

const colors = 5

// classes cut the span of some values into equal parts with round edges, from zero
// on unless they are close together.
func classes(values []float64) (low, step float64) {
	if len(values) == 0 {
		return 0, 1
	}
	low, high := slices.Min(values), slices.Max(values)
	if low > 0 && high-low > high/2 {
		low = 0
	}
	step = 1
	if high > low {
		step = chart.Nice((high - low) / colors)
	}
	for low = math.Floor(low/step) * step; high > low+colors*step; low = math.Floor(low/step) * step {
		step = chart.Nice(step * 1.01)
	}
	return low, step
}

// shade is the class of a value.
func shade(v, low, step float64) int { return min(colors-1, int((v-low)/step)) }

// color fills each zone with the class of its newest value.
func color(l layer, s *i18n.Localizer, zoneMap zonemap.Map) *choropleth {
	m := &choropleth{Map: zoneMap, Layer: l}
	by := map[string]*store.Observation{}
	var values []float64
	for i := range l.newest {
		if o := &l.newest[i]; o.Measure == l.Measure.Name && o.Category == l.Category {
			by[o.Zone] = o
			if published(o) {
				values = append(values, *o.Value)
			}
		}
	}
	low, step := classes(values)
	one := len(values) > 0 && slices.Min(values) == slices.Max(values)
	if one { // a class would tell of values that nobody has
		m.Legend = []class{{Name: "q" + strconv.Itoa(shade(values[0], low, step)), From: s.Number(values[0])}}
	}
	for n := range colors {
		if from := low + float64(n)*step; len(values) > 0 && !one && from <= slices.Max(values) {
			m.Legend = append(m.Legend, class{"q" + strconv.Itoa(n), s.Tick(from, step), s.Tick(from+step, step)})
		}
	}
	for _, z := range withCells(zoneMap.Zones, l) {
		row := zoneRow{Zone: z, Value: by[z.ID], Class: "outside", Label: label(z.Name, z.Room)}
		for _, c := range l.Stream.Cells {
			if c.Zone == z.ID && c.Category == l.Category {
				row.Cell, row.Class = c.ID, "empty"
			}
		}
		switch o := row.Value; {
		case published(o):
			row.Class = "q" + strconv.Itoa(shade(*o.Value, low, step))
		case o != nil:
			row.Class = look(o)
			m.Stopped = m.Stopped || query.Suspended(o)
		}
		m.Rows = append(m.Rows, row)
	}
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

// mapCache is the map as last drawn.
type mapCache struct {
	mu  sync.Mutex
	raw []byte      // the zones; guarded by mu
	m   zonemap.Map // guarded by mu
}

// zoneMap returns the map of the zones, redrawn when they change; empty while there are
// none.
func (w *Web) zoneMap() (zonemap.Map, error) {
	raw, err := w.source.Zones()
	if err != nil || raw == nil {
		return zonemap.Map{}, err
	}
	w.zones.mu.Lock()
	defer w.zones.mu.Unlock()
	if !bytes.Equal(raw, w.zones.raw) {
		m, err := zonemap.Draw(raw)
		if err != nil {
			return m, err
		}
		w.zones.raw, w.zones.m = raw, m
	}
	return w.zones.m, nil
}

// Zone returns the name of a zone, and whether there is one with the id.
func (w *Web) Zone(id string) (name string, known bool) {
	m, err := w.zoneMap()
	if err != nil {
		return "", false
	}
	for _, z := range m.Zones {
		if z.ID == id {
			return z.Name, true
		}
	}
	return "", false
}

// zone is the name of a zone; its id where the map does not have it.
func (w *Web) zone(id string) (string, error) {
	m, err := w.zoneMap()
	if err != nil {
		return "", err
	}
	return zoneName(m, id), nil
}

func zoneName(m zonemap.Map, id string) string {
	for _, z := range m.Zones {
		if z.ID == id {
			return z.Name
		}
	}
	return cmp.Or(id, "–")
}
