package gateway

import "sluice/gateway/config"

// What callers say of a gateway's configuration.
type (
	Config  = config.Config
	Listen  = config.Listen
	Policy  = config.Policy
	Time    = config.Time
	Refusal = config.Refusal
)

// ReadConfig is config.Read.
func ReadConfig(path string) (Config, error) { return config.Read(path) }
