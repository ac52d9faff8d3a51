package main

import (
	"cmp"
	_ "embed" // the template
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/policy/templates"
	"sluice/register"
)

// decisionTemplate is a decision to start from. Placeholders stand in angle brackets, which policy
// check reports (T01). Its comments are in English; commentsIn translates them.
//
//go:embed decision.yaml.tmpl
var decisionTemplate string

// firstDecision is the data of decisionTemplate.
type firstDecision struct {
	ID, Title, Stream, LegalBasis string
	Purpose                       string
	Purposes                      []string
	// Kind and Zone, of Kinds and Zones, are what it applies to.
	Kind, Zone   string
	Kinds, Zones []string
	// Sent are the fields of the kind with their classes.
	Sent []string
	// Field identifies a StandsFor. Both are empty if the kind identifies nobody; then the
	// clerk has to write WhyNobody.
	Field, StandsFor, WhyNobody string
	// Names are what is counted, in the city's languages.
	Names                      string
	MinUnits, MaxContributions int64
	// Left is the epsilon a day that other decisions leave; Spent: nothing is left.
	Left                float64
	Spent               bool
	From, Until, Review time.Time
	Longest             civil.Period
}

// newDecision writes a decision that fits the directory's charter, kinds and zones.
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
	d.Names = unitNames(c.City.Languages, cmp.Or(d.StandsFor, "reading"))
	d.Sent = fieldsOf(p.Kinds[d.Kind])
	d.From, d.Until = templates.Term(p, now)
	d.Review = templates.Review(d.From, d.Until)
	d.Left = templates.Left(p, d.StandsFor, d.From, d.Until)
	d.Spent = d.Left <= 0
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

// firstUnit returns the first kind with an identifier, that field and what it stands for; or the
// first kind alone if none has one.
func firstUnit(kinds map[string]register.Kind) (kind, field, standsFor string) {
	ids := sortedKeys(kinds)
	for _, k := range ids {
		if i := slices.IndexFunc(kinds[k].Units, func(u register.KindUnit) bool { return u.Field != "" }); i >= 0 {
			return k, kinds[k].Units[i].Field, kinds[k].Units[i].StandsFor
		}
	}
	return firstOr(ids, ""), "", ""
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

// unitNames are the words for several of a unit in each language of the city.
func unitNames(langs []string, unit string) string {
	if len(langs) == 0 {
		langs = []string{"en"}
	}
	var out []string
	for _, l := range langs {
		out = append(out, l+": "+newLocale(explain.ParseLang(l)).Unit(unit, 2))
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

// fieldsOf lists the fields of a kind with their classes.
func fieldsOf(k register.Kind) []string {
	var out []string
	for _, f := range k.Fields {
		out = append(out, f.Name+" ("+f.Class+")")
	}
	return out
}
