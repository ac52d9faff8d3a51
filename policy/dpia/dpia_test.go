package dpia_test

import (
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/dpia"
	"sluice/policy/explain"
	"sluice/register"
)

// city is the example city with what an assessment must name: parts of owners, a noisy
// floor, homes whose number is public, and kinds that are said to be about nobody.
func city(t *testing.T, change bool) *bundle.Policy {
	t.Helper()
	files := portalba.Policy()
	edit := func(file, old, new string) {
		t.Helper()
		if !strings.Contains(string(files[file]), old) {
			t.Fatalf("%s does not hold %q", file, old)
		}
		files[file] = []byte(strings.Replace(string(files[file]), old, new, 1))
	}
	if change {
		edit("decisions/2026-14-footfall.yaml", "max_contributions: 4",
			"max_contributions: 4\n  by_owner: {acme: 3, tram: 1}")
		edit("charter.yaml", "{device: 1, card: 1}", "{device: 1, card: 1, home: 1}")
		edit("charter.yaml", "min_units: 10", "kinds_not_about_people: [camera]\nmin_units: 10")
		files["kinds.yaml"] = append(files["kinds.yaml"], `  camera:
    fields: [{name: lat, type: float, class: location}]
  home-meter:
    units: [{sensor: true, stands_for: home}]
    fields: [{name: energy, type: float, unit: kWh, class: measurement}]
`...)
		files["decisions/2026-18-energy.yaml"] = []byte(`decision: "2026-18"
title: {en: "Heat | homes", ca: "Calor", es: "Calor"}
stream: energy
purpose: environment
applies_to: {kinds: [home-meter], zones: [rambla]}
unit: {sensor: home}
keep: [energy]
publish: {every: PT1H, lateness: PT2M, measures: [{name: energy, of: sum(energy), between: [0, 10]}]}
protect: {min_units: 10, epsilon: 1, delta: 1e-6, max_contributions: 4, membership: public}
from: 2026-06-01
until: 2027-05-31
`)
	}
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const sensors = `sensors:
  - {id: wifi-7, owner: acme, kind: wifi-counter, zone: rambla, registered: 2026-01-01}
  - {id: wifi-8, owner: other, kind: wifi-counter, zone: rambla, registered: 2026-01-01} # by_owner leaves it out
  - {id: card-7, owner: tram, kind: card-reader, zone: estacio, registered: 2026-01-01}
  - {id: ana-at-4-2, owner: acme, kind: home-meter, zone: rambla, registered: 2026-01-01}
  - {id: bru-at-1-3, owner: acme, kind: home-meter, zone: rambla, registered: 2026-01-01}
`

func all(p *bundle.Policy) (list []*bundle.Decision) {
	for i := range p.Decisions {
		list = append(list, &p.Decisions[i])
	}
	return list
}

// TestNobodyIsMadeUp: whom the charter does not name, people have to write; and one decision alone is
// one of which nothing else is said.
func TestNobodyIsMadeUp(t *testing.T) {
	p := city(t, false)
	p.Charter.City.Responsible, p.Charter.City.DPO = decision.Party{}, decision.Party{}
	text, err := dpia.Markdown(dpia.Input{Policy: p, Decisions: all(p)[2:3], Register: &register.Register{}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "HUMAN:** controller, data-protection officer") || strings.Contains(text, "Delegada") ||
		!strings.Contains(text, "2026-16") || strings.Contains(text, "2026-14") {
		t.Error(text)
	}
}

// TestMarkdown: what protects people, and what protects them less, is in the assessment in
// each language; homes are counted and named nowhere.
func TestMarkdown(t *testing.T) {
	reg, err := register.Parse("register.yaml", []byte(sensors))
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{
		"(wifi-7)", "floor: noisy (~", "membership: public (~10)", ">= 10, by_owner: acme 3, tram 1 (~",
	}
	said := map[string][]string{
		"en": {"| 2026-18 Heat / homes |", "3 for acme and 1 for tram", "# Data-protection impact assessment: Portalba",
			"a register of 5 sensors",
			"Sensors concerned: 2, each of which stands for somebody and is named nowhere, run by acme.",
			"about nobody: camera.", "people at home, by their homes",
			"| people counter by WiFi (wifi-counter): name of the WiFi network (ssid) | free-text | dropped at",
			"(wifi-counter): device code (device) | identifier | becomes a keyed tag for",
			"Responsible for the processing (controller): Ajuntament de Portalba, Plaça Major 1, Portalba, ajunt",
			"Data-protection officer: Delegada", "Where people can complain: Autoritat", "| public transport |",
			"is no secret and is not protected",
			"it may stand for fewer than that"},
		"ca": {"3 per a acme i 1 per a tram", "Sensors afectats: 2, cadascun dels quals",
			"no tracten de ningú: camera.", "persones a casa, per les seves llars", "es descarta a l'entrada",
			"no és cap secret", "pot representar-ne menys"},
		"es": {"3 para acme y 1 para tram", "Sensores afectados: 2, cada uno de los cuales",
			"no tratan de nadie: camera.", "personas en su casa, por sus hogares", "se descarta en la entrada",
			"no es ningún secreto", "puede representar menos"},
	}
	for l, lang := range explain.Languages {
		p := city(t, true)
		in := dpia.Input{Lang: explain.Lang(l), Policy: p, Decisions: all(p), Register: reg}
		text, err := dpia.Markdown(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range append(said[lang], keys...) {
			if !strings.Contains(text, want) {
				t.Errorf("in %s nothing says %q", lang, want)
			}
		}
		for _, never := range []string{"ana-at", "bru-at", "%!"} {
			if strings.Contains(text, never) {
				t.Errorf("in %s it holds %q", lang, never)
			}
		}
		if t.Failed() {
			t.Log(text)
		}
		p = city(t, false)
		in.Policy, in.Decisions, in.Register = p, all(p), &register.Register{}
		text, err = dpia.Markdown(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, never := range []string{"camera", "by_owner", "membership", "%!"} {
			if strings.Contains(text, never) {
				t.Errorf("of the example, in %s, it holds %q", lang, never)
			}
		}
	}
}
