package check

import "sluice/policy/bundle"

// PassedOver are the findings about files that stand in a policy directory and are no part
// of the policy, since their names are written otherwise.
func PassedOver(dir string) (found []Finding) {
	for _, p := range bundle.PassedOver(dir) {
		found = append(found, Finding{File: p.File, Line: 1, Column: 1, Rule: "S09", Args: []any{p.Meant}})
	}
	return found
}
