package publicbooks

import (
	"sluice/books"
	"sluice/plan"
	"sluice/register"
)

// fates says what becomes of each field of a sensor, and what would while decisions are
// in force that are not.
func fates(kind register.Kind, plans []plan.Plan, idle []idler) []books.Field {
	list := []books.Field{}
	for _, f := range kind.Fields {
		out := books.Field{Name: f.Name, Class: f.Class, Fate: string(plan.Dropped), Valid: f.Valid}
		for _, p := range plans {
			if fate := p.Stream.FateOf(f.Name); fate != plan.Dropped {
				out.Fate, out.Decision = string(fate), p.Stream.Decision
				break
			}
		}
		for _, x := range idle {
			if fate := x.stream.FateOf(f.Name); fate != plan.Dropped && out.Decision == "" {
				out.Decision, out.State, out.Planned = x.stream.Decision, x.state, string(fate)
			}
		}
		list = append(list, out)
	}
	return list
}
