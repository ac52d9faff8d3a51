package memory

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"sluice/opendata/sensorthings/engine"
	"sluice/opendata/sensorthings/odata"
)

// Object is an entity as a client sends it.
type Object = map[string]any

// ErrNone means that what is to be changed, or linked to, is not there.
var ErrNone = engine.ErrNone

// needed are the properties and links without which there is no entity (18-088, section 8.2).
var needed = map[string][]string{
	"Thing": {"name", "description"}, "Location": {"name", "description", "encodingType", "location"},
	"HistoricalLocation": {"time", "Thing", "Locations"},
	"Datastream": {"name", "description", "observationType", "unitOfMeasurement", "Thing", "Sensor",
		"ObservedProperty"},
	"Sensor":            {"name", "description", "encodingType", "metadata"},
	"ObservedProperty":  {"name", "description", "definition"},
	"Observation":       {"result", "Datastream"},
	"FeatureOfInterest": {"name", "description", "encodingType", "feature"},
}

// Create adds an entity, and those within it. From and link say whose it is, where its path
// does.
func (s *Store) Create(t *engine.Type, o Object, from *engine.Entity, link string) (*engine.Entity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from != nil {
		o = maps.Clone(o)
		o[from.Type.Link(link).Back] = idOf(from, from.Type.Link(link))
	}
	if err := s.look(t, o, ""); err != nil {
		return nil, err
	}
	e, err := s.create(t, o)
	if err != nil {
		return nil, err
	}
	return e.Entity, nil
}

// idOf names an entity as the other end of a link does.
func idOf(e *engine.Entity, l *engine.Link) any {
	n, _ := strconv.ParseFloat(e.ID.Text, 64) // it is a number
	ref := Object{"@iot.id": n}
	if engine.TypeOf(l.To).Link(l.Back).Many {
		return []any{ref}
	}
	return ref
}

// look reports what is missing of an entity, or wrong, before anything is made; outer is the
// link that leads to what holds it.
func (s *Store) look(t *engine.Type, o Object, outer string) error {
	if id, refers := o["@iot.id"]; refers && len(o) == 1 {
		key, ok := odata.Key(id)
		if !ok || s.by[t.Name][key] == nil {
			return fmt.Errorf("%s: %w", t.Name, ErrNone)
		}
		return nil
	}
	for _, name := range needed[t.Name] {
		if v, has := o[name]; name != outer && (!has || v == nil && name != "result") {
			return fmt.Errorf("%s has no %s", t.Name, name)
		}
	}
	if _, err := values(t, o); err != nil {
		return err
	}
	for _, l := range t.Links {
		list, err := within(o, l)
		if err != nil {
			return err
		}
		for _, inner := range list {
			if err := s.look(engine.TypeOf(l.To), inner, l.Back); err != nil {
				return err
			}
		}
	}
	return nil
}

// within are the entities of a link in a document.
func within(o Object, l engine.Link) (list []Object, err error) {
	v, has := o[l.Name]
	if !has {
		return nil, nil
	}
	several, ok := v.([]any)
	if !ok {
		several = []any{v}
	}
	for _, x := range several {
		inner, ok := x.(Object)
		if !ok {
			return nil, fmt.Errorf("%s is no entity", l.Name)
		}
		list = append(list, inner)
	}
	return list, nil
}

// values are the properties of a document.
func values(t *engine.Type, o Object) (Object, error) {
	out := make(Object)
	for _, p := range t.Properties {
		v, has := o[p.Name]
		if !has || v == nil && p.Name != "result" {
			continue
		}
		switch p.Sort {
		case engine.Moment:
			text, ok := v.(string)
			m, ok2 := odata.ParseTime(text)
			if !ok || !ok2 {
				return nil, fmt.Errorf("%s is no time", p.Name)
			}
			v = m
		case engine.Text:
			if _, ok := v.(string); !ok {
				return nil, fmt.Errorf("%s is no text", p.Name)
			}
		case engine.Shaped:
			raw, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			shape, err := engine.NewShape(raw)
			if err != nil {
				return nil, fmt.Errorf("%s is no GeoJSON", p.Name)
			}
			v = shape
		}
		out[p.Name] = v
	}
	return out, nil
}

// create makes an entity of a document that was looked at.
func (s *Store) create(t *engine.Type, o Object) (*entity, error) {
	v, err := values(t, o)
	if err != nil {
		return nil, err
	}
	if t.Name == "Observation" {
		if v["phenomenonTime"] == nil {
			v["phenomenonTime"] = odata.At(s.clock)
		}
		if _, has := v["resultTime"]; !has {
			v["resultTime"] = nil
		}
	}
	e := s.put(t, v)
	return e, s.connect(e, o)
}

// connect links an entity to what its document names, which may be made for it.
func (s *Store) connect(e *entity, o Object) error {
	for _, l := range e.Type.Links {
		list, err := within(o, l)
		if err != nil {
			return err
		}
		if len(list) > 0 && e.Type.Name == "Thing" && l.Name == "Locations" {
			for _, old := range e.links[l.Name] {
				old.links[l.Back] = slices.DeleteFunc(old.links[l.Back], func(x *entity) bool { return x == e })
			}
			e.links[l.Name] = nil
		}
		for _, inner := range list {
			to := engine.TypeOf(l.To)
			if key, refers := odata.Key(inner["@iot.id"]); refers {
				link(e, l.Name, s.by[to.Name][key])
				continue
			}
			v, err := values(to, inner)
			if err != nil {
				return err
			}
			if to.Name == "Observation" && v["phenomenonTime"] == nil {
				v["phenomenonTime"] = odata.At(s.clock)
			}
			made := s.put(to, v)
			link(e, l.Name, made)
			if err := s.connect(made, inner); err != nil {
				return err
			}
		}
		if len(list) > 0 {
			s.moved(e, l.Name)
		}
	}
	if e.Type.Name == "Observation" {
		return s.observed(e)
	}
	return nil
}

// moved adds the HistoricalLocation of a Thing that has got Locations.
func (s *Store) moved(e *entity, name string) {
	things := []*entity{e}
	if e.Type.Name == "Location" && name == "Things" {
		things = e.links["Things"]
	} else if e.Type.Name != "Thing" || name != "Locations" {
		return
	}
	for _, thing := range things {
		h := s.put(engine.TypeOf("HistoricalLocation"), Object{"time": odata.At(s.clock)})
		link(h, "Thing", thing)
		for _, place := range thing.links["Locations"] {
			link(h, "Locations", place)
		}
	}
}

var errNoFeature = errors.New("Observation has no FeatureOfInterest, and its Thing no Location")

// observed gives an Observation its FeatureOfInterest, and its Datastream its times.
func (s *Store) observed(e *entity) error {
	if len(e.links["Datastream"]) == 0 {
		return nil // its Datastream is being made
	}
	datastream := e.links["Datastream"][0]
	t := e.Values["phenomenonTime"].(odata.Time)
	if old, ok := datastream.Values["phenomenonTime"].(odata.Time); ok {
		if old.Start.Before(t.Start) {
			t.Start = old.Start
		}
		if old.End.After(t.End) {
			t.End = old.End
		}
	}
	set(datastream, "phenomenonTime", t)
	if len(e.links["FeatureOfInterest"]) > 0 {
		return nil
	}
	things := datastream.links["Thing"]
	if len(things) == 0 || len(things[0].links["Locations"]) == 0 {
		s.remove(e)
		return errNoFeature
	}
	of := things[0].links["Locations"][0]
	for _, f := range s.by["FeatureOfInterest"] {
		if f.Values["feature"] == of.Values["location"] {
			link(e, "FeatureOfInterest", f)
			return nil
		}
	}
	f := s.put(engine.TypeOf("FeatureOfInterest"), Object{"name": of.Values["name"],
		"description": of.Values["description"], "encodingType": of.Values["encodingType"],
		"feature": of.Values["location"]})
	link(e, "FeatureOfInterest", f)
	return nil
}

// set changes a property: entities that were given away stay as they were.
func set(e *entity, name string, v any) {
	changed := *e.Entity
	changed.Values = maps.Clone(e.Values)
	changed.Values[name] = v
	e.Entity = &changed
}

// Update changes what a document has of an entity; all of it where it replaces.
func (s *Store) Update(old *engine.Entity, o Object, replace bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.by[old.Type.Name][old.ID]
	if e == nil {
		return ErrNone
	}
	v, err := values(e.Type, o)
	if err != nil {
		return err
	}
	for _, l := range e.Type.Links {
		list, err := within(o, l)
		if err != nil {
			return err
		}
		for _, inner := range list {
			key, refers := odata.Key(inner["@iot.id"])
			if !refers || s.by[engine.TypeOf(l.To).Name][key] == nil {
				return fmt.Errorf("%s: %w", l.Name, ErrNone)
			}
		}
	}
	for _, name := range needed[e.Type.Name] {
		if _, has := v[name]; replace && !has && e.Type.Link(name) == nil {
			return fmt.Errorf("%s has no %s", e.Type.Name, name)
		}
	}
	if replace {
		e.Entity = &engine.Entity{Type: e.Type, ID: e.ID, Mark: e.Mark, Values: Object{}}
	}
	for name, x := range v {
		set(e, name, x)
	}
	if e.Type.Name == "Observation" && e.Values["phenomenonTime"] == nil {
		set(e, "phenomenonTime", old.Values["phenomenonTime"])
	}
	e.Mark = mark(e.Entity)
	return s.connect(e, o)
}

// Delete removes an entity, and what goes with it.
func (s *Store) Delete(e *engine.Entity) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.by[e.Type.Name][e.ID]
	if x == nil {
		return ErrNone
	}
	s.remove(x)
	return nil
}
