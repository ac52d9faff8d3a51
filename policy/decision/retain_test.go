package decision

import (
	"errors"
	"strings"
	"testing"
)

// TestRetainIsOneText: numbers are removed, and removals verified, by the line that begins with retain, so a document
// in which YAML's whole grammar has another time is none.
func TestRetainIsOneText(t *testing.T) {
	const rest = `title: {en: Traffic}
decision: "2026-14"
stream: traffic
from: 2026-03-01
until: 2027-03-01
applies_to: {kinds: [meter], zones: [z]}
unit: {none: "of roads"}
publish: {every: PT1H, by: [zone], measures: [{name: n, of: sum(n)}]}
`
	for text, plain := range map[string]bool{
		"legal_basis: x\nretain: P5Y\n":                                   true,
		"legal_basis: x\n":                                                true,
		"legal_basis: x\nretain: {hours: P2Y, days: forever}\n":           true,
		"legal_basis: x\nretain:\n  hours: P2Y\n  days: forever\n":        true,
		"legal_basis: \"x\nretain: P1D\n\"\nretain: P5Y\n":                false, // all would go after a day
		"legal_basis: 'x\nretain: P1D\n'\n":                               false,
		"legal_basis: x\nretain: {hours: P2Y,\ndays: P9Y}\n":              false,
		"legal_basis: x\nretain: >-\n  P5Y\n":                             false,
		"legal_basis: x\nretain: \"P5\\u0059\"\n":                         false,
		"legal_basis: x\n\"ret\\u0061in\": P5Y\n":                         false,
		"legal_basis: x\rretain: P5Y\n":                                   false,
		"legal_basis: x\nretain: {hours: P2Y, days: \"for\\u0065ver\"}\n": false,
	} {
		text += rest
		if _, err := Parse("d.yaml", []byte(text)); (err == nil) != plain || !plain && !errors.Is(err, errRetain) {
			t.Errorf("%q: %v", text, err)
		}
	}
	deeper := "  " + strings.ReplaceAll("legal_basis: x\nretain: P5Y\n"+rest, "\n", "\n  ")
	if _, err := Parse("d.yaml", []byte(deeper)); !errors.Is(err, errRetain) {
		t.Errorf("an indented document: %v", err)
	}
}
