// Package configs holds the example files that a city copies and edits, and
// embeds those that the demo uses.
package configs

import _ "embed"

// Register is the example city's register of sensors.
//
//go:embed register.yaml
var Register []byte
