package main

import (
	_ "embed" // the template
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/register"
)

// decisionTemplate is a decision to begin with. What is left to be written stands in
// angles, which policy check finds (T01). Its comments are English; commentsIn says them
// in other languages.
//
//go:embed decision.yaml.tmpl
var decisionTemplate string

// firstDecision is what decisionTemplate takes.
type firstDecision struct {
	ID, Title, Stream, LegalBasis string
	Purpose                       string
	Purposes                      []string
	// Kind and Zone are those that it applies to, of Kinds and Zones.
	Kind, Zone   string
	Kinds, Zones []string
	// Sent are the fields of the kind with their classes.
	Sent []string
	// Field identifies what StandsFor says; both are empty where the kind identifies
	// nobody, and WhyNobody is to be written.
	Field, StandsFor, WhyNobody string
	MinUnits, MaxContributions  int64
	// Left is the epsilon a day that other decisions leave; Spent says that it is none.
	Left                float64
	Spent               bool
	From, Until, Review time.Time
	Longest             civil.Period
}

// newDecision is the text of a decision that fits the directory's charter, kinds and zones.
func newDecision(v locale, p *bundle.Policy, id string, now time.Time) (string, error) {
	c := p.Charter
	d := firstDecision{
		ID: id, Title: titlePlaceholders(c.City.Languages), Stream: streamName(id),
		LegalBasis: v.Say("<the law that allows it>"),
		Purpose:    firstOr(c.Purposes, "PURPOSE"), Purposes: c.Purposes,
		Zone: firstOr(p.Zones.IDs(), "ZONE"), Zones: p.Zones.IDs(), Kinds: sortedKeys(p.Kinds),
		WhyNobody: v.Say("<why it is about nobody; residents read it>"),
		MinUnits:  c.MinUnits, MaxContributions: min(2, max(1, c.MaxContributions)), Longest: c.SunsetMax,
	}
	d.Kind, d.Field, d.StandsFor = firstUnit(p.Kinds)
	d.Sent = fieldsOf(p.Kinds[d.Kind])
	d.Left = epsilonLeft(p, d.StandsFor)
	d.Spent = d.Left <= 0
	d.From, d.Until = term(p, now)
	d.Review = review(d.From, d.Until)
	join := func(list []string) string { return strings.Join(list, ", ") }
	t, err := template.New("decision").Funcs(template.FuncMap{"join": join}).Parse(decisionTemplate)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, d)
	return b.String(), err
}

func firstOr(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}

// firstUnit is the first kind with an identifier, that field, and what it stands for; the
// first kind alone where none has one.
func firstUnit(kinds map[string]register.Kind) (kind, field, standsFor string) {
	ids := sortedKeys(kinds)
	for _, k := range ids {
		if i := slices.IndexFunc(kinds[k].Units, func(u register.KindUnit) bool { return u.Field != "" }); i >= 0 {
			return k, kinds[k].Units[i].Field, kinds[k].Units[i].StandsFor
		}
	}
	return firstOr(ids, ""), "", ""
}

// epsilonLeft is what the decisions of a policy leave of the charter's epsilon a day for
// one kind of unit.
func epsilonLeft(p *bundle.Policy, standsFor string) float64 {
	left := p.Charter.EpsilonPerDay[standsFor]
	for _, d := range p.Decisions {
		if d.Stream.Unit.StandsFor == standsFor && !d.Stream.Unit.None() {
			left -= d.Protect.Epsilon * float64(d.EpochsPerDay())
		}
	}
	return left
}

// term is when a decision of today can begin, and its last day: a year at most, and no
// longer than the charter allows.
func term(p *bundle.Policy, now time.Time) (from, until time.Time) {
	from = now.In(p.Location).AddDate(0, 0, p.Charter.NoticeDays+14)
	until = from.Add(p.Charter.SunsetMax.Nominal()).AddDate(0, 0, -1)
	if latest := from.AddDate(1, 0, -1); until.After(latest) {
		until = latest
	}
	return from, until
}

// review is when a new decision is looked at again: after half a year, or half of its
// time where that is shorter.
func review(from, until time.Time) time.Time {
	half := from.Add(until.Sub(from) / 2)
	if months := from.AddDate(0, 6, 0); months.Before(half) {
		return months
	}
	return half
}

// titlePlaceholders is a title to fill in for each language of the city.
func titlePlaceholders(langs []string) string {
	if len(langs) == 0 {
		langs = []string{"en"}
	}
	var out []string
	for _, l := range langs {
		out = append(out, fmt.Sprintf("%s: %q", l, newLocale(explain.ParseLang(l)).Say("<a title for residents>")))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func streamName(id string) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '_' {
			return '-'
		}
		return r
	}, strings.ToLower(id))
	return "stream-" + name
}

// fieldsOf are the fields of a kind, each with its class.
func fieldsOf(k register.Kind) []string {
	var out []string
	for _, f := range k.Fields {
		out = append(out, f.Name+" ("+f.Class+")")
	}
	return out
}
