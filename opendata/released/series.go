package released

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"sluice/plan"
	"sluice/store"
)

// possible is what a plan can release, in few words.
type possible struct {
	every         string
	zones, values []string
	measures      [][2]string // name and unit
}

func possibleOf(s *plan.Stream, values []string) possible {
	if s.Every.Nominal() <= 0 {
		return possible{} // it is no plan that a gateway has written
	}
	out := possible{every: s.Every.String(), zones: s.Zones, values: values}
	for _, m := range s.Measures {
		if m.Of == plan.Histogram && len(m.Edges) < 2 {
			continue
		}
		for _, part := range m.Parts() {
			out.measures = append(out.measures, [2]string{part.Name, m.Unit})
		}
	}
	return out
}

// Series lists what windows of a stream that have a line can have rows of, also under plans
// that are no longer in force, in no order. What had several decisions has any of them.
func (f *Filter) Series(ctx context.Context, stream string) ([]store.Series, error) {
	if err := f.ready(ctx); err != nil {
		return nil, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	plans := make(map[*closed]bool)
	for _, gateway := range f.index.lanes[stream] {
		for _, r := range f.index.streams[lane{stream, gateway}] {
			plans[r.plan] = r.plan.known
		}
	}
	all := make(map[store.Series]store.Series) // without decision and unit
	for p, known := range plans {
		if known {
			p.series(stream, all)
		}
	}
	return slices.Collect(maps.Values(all)), nil
}

func (c *closed) series(stream string, all map[store.Series]store.Series) {
	for _, zone := range c.possible.zones {
		for _, value := range c.possible.values {
			for _, m := range c.possible.measures {
				s := store.Series{Stream: stream, Every: c.possible.every, Zone: zone, Category: value, Measure: m[0]}
				key := s
				s.Decision, s.Unit = c.of[1], m[1]
				if old, twice := all[key]; !twice ||
					cmp.Or(cmp.Compare(old.Decision, s.Decision), cmp.Compare(old.Unit, s.Unit)) < 0 {
					all[key] = s
				}
			}
		}
	}
}

// Series lists what any of the gateways' windows can have rows of.
func (f *CityFilter) Series(ctx context.Context, stream string) (list []store.Series, err error) {
	parts, _ := f.use(ctx)
	if len(parts) == 0 {
		return nil, errBooks
	}
	for _, p := range parts {
		more, err := p.Series(ctx, stream)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// Begins is when the first window of a stream starts that has a line; the zero time where there is
// none yet, or that is not known. No row before it is shown.
func (f *Filter) Begins(ctx context.Context, stream string) time.Time {
	if f.ready(ctx) != nil {
		return time.Time{}
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var first time.Time
	for _, gateway := range f.index.lanes[stream] {
		if runs := f.index.streams[lane{stream, gateway}]; len(runs) > 0 {
			if at := time.Unix(0, runs[0].from).UTC(); first.IsZero() || at.Before(first) {
				first = at
			}
		}
	}
	return first
}

// Begins is when the first window of any gateway starts.
func (f *CityFilter) Begins(ctx context.Context, stream string) (first time.Time) {
	parts, _ := f.use(ctx)
	for _, p := range parts {
		if at := p.Begins(ctx, stream); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
