package check_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/check"
)

// rules are those of findings.
func rules(found []check.Finding) (list []string) {
	for _, f := range found {
		list = append(list, f.Rule)
	}
	return list
}

// TestWhatAYesIsComparedWith: with yes or no, by being it or not.
func TestWhatAYesIsComparedWith(t *testing.T) {
	for condition, fine := range map[string]bool{
		`"==", value: true`: true, `"!=", value: false`: true, `">=", value: true`: false, `"==", value: 1`: false,
		`"==", value: "true"`: false,
	} {
		files := portalba.Policy()
		files["kinds.yaml"] = []byte(strings.Replace(string(files["kinds.yaml"]), "fields:\n      - {name: laeq,",
			"fields:\n      - {name: dry, type: bool, class: measurement}\n      - {name: laeq,", 1))
		files[noise] = []byte(strings.Replace(string(files[noise]), "keep: [laeq]",
			"keep: [laeq, dry]\nwhere: [{field: dry, op: "+condition+"}]", 1))
		found, _ := run(files)
		if got := rules(unworded(found)); slices.Contains(got, "D35") == fine || fine && len(got) > 0 {
			t.Errorf("%s: %v", condition, got)
		}
	}
}

// TestWhoseMembershipIsPublic: that of homes, where they are registered, without a noisy
// floor.
func TestWhoseMembershipIsPublic(t *testing.T) {
	const energy = `decision: "2026-18"
title: {en: Energy, ca: Energia, es: Energía}
legal_basis: By-law 2026/4
review: 2027-02-01
stream: energy
purpose: environment
applies_to: {kinds: [home-meter], zones: [rambla]}
unit: {sensor: home}
keep: [energy]
place: sensor
publish: {every: PT1H, lateness: PT2M, measures: [{name: energy, of: sum(energy), between: [0, 10]}]}
protect: {min_units: 10, epsilon: 1, delta: 1e-6, max_contributions: 4, membership: public}
from: 2026-06-01
until: 2027-05-31
`
	for _, c := range []struct {
		old, new string
		wrong    bool
	}{
		{"place: sensor", "place: sensor", false},
		{"keep: [energy]\nplace: sensor", "keep: [energy, lat, lon]\nplace: {lat: lat, lon: lon}", true},
		{"membership: public", "membership: public, floor: exact", false},
		{"membership: public", "membership: public, floor: noisy", true},
	} {
		files := portalba.Policy()
		files["charter.yaml"] = []byte(strings.Replace(string(files["charter.yaml"]), "card: 1}", "card: 1, home: 1}",
			1))
		files["kinds.yaml"] = append(files["kinds.yaml"], "  home-meter:\n    units: [{sensor: true, stands_for: "+
			"home}]\n    fields: [{name: energy, type: float, class: measurement}, {name: lat, type: float, class: "+
			"location}, {name: lon, type: float, class: location}]\n"...)
		files["decisions/2026-18-energy.yaml"] = []byte(strings.Replace(energy, c.old, c.new, 1))
		found, _ := run(files)
		if got := rules(unworded(found)); slices.Contains(got, "D19") != c.wrong || !c.wrong && len(got) > 0 {
			t.Errorf("%s: %v", c.new, got)
		}
	}
}
