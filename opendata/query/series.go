package query

import (
	"context"

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
