package main

import (
	"encoding/json"
	"io"
	"os"

	"sluice/gateway"
	"sluice/policy/rego"
)

// childRules evaluates rules in a process of their own, as gateways do: drafts
// come from anywhere.
func childRules() (*rego.Child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return rego.NewChild(self, gateway.RulesVerb), nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(v)
}
