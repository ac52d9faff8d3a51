// Package memory has entities of SensorThings in memory, which can be created, changed and
// deleted: for conformance suites, which cannot test what they have not made, and for tests of
// the engine. Nothing is kept.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"

	"sluice/opendata/sensorthings/engine"
	"sluice/opendata/sensorthings/odata"
)

// Store has entities. Their ids are numbers from 1, for each type.
type Store struct {
	mu    sync.RWMutex
	clock time.Time
	by    map[string]map[odata.ID]*entity // guarded by mu
	last  map[string]int                  // ids; guarded by mu
}

type entity struct {
	*engine.Entity
	links map[string][]*entity
}

// New returns an empty store whose now() is an instant.
func New(now time.Time) *Store {
	return &Store{clock: now, by: make(map[string]map[odata.ID]*entity), last: make(map[string]int)}
}

// Now is what New was told.
func (s *Store) Now(context.Context) (time.Time, error) { return s.clock, nil }

// One is an entity by its id.
func (s *Store) One(_ context.Context, t *engine.Type, id odata.ID) (*engine.Entity, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.by[t.Name][id]; e != nil {
		return e.Entity, nil
	}
	return nil, engine.ErrNone
}

// Many are all that are asked for, without those that hints exclude.
func (s *Store) Many(_ context.Context, ask engine.Ask) iter.Seq2[*engine.Entity, error] {
	s.mu.RLock()
	var list []*engine.Entity
	if ask.From == nil {
		for _, e := range s.by[ask.Type.Name] {
			list = append(list, e.Entity)
		}
	} else if from := s.by[ask.From.Type.Name][ask.From.ID]; from != nil {
		for _, e := range from.links[ask.Link.Name] {
			list = append(list, e.Entity)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(list, func(a, b *engine.Entity) int {
		if ask.Newest {
			a, b = b, a
		}
		return cmp.Compare(a.Mark, b.Mark)
	})
	return func(yield func(*engine.Entity, error) bool) {
		for _, e := range list {
			if ask.After != "" && (!ask.Newest && e.Mark <= ask.After || ask.Newest && e.Mark >= ask.After) {
				continue
			}
			err := ask.Work.Take(1)
			can := false
			if err == nil {
				can, err = s.can(ask, e)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !can {
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// can reports whether hints leave an entity.
func (s *Store) can(ask engine.Ask, e *engine.Entity) (bool, error) {
	if ask.ID != nil && e.ID != *ask.ID {
		return false, nil
	}
	for name, span := range ask.Times {
		if t, ok := e.Values[name].(odata.Time); !ok || !span.Touches(t) {
			return false, nil
		}
	}
	if ask.Among == nil {
		return true, nil
	}
	s.mu.RLock()
	of := s.by[e.Type.Name][e.ID].links["Datastream"]
	s.mu.RUnlock()
	if len(of) == 0 {
		return false, nil
	}
	return ask.Among(of[0].Entity)
}

// mark is an entity's place: by its time, if it is an Observation, and its id.
func mark(e *engine.Entity) string {
	n, err := strconv.Atoi(e.ID.Text)
	if err != nil {
		return e.ID.Text
	}
	place := fmt.Sprintf("%012d", n)
	if t, ok := e.Values["phenomenonTime"].(odata.Time); ok && e.Type.Name == "Observation" {
		return t.Start.Format("2006-01-02T15:04:05.000000000Z") + "|" + place
	}
	return place
}

// put adds an entity. The caller holds mu.
func (s *Store) put(t *engine.Type, values map[string]any) *entity {
	s.last[t.Name]++
	e := &entity{&engine.Entity{Type: t, Values: values,
		ID: odata.ID{Text: strconv.Itoa(s.last[t.Name]), Number: true}}, make(map[string][]*entity)}
	e.Mark = mark(e.Entity)
	if s.by[t.Name] == nil {
		s.by[t.Name] = make(map[odata.ID]*entity)
	}
	s.by[t.Name][e.ID] = e
	return e
}

// link leads from an entity to another and back. A link to one leads to the last.
func link(from *entity, name string, to *entity) {
	l := from.Type.Link(name)
	back := to.Type.Link(l.Back)
	lead(from, l, to)
	lead(to, back, from)
}

func lead(from *entity, l *engine.Link, to *entity) {
	if !l.Many {
		for _, old := range from.links[l.Name] {
			old.links[l.Back] = slices.DeleteFunc(old.links[l.Back], func(e *entity) bool { return e == from })
		}
		from.links[l.Name] = nil
	}
	if !slices.Contains(from.links[l.Name], to) {
		from.links[l.Name] = append(from.links[l.Name], to)
	}
}

// owned are the entities that go when one goes (18-088, section 10.4), by its type.
var owned = map[string][]string{
	"Thing": {"Datastreams", "HistoricalLocations"}, "Location": {"HistoricalLocations"},
	"Datastream": {"Observations"},
	"Sensor":     {"Datastreams"}, "ObservedProperty": {"Datastreams"}, "FeatureOfInterest": {"Observations"},
}

// remove removes an entity and what goes with it. The caller holds mu.
func (s *Store) remove(e *entity) {
	if s.by[e.Type.Name][e.ID] != e {
		return
	}
	delete(s.by[e.Type.Name], e.ID)
	for _, name := range owned[e.Type.Name] {
		for _, x := range slices.Clone(e.links[name]) {
			s.remove(x)
		}
	}
	for _, l := range e.Type.Links {
		for _, other := range e.links[l.Name] {
			other.links[l.Back] = slices.DeleteFunc(other.links[l.Back], func(x *entity) bool { return x == e })
		}
	}
}

// Len is how many there are of a type, by its name.
func (s *Store) Len(name string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.by[name])
}
