package sensorthings

import (
	"context"
	"iter"
	"slices"
	"time"

	"sluice/opendata/query"
	"sluice/opendata/sensorthings/engine"
	"sluice/opendata/sensorthings/odata"
	"sluice/store"
)

// The first and the last instant of any window.
var (
	first = time.Unix(0, 0).UTC()
	last  = time.Date(2200, 12, 31, 0, 0, 0, 0, time.UTC)
)

// observations are the published rows that are asked for, in the order of their places.
func (c *city) observations(ctx context.Context, m *model, ask engine.Ask) iter.Seq2[*engine.Entity, error] {
	return func(yield func(*engine.Entity, error) bool) {
		after, ok := place{}, true
		if ask.After != "" {
			if _, after, ok = parseID(ask.After); !ok {
				yield(nil, &odata.Error{Option: "$skiptoken",
					Hint: "is not one that this server gave; follow @iot.nextLink as it is"})
				return
			}
		}
		by, err := m.among(ask)
		if err != nil {
			yield(nil, err)
			return
		}
		var rows []iter.Seq2[*store.Observation, error]
		for stream, list := range by {
			rows = append(rows, c.rows(ctx, m, stream, list, ask, after))
		}
		for o, err := range merge(rows, ask.Newest) {
			if err != nil {
				yield(nil, err)
				return
			}
			if e := m.observation(o); e != nil && (ask.ID == nil || e.ID == *ask.ID) && !yield(e, nil) {
				return
			}
		}
	}
}

// span is in which time windows that are asked for can begin.
func span(ask engine.Ask, after place, longest time.Duration) (from, to time.Time) {
	from, to = first, last
	until := func(t time.Time) { // included
		if t = t.Add(1); !t.IsZero() && t.Before(to) {
			to = t
		}
	}
	since := func(t time.Time) {
		if t.After(from) {
			from = t
		}
	}
	for _, name := range []string{"phenomenonTime", "resultTime"} {
		s := ask.Times[name]
		if !s.From.IsZero() {
			since(s.From.Add(-longest))
		}
		if !s.To.IsZero() {
			until(s.To)
		}
	}
	if ask.ID != nil {
		if _, p, ok := parseID(ask.ID.Text); ok {
			since(p.start)
			until(p.start)
		}
	}
	if !after.start.IsZero() && ask.Newest {
		until(after.start)
	} else if !after.start.IsZero() {
		since(after.start)
	}
	return from, to
}

// rows are the published rows of some Datastreams of a stream, in order, behind a place. All
// that is read of the store is work.
func (c *city) rows(
	ctx context.Context, m *model, stream string, list []*engine.Entity, ask engine.Ask, after place,
) iter.Seq2[*store.Observation, error] {
	return func(yield func(*store.Observation, error) bool) {
		st := m.streams[stream]
		q, longest := m.query(stream, list)
		q.From, q.To = span(ask, after, longest)
		q.Desc, q.Statuses = ask.Newest, []store.Status{store.Published}
		if !st.Through.IsZero() && q.To.After(st.Through) {
			q.To = st.Through
		}
		wanted := make(map[string]bool, len(list))
		for _, e := range list {
			wanted[e.Mark] = true
		}
		for part, err := range c.parts(ctx, st, q) {
			if err == nil {
				err = ask.Work.Take(len(part))
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for n := range part {
				o := &part[n]
				if e := m.series[seriesOf(o)]; o.Status != store.Published || o.Value == nil || e == nil ||
					!wanted[e.Mark] || !after.start.IsZero() && !behind(placeOf(o), after, ask.Newest) {
					continue
				}
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// glance is how many windows are read first where the newest come first: often they are all
// that is asked for.
const glance = 24

// parts are the rows of a query, the newest first where it says so.
func (c *city) parts(
	ctx context.Context, st query.Stream, q store.Query,
) iter.Seq2[[]store.Observation, error] {
	short := q.To.Add(-glance * query.Length(st.Every))
	if !q.Desc || !short.After(q.From) {
		return c.source.Parts(ctx, st, q)
	}
	return func(yield func([]store.Observation, error) bool) {
		newest, rest := q, q
		newest.From, rest.To = short, short
		for _, q := range []store.Query{newest, rest} {
			for part, err := range c.source.Parts(ctx, st, q) {
				if !yield(part, err) || err != nil {
					return
				}
			}
		}
	}
}

func behind(p, after place, newest bool) bool {
	c := p.compare(after)
	return newest && c < 0 || !newest && c > 0
}

// merge makes one sequence of several, each in order.
func merge(all []iter.Seq2[*store.Observation, error], newest bool) iter.Seq2[*store.Observation, error] {
	if len(all) == 1 {
		return all[0]
	}
	return func(yield func(*store.Observation, error) bool) {
		type head struct {
			o    *store.Observation
			next func() (*store.Observation, error, bool)
		}
		var heads []head
		for _, one := range all {
			next, stop := iter.Pull2(one)
			defer stop()
			heads = append(heads, head{nil, next})
		}
		for {
			for n := 0; n < len(heads); n++ {
				if heads[n].o != nil {
					continue
				}
				o, err, ok := heads[n].next()
				if err != nil {
					yield(nil, err)
					return
				}
				if heads[n].o = o; !ok {
					heads = slices.Delete(heads, n, n+1)
					n--
				}
			}
			if len(heads) == 0 {
				return
			}
			best := 0
			for n := range heads {
				if behind(placeOf(heads[best].o), placeOf(heads[n].o), newest) {
					best = n
				}
			}
			o := heads[best].o
			if heads[best].o = nil; !yield(o, nil) {
				return
			}
		}
	}
}

// observation is a published row as an entity; nil where the books name no such series.
func (m *model) observation(o *store.Observation) *engine.Entity {
	datastream := m.series[seriesOf(o)]
	if datastream == nil {
		return nil
	}
	id := observationID(datastream.Mark, o)
	quality := map[string]any{"status": string(o.Status), "low": nil, "high": nil}
	if o.Low != nil && o.High != nil {
		quality["low"], quality["high"] = *o.Low, *o.High
	}
	parameters := map[string]any{
		"decision": o.Decision, "policy": o.Policy, "mechanism": o.Mechanism, "epsilon": o.Epsilon, "scale": o.Scale,
		"threshold": o.Threshold, "simulation": o.Simulation,
	}
	if o.Gateway != "" {
		parameters["gateway"] = o.Gateway
	}
	return &engine.Entity{Type: engine.TypeOf("Observation"), ID: textID(id), Mark: id, Of: o, Values: map[string]any{
		"phenomenonTime": odata.Time{Start: o.Start.UTC(), End: o.End.UTC()}, "resultTime": odata.At(o.End),
		"result": *o.Value, "resultQuality": quality, "parameters": parameters,
	}}
}

func textTime(t time.Time) string { return odata.At(t).String() }
