package publicbooks

import (
	"slices"

	"sluice/books"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/decision"
)

// named adds to a city what its charter says of whom to reach, and the policy's words.
func named(city *books.City, p *bundle.Policy) {
	c, kinds := p.Charter, p.Names()
	city.Responsible, city.DPO = books.Party(c.City.Responsible), books.Party(c.City.DPO)
	city.Authority, city.Accessibility = books.Party(c.City.Authority), books.Party(c.City.Accessibility)
	city.Names = books.Vocabulary{Purposes: c.Names.Purposes, Units: c.Names.Units, Kinds: kinds.Kinds,
		Fields: kinds.Fields, Categories: kinds.Values}
}

// documented adds to a measure what its decision says of it beside what the plan has.
func documented(m *books.Measure, d *decision.Document, name string, every civil.Period) {
	i := slices.IndexFunc(d.Publish.Measures, func(of decision.Measure) bool { return of.Name == name })
	if i < 0 {
		return
	}
	of := d.Publish.Measures[i]
	m.Names = of.Names
	for _, l := range of.Limits {
		if every != d.Publish.Every && l.Over.Nominal() < every.Nominal() {
			continue // of the hours of which these are the days
		}
		limit := books.Limit{Value: *l.Value, Title: l.Title}
		limit.Source, _ = l.Source.Best("en")
		if _, one := l.Source.One(); !one {
			limit.Sources = l.Source
		}
		if !l.Over.IsZero() {
			limit.Over = l.Over.String()
		}
		m.Limits = append(m.Limits, limit)
	}
}
