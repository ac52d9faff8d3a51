package publicbooks

import (
	"slices"

	"sluice/books"
	"sluice/plan"
	"sluice/register"
)

// fates says what becomes of each field of a sensor, and what would while decisions are
// in force that are not.
func fates(kind register.Kind, plans []plan.Plan, idle []idler) []books.Field {
	list := []books.Field{}
	for _, f := range kind.Fields {
		out := books.Field{Name: f.Name, Class: f.Class, Fate: "dropped", Valid: f.Valid}
		for _, p := range plans {
			if fate := fateOf(f.Name, p.Stream); fate != "" {
				out.Fate, out.Decision = fate, p.Stream.Decision
				break
			}
		}
		for _, x := range idle {
			if fate := fateOf(f.Name, x.stream); fate != "" && out.Decision == "" {
				out.Decision, out.State, out.Planned = x.stream.Decision, x.state, fate
			}
		}
		list = append(list, out)
	}
	return list
}

func fateOf(field string, s *plan.Stream) string {
	switch {
	case !slices.Contains(s.Keep, field):
		return ""
	case field == s.Unit.Field:
		return "counted"
	case field == s.Place.Lat || field == s.Place.Lon,
		slices.ContainsFunc(s.Generalise, func(g plan.Generalise) bool { return g.Field == field }):
		return "generalised"
	}
	return "kept"
}
