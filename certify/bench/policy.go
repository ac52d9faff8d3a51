package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/register"
)

// policy is a policy directory with one kind, and one decision that counts what it sends: the units of its
// first field that stands for some, or else its readings. A sensor that itself stands for somebody, as a
// home's meter, is told nothing by a gateway; on a bench it stands for nobody, and is told.
func policy(name string, k register.Kind, now time.Time) map[string]string {
	day := func(years, days int) string { return now.AddDate(years, 0, days).Format(time.DateOnly) }
	unit, keep := `{none: "a device on a bench"}`, ""
	measure := `{name: readings, of: "count()"}`
	protect := ""
	if u := unitOf(k); u != nil {
		unit, keep = fmt.Sprintf("{field: %q, stands_for: %s}", u.Field, u.StandsFor), fmt.Sprintf("%q", u.Field)
		measure = `{name: units, of: "distinct(unit)"}`
		protect = "protect: {min_units: 2, epsilon: 1, delta: 1e-6, max_contributions: 4}\nforget_after: P1D\n"
	}
	return map[string]string{
		"policy/charter.yaml": fmt.Sprintf("city: {id: bench, name: Bench, timezone: UTC, languages: [en]}\n"+
			"purposes: [certificate]\nkinds_not_about_people: [%s]\nmin_units: 2\nepsilon_per_day: {device: 1, "+
			"vehicle: 1, card: 1, home: 1, person: 1}\ndelta_per_day: 0.01\nmax_contributions: 4\nsunset_max: P2Y\n"+
			"quorums: {enact: 1, weaken: 1, charter: 1, roster: 1, suspend: 1}\n", name),
		"policy/council.yaml": "version: 1\nmembers: []\n",
		"policy/kinds.yaml":   kindsFile(name, k),
		"policy/zones.geojson": `{"type":"FeatureCollection","features":[{"type":"Feature","id":"bench","properties":{},` +
			`"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}}]}`,
		"policy/decisions/certificate.yaml": fmt.Sprintf("decision: certificate\ntitle: {en: A device on a bench}\n"+
			"stream: bench\npurpose: certificate\nlegal_basis: none needed\n"+
			"applies_to: {kinds: [%s], zones: [bench]}\nunit: %s\nkeep: [%s]\nplace: sensor\npublish:\n"+
			"  every: PT1H\n  lateness: P1D\n  by: [zone]\n  measures:\n    - %s\n%sfrom: %s\nuntil: %s\nreview: %s\n",
			name, unit, keep, measure, protect, day(0, -2), day(1, 0), day(0, 300)),
	}
}

// unitOf is the first unit that a field stands for; nil for none.
func unitOf(k register.Kind) *register.KindUnit {
	for i, u := range k.Units {
		if u.Field != "" {
			return &k.Units[i]
		}
	}
	return nil
}

// kindsFile is a kinds.yaml with one kind.
func kindsFile(name string, k register.Kind) string {
	var b strings.Builder
	fmt.Fprintf(&b, "kinds:\n  %s:\n", name)
	if !k.Heartbeat.IsZero() {
		fmt.Fprintf(&b, "    heartbeat: %s\n", k.Heartbeat)
	}
	if u := unitOf(k); u != nil {
		fmt.Fprintf(&b, "    units: [{field: %q, stands_for: %s}]\n", u.Field, u.StandsFor)
	}
	b.WriteString("    fields:\n")
	for _, f := range k.Fields {
		fmt.Fprintf(&b, "      - {name: %q, type: %s, class: %s", f.Name, f.Type, f.Class)
		if f.Unit != "" {
			fmt.Fprintf(&b, ", unit: %q", f.Unit)
		}
		if f.Format != "" {
			fmt.Fprintf(&b, ", format: %s", f.Format)
		}
		if len(f.Valid) == 2 {
			fmt.Fprintf(&b, ", valid: [%v, %v]", f.Valid[0], f.Valid[1])
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// list are the names of kinds, as they are written in a sentence.
func list(kinds map[string]register.Kind) string {
	return strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
}
