package sensorthings

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/opendata/sensorthings/engine"
	"sluice/store"
)

// model is all entities but Observations, as the books have them now. It is never changed.
type model struct {
	now     time.Time
	by      map[string]map[string]*engine.Entity // by type and id
	lists   map[string][]*engine.Entity          // by type, in the order of ids
	links   map[*engine.Entity]map[string][]*engine.Entity
	streams map[string]query.Stream
	series  map[store.Series]*engine.Entity // without decision and unit: their Datastreams
}

// add adds an entity, once.
func (m *model) add(kind, id string, values map[string]any) *engine.Entity {
	if e := m.by[kind][id]; e != nil {
		return e
	}
	e := &engine.Entity{Type: engine.TypeOf(kind), ID: textID(id), Mark: id, Values: values}
	if m.by[kind] == nil {
		m.by[kind] = make(map[string]*engine.Entity)
	}
	m.by[kind][id] = e
	m.lists[kind] = append(m.lists[kind], e)
	return e
}

// link leads from an entity to another and back.
func (m *model) link(from *engine.Entity, name string, to *engine.Entity) {
	m.lead(from, name, to)
	m.lead(to, from.Type.Link(name).Back, from)
}

func (m *model) lead(from *engine.Entity, name string, to *engine.Entity) {
	if m.links[from] == nil {
		m.links[from] = make(map[string][]*engine.Entity)
	}
	m.links[from][name] = append(m.links[from][name], to)
}

// sort puts all lists into the order of ids.
func (m *model) sort() {
	byID := func(a, b *engine.Entity) int { return strings.Compare(a.Mark, b.Mark) }
	for _, list := range m.lists {
		slices.SortFunc(list, byID)
	}
	for _, links := range m.links {
		for _, list := range links {
			slices.SortFunc(list, byID)
		}
	}
}

// zone is a zone as voted.
type zone struct {
	name  string
	shape *engine.Shape // nil where it has none
}

// zonesOf reads zones.geojson; what is no feature is left out.
func zonesOf(raw []byte) (map[string]zone, error) {
	var all struct{ Features []json.RawMessage }
	out := make(map[string]zone)
	if raw == nil {
		return out, nil
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	for _, one := range all.Features {
		var f struct {
			books.Zone
			Geometry json.RawMessage
		}
		var named struct{ Properties struct{ Name string } }
		if json.Unmarshal(one, &f) != nil || f.Name() == "" {
			continue
		}
		z := zone{name: f.Name()}
		if json.Unmarshal(one, &named) == nil && named.Properties.Name != "" {
			z.name = named.Properties.Name
		}
		if shape, err := engine.NewShape(f.Geometry); err == nil && shape.Geometry != nil {
			z.shape = shape
		}
		out[f.Name()] = z
	}
	return out, nil
}

const geoJSON = "application/geo+json"

// place adds a zone as a Thing, its Location and a FeatureOfInterest.
func (m *model) place(id string, z zone) *engine.Entity {
	if e := m.by["Thing"][part(id)]; e != nil {
		return e
	}
	if z.name == "" { // a zone of before
		z.name = id
	}
	about := func() map[string]any {
		return map[string]any{"name": z.name, "description": z.name, "properties": map[string]any{"zone": id}}
	}
	thing := m.add("Thing", part(id), about())
	feature := about()
	feature["encodingType"] = geoJSON
	if z.shape != nil {
		feature["feature"] = z.shape
		location := about()
		location["encodingType"], location["location"] = geoJSON, z.shape
		m.link(thing, "Locations", m.add("Location", part(id), location))
	}
	m.add("FeatureOfInterest", part(id), feature)
	return thing
}
