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
	return slices.DeleteFunc(list, func(o store.Observation) bool { return !only.Has(&o) }), err
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

// Has reports whether an observation was asked for.
func (x *Selection) Has(o *store.Observation) bool {
	return (len(x.Cells) == 0 || slices.Contains(x.Cells, o.Cell)) &&
		(len(x.Measures) == 0 || slices.Contains(x.Measures, o.Measure)) &&
		(len(x.Statuses) == 0 || slices.Contains(x.Statuses, o.Status))
}

// Last is what the last window of a stream says.
type Last struct {
	Stream Stream
	Items  []store.Observation
}

// Choice is what was asked for of a stream.
type Choice struct {
	Stream Stream
	Selection
}

// Choose returns what v asks for of every stream. Each cell and measure that v names is of
// at least one of them; streams that have none such are left out.
func (s *Source) Choose(ctx context.Context, v url.Values) (list []Choice, err error) {
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
		only, err := Select(own, st)
		if err != nil {
			return nil, err
		}
		list = append(list, Choice{st, only})
	}
	for _, name := range []string{"cell", "measure"} {
		for _, x := range v[name] {
			if !used[name+x] {
				return nil, &Invalid{name, "names no " + name + " of any stream; see /api/v1/streams"}
			}
		}
	}
	_, err = Statuses(v)
	return list, err
}

// LatestOfAll is LatestOf for every stream that Choose returns.
func (s *Source) LatestOfAll(ctx context.Context, v url.Values) (all []Last, err error) {
	chosen, err := s.Choose(ctx, v)
	if err != nil {
		return nil, err
	}
	for _, c := range chosen {
		list, err := s.Newest(ctx, c.Stream)
		if err != nil {
			return nil, err
		}
		all = append(all, Last{c.Stream, slices.DeleteFunc(list, func(o store.Observation) bool {
			return !c.Has(&o)
		})})
	}
	return all, nil
}
