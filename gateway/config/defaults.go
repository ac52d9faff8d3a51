package config

import (
	"path/filepath"
	"time"

	"sluice/internal/civil"
)

// SetDefaults fills in what the file leaves open.
func (c *Config) SetDefaults() {
	setDefault(&c.Gateway, "edge-1")
	setDefault(&c.Keys, "auto")
	setDefault(&c.Admin, "127.0.0.1:9090")
	setDefault(&c.Outbox.MaxBytes, 1<<30)
	setDefault(&c.Windows.Future, civil.MustPeriod("PT60S"))
	setDefault(&c.Windows.CatchUp, civil.MustPeriod("PT6H"))
	setDefault(&c.Feedback, 5*time.Minute)
	setDefault(&c.Policy.Every, civil.MustPeriod("PT1M"))
	if c.Policy.Dir == "" && !c.Policy.Signed() && c.Simulation && c.Dir != "" {
		c.Policy.Dir = filepath.Join(c.Dir, "policy")
	}
	if c.MQTT != nil {
		id := "sluice-" + c.Gateway
		if c.Cluster != nil { // a session for each of the fronts, or they would take one from another
			id += "-" + c.Cluster.Name
		}
		setDefault(&c.MQTT.ClientID, id)
	}
	if c.Cluster != nil {
		c.Cluster.SetDefaults()
	}
	if c.Store == (Store{}) && c.Dir != "" {
		c.Store.SQLite = &SQLite{Path: filepath.Join(c.Dir, "store.db")}
	}
}

// setDefault gives a value to a key that has none.
func setDefault[T comparable](key *T, value T) {
	var none T
	if *key == none {
		*key = value
	}
}
