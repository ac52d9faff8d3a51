package web

import (
	"bytes"
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"sluice/books"
	"sluice/opendata/atlas"
	"sluice/opendata/query"
	"sluice/opendata/words"
	"sluice/store"
)

type homePage struct {
	// Lead is the newest published number, about somebody where there is one.
	Lead    *lead
	Layers  []layer
	Map     *zoneMap // nil before the first release
	Streams []homeStream
}

type lead struct {
	*store.Observation
	Stream query.Stream
	Where  string // the name of its place
}

func newLead(o *store.Observation, st query.Stream, drawn atlas.Map) *lead {
	where := cellName(books.Cell{Zone: o.Zone, Category: o.Category}, func(id string) string { return zoneName(drawn, id) })
	return &lead{o, st, where}
}

// Counted reports whether the number counts something, rather than measure it.
func (l lead) Counted() bool {
	return l.Stream.Unit != "none" || slices.ContainsFunc(l.Stream.Measures, func(m books.Measure) bool {
		return m.Name == l.Measure && (m.Of == "count()" || strings.HasPrefix(m.Of, "distinct("))
	})
}

type homeStream struct {
	query.Stream
	Published, Withheld, NoData int // of the newest window
}

// layer is one thing that the map can show: a stream's measure, of one category.
type layer struct {
	Stream             query.Stream
	Measure            books.Measure
	Category, ID, Href string
	Chosen             bool
	newest             []store.Observation
}

// numbers reports whether any zone of the layer has a number.
func (l layer) numbers() bool {
	return slices.ContainsFunc(l.newest, func(o store.Observation) bool {
		return published(&o) && o.Measure == l.Measure.Name && o.Category == l.Category
	})
}

func (w *Web) home(r *http.Request, s *words.Speaker) (any, error) {
	streams, err := w.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	drawn, err := w.atlas()
	if err != nil {
		return nil, err
	}
	var p homePage
	for _, st := range streams {
		list, err := w.source.Newest(r.Context(), st)
		if err != nil {
			return nil, err
		}
		h := homeStream{Stream: st}
		for i := range list {
			o := &list[i]
			switch o.Status {
			case store.Published:
				h.Published++
				p.leads(o, st, drawn)
			case store.Withheld:
				h.Withheld++
			case store.NoData:
				h.NoData++
			}
		}
		p.Streams = append(p.Streams, h)
		p.Layers = append(p.Layers, layers(st, list)...)
	}
	if p.Lead == nil || p.Lead.Stream.Unit == "none" {
		if err := w.leadOfTheDay(r, &p, drawn); err != nil {
			return nil, err
		}
	}
	return &p, p.choose(r.URL.Query().Get("layer"), s, drawn)
}

// leadOfTheDay looks for the last number about somebody within a day, since at night
// there may be too few in every newest window.
func (w *Web) leadOfTheDay(r *http.Request, p *homePage, drawn atlas.Map) error {
	for _, st := range p.Streams {
		if st.Unit == "none" || st.ClosedUntil.IsZero() {
			continue
		}
		list, err := w.source.Recent(r.Context(), st.Stream, st.ClosedUntil, "")
		if err != nil {
			return err
		}
		for i := len(list) - 1; i >= 0; i-- {
			if published(&list[i]) {
				p.Lead = newLead(&list[i], st.Stream, drawn)
				return nil
			}
		}
	}
	return nil
}

// leads takes the number if it is a better first one than what was there: about
// somebody rather than nobody, and then the first in order.
func (p *homePage) leads(o *store.Observation, st query.Stream, drawn atlas.Map) {
	if published(o) && (p.Lead == nil || p.Lead.Stream.Unit == "none" && st.Unit != "none") {
		p.Lead = newLead(o, st, drawn)
	}
}

func layers(st query.Stream, newest []store.Observation) (out []layer) {
	var categories []string
	for _, c := range st.Cells {
		if !slices.Contains(categories, c.Category) {
			categories = append(categories, c.Category)
		}
	}
	for _, m := range st.Measures {
		for _, c := range categories {
			out = append(out, layer{Stream: st, Measure: m, Category: c, ID: strings.TrimRight(st.ID+"/"+m.Name+"/"+c, "/"), newest: newest})
		}
	}
	return out
}

// choose picks the layer that was asked for, else the first with a number in its
// newest window, about somebody where there is one.
func (p *homePage) choose(id string, s *words.Speaker, drawn atlas.Map) error {
	if len(p.Layers) == 0 {
		return nil
	}
	at := slices.IndexFunc(p.Layers, func(l layer) bool { return l.ID == id })
	if id == "" {
		at = slices.IndexFunc(p.Layers, func(l layer) bool { return l.Stream.Unit != "none" && l.numbers() })
		if at < 0 {
			at = max(0, slices.IndexFunc(p.Layers, layer.numbers))
		}
	}
	if at < 0 {
		return &query.Invalid{Parameter: "layer", Hint: "names no stream and measure; choose one on the first page"}
	}
	p.Layers[at].Chosen = true
	p.Map = color(p.Layers[at], s, drawn)
	return nil
}

// zoneMap is the map and its table.
type zoneMap struct {
	atlas.Map
	Layer  layer
	Rows   []zoneRow
	Legend []class
}

// zoneRow is one zone's newest answer: an area of the map and a row of the table.
type zoneRow struct {
	atlas.Zone
	Cell  string // empty where the stream does not measure here
	Value *store.Observation
	Class string // of its colour
	// Name are the lines in which the name can stand in the area; none where it cannot.
	Label []string
}

// label breaks a name into one or two lines that fit into so much room.
func label(name string, room float64) []string {
	most := int(room / 9.5) // letters of the map's size
	if utf8.RuneCountInString(name) <= most {
		return []string{name}
	}
	for at := len(name) - 1; at > 0; at-- {
		if name[at] == ' ' && utf8.RuneCountInString(name[:at]) <= most {
			if utf8.RuneCountInString(name[at+1:]) <= most {
				return []string{name[:at], name[at+1:]}
			}
			return nil
		}
	}
	return nil
}

// class is one colour of the legend.
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
		step = nice((high - low) / colors)
	}
	for low = math.Floor(low/step) * step; high > low+colors*step; low = math.Floor(low/step) * step {
		step = nice(step * 1.01)
	}
	return low, step
}

// color gives each zone the colour of its newest value.
func color(l layer, s *words.Speaker, drawn atlas.Map) *zoneMap {
	m := &zoneMap{Map: drawn, Layer: l}
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
	for n := range colors {
		if from := low + float64(n)*step; len(values) > 0 && from <= slices.Max(values) {
			m.Legend = append(m.Legend, class{"q" + strconv.Itoa(n), s.Tick(from, step), s.Tick(from+step, step)})
		}
	}
	for _, z := range withCells(drawn.Zones, l) {
		row := zoneRow{Zone: z, Value: by[z.ID], Class: "outside", Label: label(z.Name, z.Room)}
		for _, c := range l.Stream.Cells {
			if c.Zone == z.ID && c.Category == l.Category {
				row.Cell, row.Class = c.ID, "empty"
			}
		}
		switch o := row.Value; {
		case published(o):
			row.Class = "q" + strconv.Itoa(min(colors-1, int((*o.Value-low)/step)))
		case o != nil:
			row.Class = string(o.Status)
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// withCells are the zones of the map, and those of cells that the map does not have.
func withCells(zones []atlas.Zone, l layer) []atlas.Zone {
	zones = slices.Clip(zones)
	for _, c := range l.Stream.Cells {
		if !slices.ContainsFunc(zones, func(z atlas.Zone) bool { return z.ID == c.Zone }) {
			zones = append(zones, atlas.Zone{ID: c.Zone, Name: c.Zone})
		}
	}
	return zones
}

// drawing is the map of the zones as last drawn.
type drawing struct {
	mu  sync.Mutex
	raw []byte    // the zones; guarded by mu
	m   atlas.Map // guarded by mu
}

// atlas is the map of the zones, drawn anew when they change; an empty one while
// there are none.
func (w *Web) atlas() (atlas.Map, error) {
	raw, err := w.source.Zones()
	if err != nil || raw == nil {
		return atlas.Map{}, err
	}
	w.drawn.mu.Lock()
	defer w.drawn.mu.Unlock()
	if !bytes.Equal(raw, w.drawn.raw) {
		m, err := atlas.Draw(raw)
		if err != nil {
			return m, err
		}
		w.drawn.raw, w.drawn.m = raw, m
	}
	return w.drawn.m, nil
}

func zoneName(m atlas.Map, id string) string {
	for _, z := range m.Zones {
		if z.ID == id {
			return z.Name
		}
	}
	return cmp.Or(id, "–")
}
