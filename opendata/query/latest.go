package query

import (
	"context"
	"net/url"
	"slices"

	"sluice/store"
)

// LatestParameters are those of the newest values.
var LatestParameters = []string{"cell", "measure", "status", "format"}

// LatestOf returns what the last released window of a stream says of each cell and measure
// that v names, where its status is one that v names.
func (s *Source) LatestOf(ctx context.Context, v url.Values, st Stream) ([]store.Observation, error) {
	only, err := Select(v, st)
	if err != nil {
		return nil, err
	}
	list, err := s.Newest(ctx, st)
	return slices.DeleteFunc(list, func(o store.Observation) bool { return !only.has(&o) }), err
}

// Selection are the cells, measures and statuses that were asked for; empty for all.
type Selection struct {
	Cells, Measures []string
	Statuses        []store.Status
}

// Select reads what was asked for of a stream.
func Select(v url.Values, st Stream) (x Selection, err error) {
	if x.Cells, err = askedCells(v, st); err != nil {
		return x, err
	}
	if x.Measures, err = askedMeasures(v, st); err != nil {
		return x, err
	}
	x.Statuses, err = Statuses(v)
	return x, err
}

func (x *Selection) has(o *store.Observation) bool {
	return (len(x.Cells) == 0 || slices.Contains(x.Cells, o.Cell)) &&
		(len(x.Measures) == 0 || slices.Contains(x.Measures, o.Measure)) &&
		(len(x.Statuses) == 0 || slices.Contains(x.Statuses, o.Status))
}

// Last is what the last window of a stream says.
type Last struct {
	Stream Stream
	Items  []store.Observation
}

// LatestOfAll is LatestOf for every stream. Each cell and measure that v names is of at
// least one of them.
func (s *Source) LatestOfAll(ctx context.Context, v url.Values) (all []Last, err error) {
	streams, err := s.Streams(ctx)
	if err != nil {
		return nil, err
	}
	used := make(map[string]bool)
	for _, st := range streams {
		own := url.Values{"status": v["status"]}
		some := true
		for _, name := range []string{"cell", "measure"} {
			for _, x := range v[name] {
				if _, err := Select(url.Values{name: {x}}, st); err == nil {
					own.Add(name, x)
					used[name+x] = true
				}
			}
			some = some && (!v.Has(name) || own.Has(name))
		}
		if !some {
			continue
		}
		list, err := s.LatestOf(ctx, own, st)
		if err != nil {
			return nil, err
		}
		all = append(all, Last{st, list})
	}
	for _, name := range []string{"cell", "measure"} {
		for _, x := range v[name] {
			if !used[name+x] {
				return nil, &Invalid{name, "names no " + name + " of any stream; see /api/v1/streams"}
			}
		}
	}
	_, err = Statuses(v)
	return all, err
}
