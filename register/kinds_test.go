package register

import (
	"fmt"
	"strings"
	"testing"
)

// TestKinds: a unit is a field that tells units apart or the sensor itself, and
// nothing that could be taken for either.
func TestKinds(t *testing.T) {
	const fields = "fields: [{name: power, type: float, unit: W, class: measurement}, {name: '@id/x.y:z', type: " +
		"string, class: identifier}]"
	home := func(unit string) string { return "kinds:\n  meter:\n    units: [" + unit + "]\n    " + fields + "\n" }
	for raw, want := range map[string]string{
		home("{sensor: true, stands_for: home}"):                                           "",
		home("{field: '@id/x.y:z', stands_for: card}"):                                     "",
		home("{sensor: true, stands_for: home}, {field: '@id/x.y:z', stands_for: device}"): "",
		home(
			"{stands_for: home}"): "write either {sensor: true, stands_for: home} or {field",
		home(
			"{sensor: false, stands_for: home}"): "write either {sensor: true",
		home(
			"{sensor: true, field: power, stands_for: home}"): "write either {sensor: true",
		home(
			"{sensor: true}"): "stands for device, vehicle, card, home, person",
		home(
			"{sensor: true, stands_for: Home}"): "stands for device, vehicle, card, home, person",
		home(
			"{sensor: true, stands_for: household}"): "stands for device, vehicle, card, home, person",
		home(
			"{field: mac, stands_for: device}"): `names "mac", which is none of its fields`,
		home("{sensor: true, stands_for: home}, {sensor: true, stands_for: home}"):  "there twice",
		home("{sensr: true, stands_for: home}"):                                     "did you mean sensor?",
		home(strings.Repeat("{field: power, stands_for: card},", 9)):                "more than 8 units",
		strings.Replace(home(""), "    units", "    heartbeat: PT5M\n    units", 1): "",
		strings.Replace(home(""), "    units", "    heartbeat: P2D\n    units",
			1): "heartbeat is at least a second",
		strings.Replace(home(""), "meter:", "'a meter':", 1):   "needs a name",
		strings.Replace(home(""), "meter:", "'a:b':", 1):       "needs a name",
		strings.Replace(home(""), "meter:", "\"m\\e[2K\":", 1): "needs a name",
		strings.Replace(home(""), "name: power", "name: ''",
			1): "the field \"\" needs a name",
		strings.Replace(home(""), "name: power", "name: 'a b'", 1):                    "needs a name",
		strings.Replace(home(""), "name: power", "name: '@id/x.y:z'", 1):              "there twice",
		strings.Replace(home(""), "name: power", "name: "+strings.Repeat("a", 65), 1): "needs a name",
		strings.Replace(home(""), "unit: W", "unit: \"W\\u202e\"", 1):                 "visible text",
		strings.Replace(home(""), "type: float", "type: double", 1):                   "type is one of",
		strings.Replace(home(""), "class: measurement", "class: public", 1):           "class is one of",
	} {
		_, err := ParseKinds("kinds.yaml", []byte(raw))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s gives %v; want %q", raw, err, want)
		}
	}
	var many strings.Builder
	for i := range MaxKinds + 1 {
		fmt.Fprintf(&many, "  k%d: {%s}\n", i, fields)
	}
	if _, err := ParseKinds("kinds.yaml", []byte("kinds:\n"+many.String())); err == nil ||
		!strings.Contains(err.Error(), "more than 500 kinds") {
		t.Errorf("501 kinds: %v", err)
	}
}

// TestValid: bounds of a number, and of nothing else.
func TestValid(t *testing.T) {
	for text, fine := range map[string]bool{
		"type: float, valid: [20, 140]": true, "type: int, valid: [5, 5]": true,
		"type: float, valid: [-1e6, 0.5]": true,
		"type: float, valid: [140, 20]":   false, "type: string, valid: [1, 2]": false,
		"type: float, valid: [1]":   false,
		"type: time, valid: [1, 2]": false, "type: float, valid: [1, 2, 3]": false, "type: float, valid: []": false,
		"type: float, valid: [0, .inf]": false, "type: float, valid: [-.inf, 0]": false,
		"type: float, valid: [.nan, 1]": false,
	} {
		_, err := ParseKinds("kinds.yaml",
			[]byte("kinds: {meter: {fields: [{name: x, class: measurement, "+text+"}]}}\n"))
		if (err == nil) != fine {
			t.Errorf("%s: %v", text, err)
		}
	}
}
