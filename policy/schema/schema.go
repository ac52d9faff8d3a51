// Package schema holds JSON schemas (draft 07) of every file that people edit. An
// editor that knows them completes keys, shows what each means, and marks what is
// wrong while one writes:
//
//	# yaml-language-server: $schema=../schema/decision.schema.json
package schema

import "embed"

// FS holds NAME.schema.json.
//
//go:embed *.schema.json
var FS embed.FS

// Of returns the schema's name for a file of a policy directory, or empty.
func Of(file string) string {
	switch {
	case len(file) > 10 && file[:10] == "decisions/":
		return "decision"
	case len(file) > 6 && file[:6] == "tests/":
		return "tests"
	}
	switch file {
	case "charter.yaml", "council.yaml", "kinds.yaml", "suspended.yaml":
		return file[:len(file)-len(".yaml")]
	}
	return ""
}
