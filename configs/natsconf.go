// Package configs is what an operator edits, as far as the program writes it.
package configs

import _ "embed"

// Nats is nats.conf, for the first of three servers.
//
//go:embed nats.conf
var Nats string
