package compile

import (
	"fmt"
	"maps"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/rego"
	"sluice/register"
)

// TestOwners: owners are asked about one by one where some rule may look at them, however
// it does, and else not.
func TestOwners(t *testing.T) {
	reg := &register.Register{}
	for n := range 200 {
		reg.Sensors = append(reg.Sensors,
			register.Sensor{ID: fmt.Sprint(n), Kind: "wifi-counter", Zone: "rambla", Owner: fmt.Sprint("o", n)})
	}
	const head = "package sluice.local\n\ndeny contains {\"decision\": \"none\", \"message\": \"m\"} if "
	for rule, sorts := range map[string]int{
		"":                                                                   1,
		`input.sensor.kind == "x"`:                                           1,
		`input.fields[0].name == "owner"`:                                    1,
		`input["sensor"]["zone"] == "owner"`:                                 1,
		`input.sensor.owner == "o7"`:                                         200,
		`input["sensor"].owner == "o7"`:                                      200,
		`input.sensor == 1`:                                                  200,
		`input.sensor["owner"] == "o7"`:                                      200,
		"some k; input.sensor[k] == \"o7\"":                                  200,
		"some k; input[k].owner == \"o7\"":                                   200,
		"x := input; x.sensor.owner == \"o7\"":                               200,
		`object.get(input, "sensor", {}) == 1`:                               200,
		`count([y | some y in input.sensor; y == "o7"]) == 1`:                200,
		`input.fields[input.sensor.owner] == 1`:                              200,
		"some s in [input.sensor]; s.owner == \"o7\"":                        200,
		`count(data.sluice.charter.violations) == 1 with input.sensor as {}`: 200,
	} {
		files := maps.Clone(portalba.Policy())
		if rule != "" {
			files["local/deny.rego"] = []byte(head + "{ " + rule + " }\n")
		}
		evaluators := map[string]rego.Evaluator{"in process": rego.InProcess()}
		if len(rule) < 30 { // it compiles the same, and takes a process each
			evaluators["in a child"] = child(t)
		}
		for name, rules := range evaluators {
			set, err := Files(t.Context(), rules, files)
			if err != nil {
				t.Errorf("%s: %v", rule, err)
				continue
			}
			set.Prepare(t.Context(), reg)
			if n := len(set.cache); n != sorts {
				t.Errorf("%s, %s: %d sorts are asked about; want %d", rule, name, n, sorts)
			}
		}
	}
}
