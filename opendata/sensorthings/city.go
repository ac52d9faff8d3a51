package sensorthings

import (
	"context"
	"iter"
	"slices"
	"sort"
	"sync"
	"time"

	"sluice/opendata/query"
	"sluice/opendata/sensorthings/engine"
	"sluice/opendata/sensorthings/odata"
	"sluice/store"
)

// city has the entities of one source.
type city struct {
	source *query.Source
	base   string

	mu    sync.Mutex
	model *model    // guarded by mu
	built time.Time // when its building began; guarded by mu
}

// fresh is how long a model is used.
const fresh = 250 * time.Millisecond

// current is the model of now. The model is built by one at a time.
func (c *city) current(ctx context.Context) (*model, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.model != nil && time.Since(c.built) < fresh {
		return c.model, nil
	}
	begun := time.Now()
	m, err := c.build(ctx)
	if err != nil {
		return nil, err
	}
	c.model, c.built = m, begun
	return m, nil
}

// Now is the end of the last window that was released.
func (c *city) Now(ctx context.Context) (time.Time, error) {
	m, err := c.current(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return m.now, nil
}

// One is an entity by its id.
func (c *city) One(ctx context.Context, t *engine.Type, id odata.ID) (*engine.Entity, error) {
	m, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	if id.Number { // a name of digits
		id = textID(id.Text)
	}
	if t.Name == "Observation" {
		for e, err := range c.observations(ctx, m, engine.Ask{Type: t, ID: &id, Work: engine.NewWork()}) {
			return e, err
		}
		return nil, engine.ErrNone
	}
	if e := m.by[t.Name][id.Text]; e != nil {
		return e, nil
	}
	return nil, engine.ErrNone
}

// Many are all entities that are asked for.
func (c *city) Many(ctx context.Context, ask engine.Ask) iter.Seq2[*engine.Entity, error] {
	return func(yield func(*engine.Entity, error) bool) {
		m, err := c.current(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		if ask.Type.Name == "Observation" {
			c.observations(ctx, m, ask)(yield)
			return
		}
		list := m.list(ask)
		for n := range list {
			if ask.Newest {
				n = len(list) - 1 - n
			}
			if err := ask.Work.Take(1); err != nil {
				yield(nil, err)
				return
			}
			if !yield(list[n], nil) {
				return
			}
		}
	}
}

// list are the entities behind a link, or all of a type, in the order of ids, behind a mark.
// What an Observation leads to its row knows.
func (m *model) list(ask engine.Ask) []*engine.Entity {
	list := m.lists[ask.Type.Name]
	if ask.From != nil {
		if o, ok := ask.From.Of.(*store.Observation); ok {
			return m.ofRow(o, ask.Link.Name)
		}
		// Where the books were read again meanwhile, the entity is another one by now.
		list = m.links[m.by[ask.From.Type.Name][ask.From.Mark]][ask.Link.Name]
	}
	if ask.After == "" {
		return list
	}
	if ask.Newest {
		return list[:sort.Search(len(list), func(n int) bool { return list[n].Mark >= ask.After })]
	}
	return list[sort.Search(len(list), func(n int) bool { return list[n].Mark > ask.After }):]
}

func (m *model) ofRow(o *store.Observation, link string) []*engine.Entity {
	e := m.by["FeatureOfInterest"][part(o.Zone)]
	if link == "Datastream" {
		e = m.series[seriesOf(o)]
	}
	if e == nil {
		return nil
	}
	return []*engine.Entity{e}
}

// among are the Datastreams that an ask for Observations is about, by stream.
func (m *model) among(ask engine.Ask) (map[string][]*engine.Entity, error) {
	list := m.lists["Datastream"]
	if ask.From != nil && ask.From.Type.Name == "Datastream" {
		list = []*engine.Entity{ask.From}
	}
	out := make(map[string][]*engine.Entity)
	only := ""
	if ask.ID != nil {
		only, _, _ = parseID(ask.ID.Text)
	}
	for _, e := range list {
		s := e.Of.(store.Series)
		if ask.ID != nil && e.Mark != only ||
			ask.From != nil && ask.From.Type.Name == "FeatureOfInterest" && ask.From.Mark != part(s.Zone) {
			continue
		}
		if ask.Among != nil {
			if ok, err := ask.Among(e); err != nil || !ok {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		out[s.Stream] = append(out[s.Stream], e)
	}
	return out, nil
}

// query is what to ask the store of some Datastreams of a stream.
func (m *model) query(stream string, list []*engine.Entity) (q store.Query, longest time.Duration) {
	q.Stream = stream
	for _, e := range list {
		s := e.Of.(store.Series)
		if cell := s.Cell(); !slices.Contains(q.Cells, cell) {
			q.Cells = append(q.Cells, cell)
		}
		if !slices.Contains(q.Measures, s.Measure) {
			q.Measures = append(q.Measures, s.Measure)
		}
		longest = max(longest, query.Length(s.Every))
	}
	return q, longest
}
