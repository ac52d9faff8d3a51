package sensorthings

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/sensorthings/engine"
	"sluice/store"
)

// builder makes a model of the books.
type builder struct {
	*model
	base      string
	languages []string
	zones     map[string]zone
	words     i18n.Words
	tongues   map[string]i18n.Words // by language
	decisions map[string]books.Decision
	kinds     map[string][]string // by decision
}

// read asks the books for all that a model is made of.
func (b *builder) read(c *city) error {
	of := c.source.Books
	about, err := of.City()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.languages = append(slices.Clone(about.Languages), i18n.Codes...)
	spoken := slices.IndexFunc(b.languages, func(code string) bool { return slices.Contains(i18n.Codes, code) })
	b.words = i18n.In(b.languages[spoken]).Words(about.Names)
	b.tongues = make(map[string]i18n.Words)
	for _, code := range i18n.Codes {
		b.tongues[code] = i18n.In(code).Words(about.Names)
	}
	raw, err := c.source.Zones()
	if err != nil {
		return err
	}
	if b.zones, err = zonesOf(raw); err != nil {
		return err
	}
	decisions, err := of.Decisions()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.decisions, b.kinds = make(map[string]books.Decision), make(map[string][]string)
	for _, d := range decisions {
		b.decisions[d.ID] = d
	}
	register, err := of.Register()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i := range register.Sensors {
		s := &register.Sensors[i]
		for _, f := range s.Fields {
			if f.Decision != "" && !slices.Contains(b.kinds[f.Decision], s.Kind) {
				b.kinds[f.Decision] = append(b.kinds[f.Decision], s.Kind)
			}
		}
	}
	return nil
}

// build makes the model.
func (c *city) build(ctx context.Context) (*model, error) {
	b := &builder{base: c.base, model: &model{
		by: make(map[string]map[string]*engine.Entity), lists: make(map[string][]*engine.Entity),
		links: make(map[*engine.Entity]map[string][]*engine.Entity), streams: make(map[string]query.Stream),
		series: make(map[store.Series]*engine.Entity),
	}}
	if err := b.read(c); err != nil {
		return nil, err
	}
	now, err := c.source.Latest(ctx)
	if err != nil {
		return nil, err
	}
	b.now = now
	for id, z := range b.zones {
		b.place(id, z)
	}
	streams, err := c.source.Streams(ctx)
	if err != nil {
		return nil, err
	}
	for _, st := range streams {
		list, err := c.source.Series(ctx, st)
		if err != nil {
			return nil, err
		}
		b.streams[st.ID] = st
		for _, s := range list {
			b.datastream(st, s)
		}
	}
	b.sort()
	return b.model, nil
}

// say is a text in the city's first language in which it is said; the fallback where none is.
func (b *builder) say(by map[string]string, fallback string) string {
	for _, code := range b.languages {
		if by[code] != "" {
			return by[code]
		}
	}
	return fallback
}

// measurement is the observation type of a number (OGC 10-004r3).
const measurement = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"

func (b *builder) datastream(st query.Stream, s store.Series) {
	thing := b.place(s.Zone, b.zones[s.Zone])
	measure := books.Measure{Name: s.Measure}
	if n := slices.IndexFunc(st.Measures, func(m books.Measure) bool { return m.Name == s.Measure }); n >= 0 {
		measure = st.Measures[n]
	}
	title := b.say(st.Title, st.ID)
	name := func(title string, words i18n.Words) string {
		names := []string{title, words.MeasureName(measure), thing.Values["name"].(string)}
		if s.Category != "" {
			names = append(names, words.Category(st.CategoryField, s.Category))
		}
		return strings.Join(names, ", ")
	}
	names := make(map[string]any)
	for code, words := range b.tongues {
		names[code] = name(cmp.Or(st.Title[code], title), words)
	}
	unit := b.words.Unit(s.Unit, 2)
	about := map[string]any{
		"stream": s.Stream, "measure": s.Measure, "zone": s.Zone, "category": s.Category, "cell": s.Cell(),
		"every": s.Every, "decision": s.Decision, "unit_of_privacy": st.Unit, "licence": st.Licence,
		"simulation": st.Simulation, "closed_until": nil, "title": texts(st.Title), "names": names,
		"public_from": float64(measure.PublicFrom), "typical_error": measure.TypicalError,
	}
	if !st.ClosedUntil.IsZero() {
		about["closed_until"] = textTime(st.ClosedUntil)
	}
	values := map[string]any{
		"name": name(title, b.words), "description": title, "observationType": measurement,
		"unitOfMeasurement": map[string]any{"name": unit, "symbol": s.Unit,
			"definition": b.page("/streams/" + s.Stream)},
		"properties": about,
	}
	if z := b.zones[s.Zone]; z.shape != nil {
		values["observedArea"] = box(z.shape.Geometry.Bound())
	}
	e := b.add("Datastream", datastreamID(s), values)
	e.Of = s
	key := s
	key.Decision, key.Unit = "", ""
	b.series[key] = e
	b.link(e, "Thing", thing)
	b.link(e, "ObservedProperty", b.property(st, s, measure))
	b.link(e, "Sensor", b.sensor(s.Decision))
}

// property adds a measure of a stream.
func (b *builder) property(st query.Stream, s store.Series, m books.Measure) *engine.Entity {
	return b.add("ObservedProperty", propertyID(s), map[string]any{
		"name": b.words.MeasureName(m), "definition": b.page("/streams/" + s.Stream),
		"description": b.say(st.Title, st.ID),
		"properties": map[string]any{"stream": s.Stream, "measure": s.Measure, "of": m.Of, "unit": s.Unit,
			"names": texts(m.Names), "limits": limits(m.Limits)},
	})
}

// sensor adds the kinds under a decision, of which there may be none any more.
func (b *builder) sensor(id string) *engine.Entity {
	d := b.decisions[id]
	kinds := []any{}
	var names []string
	said := make(map[string][]string)
	for _, k := range b.kinds[id] {
		kinds = append(kinds, k)
		names = append(names, b.words.Kind(k))
		for code, words := range b.tongues {
			said[code] = append(said[code], words.Kind(k))
		}
	}
	in := make(map[string]any)
	for code, list := range said {
		in[code] = strings.Join(list, ", ")
	}
	title := b.say(d.Title, id)
	if len(names) == 0 {
		names = []string{title}
	}
	return b.add("Sensor", part(id), map[string]any{
		"name": strings.Join(names, ", "), "description": title, "encodingType": "text/html",
		"metadata": b.page("/decisions/" + id),
		"properties": map[string]any{"decision": id, "kinds": kinds, "from": d.From, "until": d.Until,
			"title": texts(d.Title), "names": in},
	})
}

// page is the address of a page.
func (b *builder) page(path string) string { return b.base + path }

// limits are what the council compares a measure with.
func limits(of []books.Limit) []any {
	list := []any{}
	for _, l := range of {
		list = append(list, map[string]any{"value": l.Value, "title": texts(l.Title), "source": l.Source,
			"over": l.Over})
	}
	return list
}

func texts(by map[string]string) map[string]any {
	out := make(map[string]any, len(by))
	for code, text := range by {
		out[code] = text
	}
	return out
}

// box is a bound as a shape.
func box(b orb.Bound) *engine.Shape {
	ring := []any{}
	for _, p := range b.ToRing() {
		ring = append(ring, []any{p[0], p[1]})
	}
	return &engine.Shape{JSON: map[string]any{"type": "Polygon", "coordinates": []any{ring}}, Geometry: b.ToPolygon()}
}
