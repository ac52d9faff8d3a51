package query

import (
	"context"
	"iter"

	"sluice/store"
)

// Series lists what a stream has, or once had, numbers of: what its description names, and
// what the books of its windows do, each once by stream, every, zone, category and measure.
// The description's decision and unit win.
func (s *Source) Series(ctx context.Context, st Stream) ([]store.Series, error) {
	var out []store.Series
	known := make(map[store.Series]bool)
	add := func(x store.Series) {
		key := x
		if key.Decision, key.Unit = "", ""; !known[key] {
			known[key] = true
			out = append(out, x)
		}
	}
	for _, c := range st.Cells {
		for _, m := range st.Measures {
			add(store.Series{Stream: st.ID, Decision: st.Decision, Every: st.Every, Zone: c.Zone, Category: c.Category,
				Measure: m.Name, Unit: m.Unit})
		}
	}
	from, ok := s.Store.(interface {
		Series(ctx context.Context, stream string) ([]store.Series, error)
	})
	if !ok {
		return out, nil
	}
	list, err := from.Series(ctx, st.ID)
	for _, x := range list {
		add(x)
	}
	return out, err
}

// Backward iterates over all observations of a query from the end of its span to the
// beginning, ignoring its limit: in parts, the latest first, each in the order of Parts. An
// error ends it. The first part is of a day of windows at most.
func (s *Source) Backward(ctx context.Context, st Stream, q store.Query) iter.Seq2[[]store.Observation, error] {
	return func(yield func([]store.Observation, error) bool) {
		most := partSpan(st, q)
		span := min(most, 24*Length(st.Every))
		for from := q.From; from.Before(q.To); {
			if q.From = q.To.Add(-span); q.From.Before(from) {
				q.From = from
			}
			var part []store.Observation
			for list, err := range s.Parts(ctx, st, q) {
				if err != nil {
					yield(nil, err)
					return
				}
				part = append(part, list...)
			}
			if len(part) > 0 && !yield(part, nil) {
				return
			}
			q.To = q.From
			if span *= 2; len(part) > 0 {
				span = min(span, most)
			}
			span = min(span, longSpan)
		}
	}
}
