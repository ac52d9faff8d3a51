// Package charts draws what a simulated day of a draft would publish, in each of the city's languages,
// for those to whom the draft is put before the vote.
package charts

import (
	"context"
	"slices"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/policy/templates"
	"sluice/simulate"
)

// StreetOf is the street on which a decision is tried where nobody says another: that of the template
// with its kind, or one on which a thousand pass.
func StreetOf(d *bundle.Decision) simulate.Answers {
	for _, t := range templates.List() {
		if slices.Contains(d.AppliesTo.Kinds, t.Kind.ID) {
			return simulate.Answers{Passes: t.Street.Passes, Peak: t.Street.Peak, Returns: t.Street.Returns}
		}
	}
	return simulate.Answers{Passes: 1000, Peak: 18}
}

// Of are charts of a simulated day, or of a week where days are published, by the city's languages. Name is
// what sentences call the
// street. The error is a simulate.Lacks where it has not what the decision needs.
func Of(
	ctx context.Context, p *bundle.Policy, d *bundle.Decision, street simulate.Answers,
	speech func(explain.Lang) simulate.Speech, name func(explain.Lang) string,
) (map[string][]byte, error) {
	const days, week = 1, 7 // of days a week is shown
	n := days
	if d.Stream.Every.Nominal() >= 24*time.Hour {
		n = week
	}
	out := make(map[string][]byte)
	for i, code := range explain.Languages {
		if !slices.Contains(p.Charter.City.Languages, code) {
			continue
		}
		l := explain.Lang(i)
		tr := street.Traffic(p, d, n, 1)
		tr.Name = name(l)
		sp := speech(l)
		r, err := simulate.Quick(ctx, simulate.Options{Draft: p, Decision: d.Decision, Traffic: tr, Speech: sp}, 1)
		if err != nil {
			return nil, err
		}
		out[code] = []byte(r.SVG(p.Location, sp))
	}
	return out, nil
}
