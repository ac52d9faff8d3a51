// Package rules embeds the library that turns decisions into plans. The copy in
// the binary serves simulation and the policy verbs; a policy directory may
// bring its own rules/.
package rules

import "embed"

// FS holds the rules and their tests.
//
//go:embed *.rego
var FS embed.FS
