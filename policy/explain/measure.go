package explain

import "sluice/plan"

// Measure is one published number in words.
func Measure(l Lang, m plan.Measure, u plan.Unit) string {
	var what string
	switch m.Of {
	case plan.Distinct:
		return say(l, l.Gender(u.StandsFor, "m-unit", "m-unit-f"), l.Many(u.StandsFor))
	case plan.Count:
		if m.Bounded && !u.None() {
			return say(l, "m-capped", l.Number(m.High), l.One(u.StandsFor))
		}
		return say(l, "m-count")
	case plan.Sum:
		what = say(l, "m-sum", m.Field)
	case plan.Histogram:
		edges := make([]string, len(m.Edges))
		for i, e := range m.Edges {
			edges[i] = l.Number(e)
		}
		if u.None() {
			return say(l, "m-classes", m.Field, l.List(edges))
		}
		return say(l, l.Gender(u.StandsFor, "m-hist", "m-hist-f"), l.Many(u.StandsFor), m.Field, l.List(edges))
	case plan.Quantile:
		what = say(l, "m-quant", m.Field, l.Number(round(100*m.Q)))
		if m.Q == 0.5 {
			what = say(l, "m-median", m.Field)
		}
	case plan.Leq, plan.Lday, plan.Levening, plan.Lnight, plan.Lden:
		what = say(l, "m-"+string(m.Of), m.Field)
	case plan.Mean:
		if m.Share {
			if u.None() {
				return say(l, "m-share", m.Field)
			}
			return say(l, l.Gender(u.StandsFor, "m-unit-share", "m-unit-share-f"), l.Many(u.StandsFor), m.Field)
		}
		what = say(l, "m-mean", m.Field)
	}
	if m.Bounded {
		return say(l, "m-within", what, l.Number(m.Low), l.Number(m.High))
	}
	return what
}
